import { newAdvisories, readAdvisories } from './advisories.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function reportOf(...groups: readonly object[]): Uint8Array {
  const one = { package: { name: 'left-pad', version: '1.0.0', ecosystem: 'npm' }, vulnerabilities: [], groups };
  return bytes({ results: [{ source: { path: 'package-lock.json', type: 'lockfile' }, packages: [one] }] });
}

describe('a report of osv-scanner', () => {
  it('counts a weakness once, however many names it has', () => {
    const read = readAdvisories(
      reportOf({ ids: ['GHSA-aaaa', 'CVE-2026-1'], max_severity: '9.8' }, { ids: ['GHSA-bbbb'], max_severity: '' }),
    );
    expect(read).toEqual({
      ok: true,
      advisories: [
        { id: 'GHSA-aaaa', package: 'left-pad', severity: '9.8' },
        { id: 'GHSA-bbbb', package: 'left-pad', severity: null },
      ],
    });
  });

  it('is clean when it names no results', () => {
    expect(readAdvisories(bytes({ results: [] }))).toEqual({ ok: true, advisories: [] });
  });

  it.each([
    ['no JSON', new TextEncoder().encode('{"results":')],
    ['a message of a registry that is away', bytes({ message: 'gone', statusCode: 405 })],
    ['packages without groups', bytes({ results: [{ packages: [{ package: { name: 'a' } }] }] })],
    ['a package without a name', bytes({ results: [{ packages: [{ package: {}, groups: [] }] }] })],
    ['a group without ids', reportOf({ aliases: [] })],
    ['results without packages', bytes({ results: [{}] })],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
  ])('is unreadable, never clean, when it is %s', (_what, report) => {
    expect(readAdvisories(report)).toMatchObject({ ok: false, problem: expect.stringMatching(/^expected a report/) });
  });

  it('tells what is new against the reports from before', () => {
    const [a, b] = [
      { id: 'GHSA-a', package: 'x', severity: null },
      { id: 'GHSA-b', package: 'x', severity: '5.0' },
    ];
    expect(newAdvisories([a], [a, b, b])).toEqual([b]);
    expect(newAdvisories([a], [{ ...a, package: 'y' }])).toEqual([{ ...a, package: 'y' }]);
  });
});
