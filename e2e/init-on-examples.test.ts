import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type GateOutcome, assessReadiness, findCases, findContract, runChild, scanCandidate } from '@proviso/gates';
import { projectRoot } from './project-root.ts';

const signal = new AbortController().signal;
const evidence = { put: async () => ({ digest: 'sha256:1' as const }) };

let folder = '';
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'init-on-examples-')), 'prototype');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

/** Copies an example under another name and lets the real command write its contract. */
async function initiated(name: string) {
  await cp(join(projectRoot, 'examples', 'exports', name), folder, { recursive: true });
  const words = ['apps/cli/src/main.ts', 'init', folder, '--yes', '--owner', 'Ada Lovelace'];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: projectRoot });
  const found = await findContract(folder);
  if (!found.ok) throw new Error(found.reasons[0]?.message);
  return { contract: found.contract, said: stdout.replaceAll(folder, '.') };
}

async function readiness(builds: boolean): Promise<GateOutcome> {
  return await assessReadiness({ folder, builds }, { evidence, signal });
}

test.each([
  [
    'vite-react',
    { run: { kind: 'static', fallback: true }, build: { command: ['npm', 'run', 'build'], output: 'dist' } },
    4,
  ],
  [
    'node-server',
    {
      run: { kind: 'node', start: ['build/server.mjs'], environment: { NODE_ENV: 'production' } },
      build: { install: 'auto', command: ['npm', 'run', 'build'] },
      probes: { health: '/healthz' },
    },
    41,
  ],
  [
    'python-service',
    {
      run: { kind: 'python', start: ['-m', 'flask', '--app', 'app:app', 'run', '--port', '$PORT'] },
      build: { install: 'auto' },
    },
    30,
  ],
])('%s is ready once it is built, and only under a policy that builds', async (name, expected, count) => {
  const { contract } = await initiated(name);
  expect(contract).toMatchObject(expected);
  expect(await readiness(true)).toMatchObject({ verdict: 'pass' });
  expect(await readiness(false)).toMatchObject({ verdict: 'fail', reasons: [{ code: 'build_gate_missing' }] });
  const cases = await findCases(folder, contract);
  expect(cases.ok && cases.cases.length).toBe(count);
  const scan = await scanCandidate({ folder, scratchFolder: join(folder, '..') }, { evidence, signal, run: runChild });
  expect(scan.verdict).toBe('pass');
});

test('the contract of an untouched export of Vite and React reads as a person would write it', async () => {
  const { said } = await initiated('vite-react');
  expect(`${said}\n${await readFile(join(folder, 'proviso.yaml'), 'utf8')}`).toMatchInlineSnapshot(`
"saw runs        files that are served as they are (vite in package.json, and index.html)
saw build       install the packages, then npm run build
saw result in   dist
saw start page  index.html
wrote ./proviso.yaml
wrote ./cases.yaml
check owner, users and dataClass: nobody was asked
next: \`proviso promote --policy site\`

# What this prototype says about itself; Proviso reads it at every gate.

# The same name for every version.
prototype: reading-list
# summary: what it does, in a sentence
# The person who is accountable for it: a human, not a team.
owner: "Ada Lovelace"  # please confirm: nobody was asked

# What it must stand.
requirements:
  users: 100  # please confirm: nobody was asked
  # The most sensitive data it touches: public, internal or personal.
  dataClass: personal  # please confirm: nobody was asked
  runbook: "README.md"

# How it is made from its sources.
build:
  # auto: what the lock file or requirements.txt pins; none: no packages.
  install: auto
  command: [npm, run, build]
  output: "dist"

# What runs; taken from vite in package.json, and index.html.
# static: files that are served as they are; fallback gives unknown pages index.html, for single-page apps.
run:
  kind: static
  fallback: true

# Without a smoke probe nothing proves that staging works, and the gate stays inconclusive.
probes:
  # Answers 200 when it can serve.
  health: /
  smoke:
    - name: the start page opens
      path: /
      expect: { status: 200, contains: "Reading list" }

# Questions with what a right answer is like; each runs \`repeats\` times. The file is a list of cases such as
#   - id: opening-hours
#     request: { path: "/ask?question=opening+hours" }
#     expect: { status: 200, contains: "9 to 5" }
# The standard policy wants to be sure of 90 %: 29 cases, all answered right, are the fewest that show it.
evaluation:
  cases: "cases.yaml"
  repeats: 3

# The share of failing requests that users can still live with. The canary is judged by it.
objective:
  errorRateMax: 0.01
  # latencyMsP95Max: 500
  # peakRequestsPerSecond: 20
"
`);
});

test('a folder without a lock file is blocked, with a fix to be pasted into its tool', async () => {
  await initiated('bolt-folder');
  const outcome = await readiness(true);
  expect(outcome).toMatchObject({ verdict: 'fail', reasons: [{ code: 'lock_file_missing', file: 'package.json' }] });
  expect(outcome.reasons).toHaveLength(1);
  expect(outcome.reasons[0]?.message).toMatch(
    /run `npm install` and add package-lock.json.*tell Bolt: "Run npm install/,
  );
});
