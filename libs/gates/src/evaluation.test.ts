import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readContract } from '@proviso/domain';
import { evaluateCandidate } from './evaluation.ts';
import type { GateOutcome } from './outcome.ts';

const contract = readContract({
  prototype: 'tiny',
  owner: 'Mara Lindqvist',
  requirements: { users: 5, dataClass: 'public' },
  run: { kind: 'node', start: ['app.mjs'] },
  probes: { health: '/healthz' },
  evaluation: { cases: 'cases.yaml' },
  objective: { errorRateMax: 0.01 },
});

let folder = '';
let stored: string[] = [];
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evaluation-test-'));
  stored = [];
});

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

function casesOf(count: number): string {
  const cases = Array.from(
    { length: count },
    (_, n) => `- { id: c${n}, slice: s${n % 2}, request: { path: /n/${n} }, expect: { contains: is ${n}! } }`,
  );
  return `${cases.join('\n')}\n`;
}

/** A prototype that answers with the number in the path, unless the behaviour says otherwise. */
type Behaviour = (n: number, request: IncomingMessage, response: ServerResponse) => string | null;

async function start(behaviour: Behaviour): Promise<string> {
  server = createServer((request, response) => {
    const path = request.url ?? '';
    const body = path === '/healthz' ? 'ok' : behaviour(Number(path.slice(3)), request, response);
    if (body !== null) response.end(body);
  });
  await new Promise((resolve) => server?.listen(0, '127.0.0.1', () => resolve(null)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function evaluate(cases: string, behaviour: Behaviour): Promise<GateOutcome> {
  await writeFile(join(folder, 'cases.yaml'), cases);
  if (!contract.ok) throw new Error('expected a contract');
  const evidence = {
    put: async (bytes: Uint8Array) => {
      stored.push(Buffer.from(bytes).toString());
      return { digest: `sha256:${stored.length}` as const };
    },
  };
  const baseUrl = await start(behaviour);
  const input = {
    folder,
    contract: contract.value,
    baseUrl,
    bar: 0.9,
    repeats: 2,
    nonce: 'n0nce',
    requestTimeoutMs: 500,
  };
  return await evaluateCandidate(input, { evidence, fetch, signal: new AbortController().signal });
}

const right: Behaviour = (n) => `it is ${n}!`;
const codes = (outcome: GateOutcome): string[] => outcome.reasons.map((reason) => reason.code);

test('passes when the lower bound reaches the bar', async () => {
  const outcome = await evaluate(casesOf(29), right);
  expect(outcome).toMatchObject({ verdict: 'pass', stats: { n: 29, k: 29 } });
  expect(outcome.stats?.lower).toBeCloseTo(0.9019, 4);
  expect(outcome.evidence.map((each) => each.kind)).toEqual(['evaluation_report', 'evaluation_cases']);
  expect(outcome.controls.map(({ expected, observed }) => [expected, observed])).toEqual([
    ['pass', 'pass'],
    ['fail', 'fail'],
  ]);
});

test('is inconclusive with one case too few and says how many are missing', async () => {
  const outcome = await evaluate(casesOf(28), right);
  expect(outcome.verdict).toBe('inconclusive');
  expect(outcome.reasons[0]).toMatchObject({ code: 'cases_too_few', message: expect.stringContaining('add 1 more') });
});

test('fails far below the bar and shows the worst cases with what was asked, expected and got', async () => {
  const outcome = await evaluate(casesOf(30), (n) =>
    n < 20 ? 'no idea\u0000 sk-abcdefghijklmnopqrstuv' : `it is ${n}!`,
  );
  expect(outcome.verdict).toBe('fail');
  expect(codes(outcome)).toEqual(['bar_missed', ...Array<string>(5).fill('case_failed')]);
  expect(outcome.reasons[1]?.message).toBe(
    'c0 (s0) failed 2 of 2 times: asked GET /n/0; expected an answer that contains "is 0!", got status 200 with "no idea [secret removed]"',
  );
  expect(stored.join()).not.toContain('abcdefghijklmnop');
});

test('counts a case as failed when one of its repeats fails', async () => {
  const seen = new Set<number>();
  const outcome = await evaluate(casesOf(30), (n) => (seen.size === seen.add(n).size ? `it is ${n}!` : 'first time'));
  expect(outcome).toMatchObject({ verdict: 'fail', stats: { n: 30, k: 0 } });
});

test('counts a broken connection as failed while the prototype is healthy', async () => {
  const outcome = await evaluate(casesOf(40), (n, request) => {
    if (n === 7) request.socket.destroy();
    return n === 7 ? null : `it is ${n}!`;
  });
  expect(outcome.stats).toMatchObject({ n: 40, k: 39 });
  expect(outcome.reasons.at(-1)?.message).toContain('got a broken connection');
});

test('breaks, which is no verdict, when the prototype is gone', async () => {
  const outcome = evaluate(casesOf(40), (n, request) => {
    if (n !== 7) return `it is ${n}!`;
    server?.close();
    server?.closeAllConnections();
    request.socket.destroy();
    return null;
  });
  await expect(outcome).rejects.toMatchObject({ code: 'unreachable', retryable: true });
});

test('is inconclusive when its must-fail control holds', async () => {
  await writeFile(join(folder, 'cases.yaml'), casesOf(29));
  const answersAll = await start(right);
  if (!contract.ok) throw new Error('expected a contract');
  const evidence = { put: async () => ({ digest: 'sha256:1' as const }) };
  const input = { folder, contract: contract.value, baseUrl: answersAll, bar: 0.9, repeats: 1, nonce: 'ok' };
  const outcome = await evaluateCandidate(input, { evidence, fetch, signal: new AbortController().signal });
  expect(outcome.verdict).toBe('inconclusive');
  expect(codes(outcome)[0]).toBe('control_missed');
});

test.each([
  [
    'a case that looks at no answer',
    '- { id: a, request: { path: / }, expect: { status: 200 } }\n',
    'cases_invalid',
    1,
  ],
  ['the same case twice', casesOf(1).repeat(2), 'cases_invalid', 1],
  [
    'a case that asks another host',
    '- { id: a, request: { path: "http://x/" }, expect: { contains: a } }\n',
    'cases_invalid',
    1,
  ],
  ['no case', '[]\n', 'cases_invalid', 1],
])('is inconclusive with %s', async (_, cases, code, line) => {
  const outcome = await evaluate(cases, right);
  expect(outcome.verdict).toBe('inconclusive');
  expect(outcome.reasons[0]).toMatchObject({ code, line, file: 'cases.yaml' });
});

test('keeps no case file that holds something like a secret', async () => {
  const secret = `sk-${'proj-abcdefghijklmnopqrst'}`;
  await evaluate(`- { id: a, request: { path: /n/1, body: ${secret} }, expect: { contains: is 1! } }\n`, right);
  expect(stored).toHaveLength(1);
  expect(stored.join()).not.toContain(secret);
});
