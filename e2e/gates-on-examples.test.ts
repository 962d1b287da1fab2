import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Contract, runOrderOf } from '@proviso/domain';
import {
  type GateOutcome,
  assessReadiness,
  evaluateCandidate,
  findContract,
  scanCandidate,
  smokeRelease,
  runChild,
} from '@proviso/gates';

const examples = fileURLToPath(new URL('../examples/helpdesk/', import.meta.url));
const signal = new AbortController().signal;
/** A small server starts in 0.1 s; ten seconds cover a machine that is busy with other tests. */
const healthPollsMax = 200;
const healthPollMs = 50;

const evidence = {
  put: async (bytes: Uint8Array) => ({ digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const }),
};

let scratch = '';
let child: ChildProcess | undefined;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'gates-on-examples-'));
});

afterEach(async () => {
  await stop();
  await rm(scratch, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(folder: string, contract: Contract): Promise<string> {
  const port = await freePort();
  const order = runOrderOf(contract);
  const env = { ...order.environment, [order.portEnvironment]: String(port) };
  child = spawn(process.execPath, order.start.slice(1), { cwd: folder, env, stdio: 'ignore' });
  const baseUrl = `http://127.0.0.1:${port}`;
  for (let poll = 0; poll < healthPollsMax; poll += 1) {
    const healthy = await fetch(baseUrl + contract.probes.health).then(
      (answer) => answer.ok,
      () => false,
    );
    if (healthy) return baseUrl;
    await wait(healthPollMs);
  }
  throw new Error('expected a healthy prototype');
}

async function stop(): Promise<void> {
  const running = child;
  child = undefined;
  if (running === undefined || running.exitCode !== null) return;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGKILL');
  await ended;
}

/** Copied under another name, since the name of a folder may not matter. */
async function outcomesOf(version: string): Promise<Readonly<Record<string, GateOutcome>>> {
  const folder = join(scratch, 'candidate');
  await cp(join(examples, version), folder, { recursive: true });
  const readiness = await assessReadiness({ folder, builds: false }, { evidence, signal });
  const found = await findContract(folder);
  if (!found.ok) throw new Error('expected a contract');
  const { contract } = found;
  const scan = await scanCandidate({ folder, scratchFolder: scratch }, { evidence, signal, run: runChild });
  const baseUrl = await start(folder, contract);
  const ports = { evidence, fetch, signal };
  const nonce = 'e7c1b0d2a94f';
  const evaluation = await evaluateCandidate({ folder, contract, baseUrl, bar: 0.9, repeats: 3, nonce }, ports);
  const staging = await smokeRelease({ contract, baseUrl, nonce }, ports);
  return { readiness, scan, evaluation, staging };
}

test.each([
  ['good', 'pass pass pass pass'],
  ['leaky', 'pass fail pass pass'],
  ['dull', 'pass pass fail pass'],
  ['flaky', 'pass pass pass pass'],
])(
  '%s is told by readiness, scan, evaluation and smoke as %s',
  async (version, expected) => {
    const outcomes = await outcomesOf(version);
    expect(
      Object.values(outcomes)
        .map((outcome) => outcome.verdict)
        .join(' '),
    ).toBe(expected);
  },
  60_000,
);

test('the planted key is found at its file and line', async () => {
  const { scan } = await outcomesOf('leaky');
  expect(scan?.reasons).toMatchObject([{ code: 'secret_found', file: 'src/mail.mjs', line: 14 }]);
}, 60_000);

test.each([
  ['good', 0],
  ['flaky', 0.3],
])('real traffic breaks %s in the promised share of requests', async (version, share) => {
  const folder = join(examples, version);
  const found = await findContract(folder);
  if (!found.ok) throw new Error('expected a contract');
  const baseUrl = await start(folder, found.contract);
  const traffic = JSON.parse(await readFile(join(examples, 'traffic.json'), 'utf8')) as readonly {
    readonly method: string;
    readonly path: string;
    readonly body: object;
  }[];
  const statuses = await Promise.all(
    traffic.map(
      async ({ method, path, body }) => (await fetch(baseUrl + path, { method, body: JSON.stringify(body) })).status,
    ),
  );
  expect(statuses.filter((status) => status >= 500).length / statuses.length).toBe(share);
  expect(statuses.every((status) => status === 200 || status === 500)).toBe(true);
});
