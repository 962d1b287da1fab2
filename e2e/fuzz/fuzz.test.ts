import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fuzzText, isFuzzedClean } from './fuzz.ts';
import { foundSchemathesis, type Report } from './schemathesis.ts';

const report: Report = {
  complete: true,
  operations: { selected: 51, tested: 51, errored: 0 },
  test_cases: { generated: 1_000, with_failures: 0, errored: 0 },
  failures: [],
  errors: [],
};

describe('what Schemathesis reports', () => {
  it('is clean when every operation was tried to the end, and nothing failed or broke', () => {
    expect(isFuzzedClean(report)).toBe(true);
  });

  it.each<[string, Report | null]>([
    ['there is no report', null],
    ['it was cut off', { ...report, complete: false }],
    ['an operation was never tried', { ...report, operations: { selected: 51, tested: 50, errored: 0 } }],
    ['an answer failed', { ...report, failures: [{ title: 'Server error', count: 1, operations: ['GET /v1/me'] }] }],
    ['nothing could be made up for an operation', { ...report, errors: [{ title: 'Schema Error', count: 1 }] }],
  ])('is not clean when %s', (_why, told) => {
    expect(isFuzzedClean(told)).toBe(false);
  });

  it('is told with the seed, so that it can be had again', () => {
    const roles = [{ role: 'builder', report, statuses: { 200: 400, 422: 600 }, output: '' }] as const;
    const result = { seed: 7, roles, examples: 1_000, impossible: null, elapsedMs: 1_000, passed: false };
    expect(fuzzText(result)).toMatch(
      /builder\s+operations 51, examples 1000, failures 0 \(200 400, 422 600\)\nseed 7, examples 1000/,
    );
  });
});

describe('a machine without Python', () => {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-no-python-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is told what it lacks, and nothing is said about the product', () => {
    const found = foundSchemathesis(folder, { environment: { PATH: folder }, say: () => undefined });
    expect(found).toEqual({ missing: 'expected python3 3.11 or newer on this machine' });
    const impossible = 'missing' in found ? found.missing : null;
    const result = { seed: 1, roles: [], examples: 0, impossible, elapsedMs: 0, passed: false };
    expect(fuzzText(result)).toBe('not fuzzed: expected python3 3.11 or newer on this machine');
  });
});

describe('the requirements', () => {
  it('pin every package exactly, by the hashes of its files, and name no registry', () => {
    const text = readFileSync(fileURLToPath(new URL('requirements.txt', import.meta.url)), 'utf8');
    const packages = text.split(/\n(?=\S)/).filter((each) => /^[a-z]/i.test(each));
    expect(packages.length).toBeGreaterThan(20);
    for (const one of packages) expect(one).toMatch(/^[\w.-]+==[\w.]+( ; [^\\]+)? \\\n\s+--hash=sha256:[0-9a-f]{64}/);
    expect(text).not.toMatch(/https?:|--index|--find-links/);
  });
});
