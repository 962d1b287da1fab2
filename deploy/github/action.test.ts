import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FakeGitHub, startFakeGitHub } from '@proviso/testkit';
import { parse } from 'yaml';
import {
  type Deployment,
  listening,
  openDeployment,
  passByWorker,
  pick,
  registered,
} from '../../apps/api/src/deployment.contract.ts';
import { type FakeIssuer, openFakeIssuer } from '../../apps/api/src/fake-issuer.contract.ts';
import { complaintsAbout } from './workflow-rules.contract.ts';

interface Step {
  readonly name: string;
  readonly run: string;
  readonly env?: Readonly<Record<string, string>>;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const commit = 'a'.repeat(40);

/** Each step starts the command and the script that tells of it, ./tell.mjs: three processes that share a busy machine. */
const stepsMsMax = 180_000;

let source: string;
let steps: readonly Step[];
let defaults: Readonly<Record<string, string>>;
let folder: string;
let deployment: Deployment;
let issuer: FakeIssuer;
let github: FakeGitHub;
let runner: Runner;
let url: string;
let prototype: string;
let policy: string;

beforeAll(async () => {
  source = await readFile(join(here, 'action.yml'), 'utf8');
  const action = parse(source) as {
    inputs: Record<string, { default?: string }>;
    runs: { steps: readonly Step[] };
  };
  ({ steps } = action.runs);
  defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? '']));
  folder = await mkdtemp(join(tmpdir(), 'proviso-action-'));
  issuer = await openFakeIssuer();
  const author = { name: 'A', email: 'a@elsewhere.example' };
  github = await startFakeGitHub({
    'team/app': { commits: [{ sha: commit, message: 'change', author, files: { 'main.js': '//' } }] },
  });
  deployment = await openDeployment({ workloadIssuers: [issuer.url], githubApi: github.baseUrl });
  url = await listening(deployment);
  runner = await openRunner(issuer);
  ({ prototype, policy } = await registered(deployment, 'shipped'));
  const rule = { name: 'CI', issuer: issuer.url, audience: 'proviso', repository: 'team/app', ref: 'refs/heads/main' };
  const trusted = await deployment.post('olga', `/v1/prototypes/${prototype}/workloads`, { ...rule, promotes: true });
  expect(trusted.status).toBe(201);
});

afterAll(async () => {
  await runner.close();
  await deployment.close();
  await issuer.close();
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

interface Runner {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** What gives a run its token at GitHub: to whoever has the run's own secret, for the audience that is asked for. */
async function openRunner(of: FakeIssuer): Promise<Runner> {
  const server = createServer((request, response) => {
    const address = new URL(request.url ?? '/', 'http://runner');
    const isOurs = request.headers.authorization === 'bearer of-the-run' && address.pathname === '/token';
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      ...{ iss: of.url, aud: address.searchParams.get('audience') ?? '', jti: randomUUID(), iat: now, exp: now + 300 },
      ...{ repository: 'team/app', ref: 'refs/heads/main', sha: commit, actor_id: '7' },
    };
    void of.sign(claims).then((value) => {
      response.writeHead(isOurs ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isOurs ? { count: 1, value } : {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Ran {
  readonly code: number | null;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly said: string;
}

/** Runs the action's own step as a runner does: its variables filled in, its words given to a shell. */
async function act(inputs: Readonly<Record<string, string>>): Promise<Ran> {
  const step = steps.at(-1) ?? { name: '', run: '' };
  const [outputs, summary] = [join(folder, randomUUID()), join(folder, randomUUID())];
  await Promise.all([outputs, summary].map((path) => writeFile(path, '')));
  const given: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries({ ...defaults, url, ...inputs }).map(([name, text]) => [`inputs.${name}`, text]),
    ),
    'github.repository': 'team/app',
    'github.sha': commit,
  };
  const filled = (text: string): string =>
    text.replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => filled(given[name] ?? ''));
  const env = {
    ...Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, filled(text)])),
    ...{ PATH: process.env['PATH'], HOME: folder, GITHUB_ACTION_PATH: here.replace(/\/$/, ''), RUNNER_TEMP: folder },
    ...{ GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: summary, ACTIONS_ID_TOKEN_REQUEST_URL: runner.url },
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-run',
  };
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], { env, cwd: folder });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const lines = (await readFile(outputs, 'utf8')).trim().split('\n');
  return {
    code,
    said,
    outputs: Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))),
    summary: await readFile(summary, 'utf8'),
  };
}

const asRun = () => ({ workspace: deployment.workspace, prototype });

