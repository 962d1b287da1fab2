import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeApi, openFakeApi } from './fake-api.ts';
import { currentConfig } from './config.ts';
import { ranProgram } from './ran-program.contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'proviso-policy-'));
const file = join(folder, 'draft.yaml');
const published = readFileSync(join(currentConfig().projectRoot, 'policies', 'standard.yaml'), 'utf8');
const policy = {
  ...{ id: `pol_${'1'.repeat(32)}`, name: 'standard', version: 3, digest: `sha256:${'a'.repeat(64)}` },
  ...{ author: `psn_${'2'.repeat(32)}`, environment: 'production', gates: [], until: null, waiting: null, revision: 3 },
};
const replayed = {
  ...{ looked: 12, whole: true },
  changed: [
    {
      ...{ promotion: 'prm_1', openedAt: '2026-11-01T10:00:00.000Z' },
      before: { admitted: true, gate: null, why: null },
      after: { admitted: false, gate: 'approval', why: '1 more of group/product' },
    },
  ],
};
const tried = {
  ...{ allowed: false, code: 'own_work', rule: 'separation/requester', fills: [], met: false, missing: null },
  message: 'you asked for this promotion, so somebody else must decide',
};
let api: FakeApi;

beforeAll(async () => {
  api = await openFakeApi(({ method, path }) => {
    if (path === '/v1/policies/replay') return { status: 200, body: replayed };
    if (path === '/v1/policies/try') return { status: 200, body: tried };
    if (path.startsWith('/v1/policies/pol_')) return { status: 200, body: { ...policy, source: published } };
    if (path.startsWith('/v1/people/')) return { status: 200, body: { id: 'psn_x', name: 'Ana', tokens: [] } };
    if (method === 'POST')
      return { status: 201, body: { ...policy, source: null, waiting: { ...policy, version: 4 } } };
    return { status: 200, body: { items: [{ ...policy, source: null }], next: null } };
  });
});

afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const { code, printed } = await ranProgram(api.url, words);
  return { code, text: printed.join('\n') };
}

const write = (source: string) => writeFileSync(file, source);

describe('proviso policy', () => {
  it('lints a file with the line and column of each mistake', async () => {
    write(
      published
        .replace('attemptsMax', 'x')
        .replace('expires: 7d', 'expires: 7 days')
        .replace('gate: scan', 'gate: scn'),
    );
    const { code, text } = await run('policy', 'lint', file);
    expect(code).toBe(1);
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/draft\.yaml:9:11: gates\[2\]\.gate: expected one of .*did you mean scan/),
      expect.stringMatching(/draft\.yaml:\d+:14: gates\[5\]\.expires: expected a time/),
    ]);
    write(published);
    expect(await run('policy', 'lint', file, '--json')).toMatchObject({
      code: 0,
      text: JSON.stringify({ file, ok: true, problems: [] }),
    });
  });

  it('lints what no field alone can say where it stands', async () => {
    write(`${published}tiers:\n  internal:\n    gates: [scan]\n`);
    expect((await run('policy', 'lint', file)).text).toMatch(
      /draft\.yaml:\d+:5: expected build among the gates, got scan/,
    );
  });

  it('says the shares that a budget leads to, which stand nowhere in the file', async () => {
    const ramp = (badRequests: number) =>
      `ramp: { budget: { badRequests: ${badRequests}, requestsPerSecond: 100 }, hold: careful }`;
    const planned = (badRequests: number) => published.replace(/weights: .*/, ramp(badRequests));
    write(planned(25));
    expect((await run('policy', 'lint', file)).text).toBe(
      `${file}: a valid policy named standard; planned shares: 2, 4, 10 % of users`,
    );
    write(planned(5));
    const refused = await run('policy', 'lint', file);
    expect([refused.code, refused.text]).toEqual([1, expect.stringContaining('a budget of at least 12 bad requests')]);
  });

  it('says of each edit whether it weakens', async () => {
    write(published.replace('bar: 0.9', 'bar: 0.95').replace('expires: 7d', 'expires: 14d'));
    const { text } = await run('policy', 'diff', file);
    expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['STRENGTH', 'FIELD', 'VERSION 3', 'FILE'],
      ['stronger', 'evaluation.bar', '0.9', '0.95'],
      ['weaker', 'approval.expires', '7d', '14d'],
      [''],
      ['To publish it takes --reason, --weaker-for and an administrator.'],
    ]);
  });

  it('names the rule that would say no to a person', async () => {
    write(published);
    const words = ['policy', 'test', file, '--person', `psn_${'2'.repeat(32)}`, '--promotion', 'prm_1'];
    expect(await run(...words)).toEqual({
      code: 5,
      text: 'Ana could not approve: you asked for this promotion, so somebody else must decide (separation/requester)',
    });
  });

  it('lists which past promotions would end otherwise', async () => {
    write(published);
    const { text } = await run('policy', 'replay', file, '--since', '2026-10-01');
    expect(text).toContain('prm_1      2026-11-01  admitted  stopped at approval: 1 more of group/product');
    expect(text).toContain('1 of 12 promotions would end otherwise');
    expect(api.calls.at(-1)?.body).toMatchObject({ since: '2026-10-01T00:00:00.000Z' });
  });

  it('says that a weaker version waits for somebody else', async () => {
    write(published);
    const { text } = await run('policy', 'publish', file, '--reason', 'holidays', '--weaker-for', '7');
    expect(text).toBe(
      'standard: version 4 is weaker and waits; an administrator agrees with `proviso policy agree standard`.',
    );
    expect(api.calls.at(-1)?.body).toMatchObject({ reason: 'holidays', weakerForDays: 7 });
  });
});
