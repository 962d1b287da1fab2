import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answering, type FakeApi, openFakeApi, problem } from './fake-api.ts';
import { pair } from './pairing.ts';
import { ranProgram } from './ran-program.contract.ts';

const person = { id: `psn_${'a'.repeat(32)}`, name: 'Sam Security' };
const issued = {
  id: `tok_${'1'.repeat(32)}`,
  token: `prv_${'t'.repeat(43)}`,
  expiresAt: '2027-01-01T00:00:00.000Z',
  person,
  url: 'x',
};
const whole = {
  ...person,
  kind: 'human',
  roles: [{ role: 'approver', group: 'security' }],
  waitsForRole: false,
  disabled: false,
  accounts: ['github'],
  tokens: [],
};
const waiting = { ...whole, id: `psn_${'b'.repeat(32)}`, name: 'Nova', roles: [], waitsForRole: true };

let folder = '';
let fake: FakeApi;
/** What the API was told at `/login/cli`, as a person's browser would have been. */
let challenge = '';

const answer: Answering = ({ path, body, authorization }) => {
  if (path === '/v1/login/token') {
    const { code, verifier } = body as { code: string; verifier: string };
    const fits = createHash('sha256').update(verifier).digest('base64url') === challenge && code === 'the-code';
    return fits ? { status: 201, body: issued } : problem(400, 'sign_in_refused');
  }
  if (authorization !== `Bearer ${issued.token}`) return problem(401, 'unauthenticated');
  if (path === '/v1/me') return { status: 200, body: { person: whole, workspace: { id: 'wsp_1', name: 'Here' } } };
  if (path.startsWith('/v1/people?')) return { status: 200, body: { items: [whole, waiting], next: null } };
  if (path === `/v1/people/${person.id}/tokens/revoke`) return { status: 200, body: whole };
  return problem(404, 'not_found');
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-login-'));
  fake = await openFakeApi(answer);
});
afterEach(async () => {
  await fake.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command of somebody without a token; `browse` is what the person does with the address that it shows. */
async function run(words: readonly string[], browse: (address: URL) => Promise<unknown> = async () => undefined) {
  const read = (line: string) => {
    const address = /https?:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) void browse(new URL(address));
  };
  const environment = { PROVISO_DATA: folder, PROVISO_TOKEN: '' };
  const { code, printed, said } = await ranProgram(fake.url, words, { environment, read });
  return { code, printed: printed.join('\n'), said: said.join('\n') };
}

/** Lets the command line in, as the page of the API does. */
async function allow(address: URL, change: Readonly<Record<string, string>> = {}) {
  challenge = address.searchParams.get('challenge') ?? '';
  const query = new URLSearchParams({ code: 'the-code', state: address.searchParams.get('state') ?? '', ...change });
  return await fetch(`http://127.0.0.1:${address.searchParams.get('port')}/?${query.toString()}`);
}

test('login gets a token through the browser, keeps it for its owner only, and all commands speak with it', async () => {
  const { code, printed, said } = await run(['login'], allow);
  expect([code, printed]).toEqual([0, `Signed in at ${fake.url} as Sam Security until 2027-01-01.`]);
  expect(printed + said).not.toContain(issued.token);
  expect(statSync(join(folder, 'logins.json')).mode & 0o777).toBe(0o600);
  expect((await run(['whoami'])).printed).toMatch(/Sam Security.*\n.*Here\n.*approver \(security\)\n.*github/);
  const listed = (await run(['people'])).printed.split('\n');
  expect(listed[1]).toMatch(/^Nova\s+human\s+waits for a role/);
});

test('login is not fooled by who else knocks at its port', async () => {
  const answers: number[] = [];
  const { code } = await run(['login'], async (address) => {
    answers.push(
      (await allow(address, { state: 'x'.repeat(32) })).status,
      (await allow(address, { state: '' })).status,
    );
    answers.push((await fetch(`http://127.0.0.1:${address.searchParams.get('port')}/favicon.ico`)).status);
    await allow(address);
  });
  expect([code, answers]).toEqual([0, [400, 400, 400]]);
});

test('login with a code that the API refuses ends with 4 and keeps nothing', async () => {
  const { code, said } = await run(['login'], (address) => allow(address, { code: 'another' }));
  expect([code, said.includes('sign_in_refused')]).toEqual([4, true]);
  expect(existsSync(join(folder, 'logins.json'))).toBe(false);
});

test('nobody who comes is told as such, and the port is closed again', async () => {
  let port = '';
  const show = (address: string) => void (port = new URL(address).searchParams.get('port') ?? '');
  const { signal } = new AbortController();
  await expect(pair({ url: fake.url, show, signal, waitMs: 20 })).rejects.toMatchObject({ exitCode: 124 });
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
});

test('logout ends the token at the API and here; then nobody is known', async () => {
  await run(['login'], allow);
  expect(await run(['logout'])).toMatchObject({ code: 0, printed: `Signed out of ${fake.url}.` });
  const [revoked] = fake.calls.filter(({ path }) => path.endsWith('/tokens/revoke'));
  expect(revoked).toMatchObject({ authorization: `Bearer ${issued.token}`, body: { token: issued.id } });
  const after = await run(['whoami']);
  expect([after.code, after.said.includes('proviso login')]).toEqual([4, true]);
  expect((await run(['logout'])).code).toBe(4);
});