describe('the action', () => {
  it('puts nothing from outside into a script, and takes nothing that is not pinned', () => {
    expect(complaintsAbout(source)).toEqual([]);
  });

  it('hands each of its inputs on, and its scripts know no others', async () => {
    const script = await readFile(join(here, 'run.sh'), 'utf8');
    const known = Object.keys(steps.at(-1)?.env ?? {}).filter((name) => name.startsWith('INPUT_'));
    const used = [...new Set(script.match(/INPUT_[A-Z_]+/g))];
    expect(used.toSorted()).toEqual(known.toSorted());
    const inputs = Object.keys(defaults).map((name) => `inputs.${name} `);
    expect(inputs.filter((name) => !source.includes(`{{ ${name}`))).toEqual([]);
  });

  it(
    'promotes the commit of its run, and another step waits for it',
    async () => {
      const opened = await act({ command: 'promote', ...asRun(), policy, version: 'r1' });
      expect([opened.code, opened.said]).toEqual([0, expect.stringContaining('Proviso: ')]);
      const promotion = opened.outputs['promotion'] as `prm_${string}`;
      const shown = await deployment.ask('bea', 'GET', `/v1/promotions/${promotion}`);
      expect(pick(shown.body, 'candidate', 'origin', 'commit')).toBe(commit);
      expect(opened.outputs).toMatchObject({
        state: 'running',
        url: expect.stringContaining('/decide/gate_') as string,
      });
      expect(opened.summary).toContain('[Look](http');

      const early = await act({ command: 'wait', ...asRun(), promotion, until: 'readiness', 'timeout-seconds': '1' });
      expect([early.code, early.outputs['promotion'], early.outputs['exit-code']]).toEqual([124, promotion, '124']);
      await passByWorker(deployment, promotion, 'readiness');
      const passed = await act({ command: 'wait', ...asRun(), promotion, until: 'readiness' });
      expect([passed.code, passed.outputs['state']]).toEqual([0, 'waiting_for_human']);

      await writeFile(join(folder, 'report.json'), '{}');
      const brought = await act({ command: 'evidence', ...asRun(), file: 'report.json', kind: 'test-report' });
      expect([brought.code, brought.summary]).toEqual([0, expect.stringContaining('sha256:')]);

      await deployment.post('bea', `/v1/promotions/${promotion}/cancel`, { reason: 'enough' });
      const ended = await act({ command: 'wait', ...asRun(), promotion });
      expect([ended.code, ended.outputs['state']]).toEqual([2, 'cancelled']);
    },
    stepsMsMax,
  );

  it(
    'ends with the number of its command, and says what was wrong',
    async () => {
      const stranger = await act({ command: 'promote', ...asRun(), policy, audience: 'somebody-else' });
      expect([stranger.code, stranger.outputs['exit-code']]).toEqual([4, '4']);
      const unknown = await act({ command: 'approve', ...asRun() });
      expect([unknown.code, unknown.said]).toEqual([1, 'proviso: expected the command promote, wait or evidence\n']);
    },
    stepsMsMax,
  );

  it(
    'takes whatever it is given for data and never for a command',
    async () => {
      const planted = join(folder, 'planted');
      const words = `$(touch ${planted});\`touch ${planted}\`";touch ${planted};#\n::set-output name=state::live\nstate=live`;
      for (const [name, command] of Object.entries({
        version: 'promote',
        policy: 'promote',
        promotion: 'wait',
        file: 'evidence',
      })) {
        const tried = await act({
          command,
          ...asRun(),
          policy,
          kind: 'tests',
          promotion: 'prm_x',
          file: 'none',
          [name]: words,
        });
        expect([name, tried.code === 0, tried.outputs['state'] ?? '']).toEqual([name, false, '']);
      }
      const flags = await act({ command: 'wait', ...asRun(), promotion: '--help' });
      expect(flags.code).not.toBe(0);
      expect(existsSync(planted)).toBe(false);
    },
    stepsMsMax,
  );
});

describe('the rules for workflows', () => {
  it.each([
    ['a word from outside in a script', 'steps:\n  - run: echo ${{ github.head_ref }}\n'],
    ['a branch of somebody else', 'steps:\n  - uses: actions/checkout@main # v7\n'],
    ['a tag, which can be moved', 'steps:\n  - uses: actions/checkout@v7\n'],
    ['a commit of which nobody knows the version', `steps:\n  - uses: actions/checkout@${'a'.repeat(40)}\n`],
  ])('complain about %s', (_what, text) => {
    expect(complaintsAbout(text)).toHaveLength(1);
  });

  it('hold for every example that is documented', async () => {
    for (const document of ['github.md', 'tokens-and-machines.md']) {
      const text = await readFile(join(dirname(dirname(here)), 'docs', document), 'utf8').catch(() => '');
      for (const [, example = ''] of text.matchAll(/```yaml\n([\s\S]*?)```/g))
        expect(complaintsAbout(example)).toEqual([]);
    }
  });
});
