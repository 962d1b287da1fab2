import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GateOutcome } from './outcome.ts';
import { recogniseOrigin } from './origin.ts';
import { assessReadiness } from './readiness.ts';

const contract = `prototype: tiny
owner: Mara Lindqvist
requirements: { users: 5, dataClass: public }
run: { kind: node, start: [app.mjs], environment: { MODE: very-private-value } }
probes: { health: /healthz }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.01 }
`;
const complete = { 'proviso.yaml': contract, 'app.mjs': '', 'cases.yaml': '' };

let folder = '';
let stored = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readiness-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function assess(files: Readonly<Record<string, string>>, builds = false): Promise<GateOutcome> {
  await write(files);
  const evidence = {
    put: async (bytes: Uint8Array) => {
      stored = Buffer.from(bytes).toString();
      return { digest: 'sha256:1' as const };
    },
  };
  return await assessReadiness({ folder, builds }, { evidence, signal: new AbortController().signal });
}

test('passes a complete prototype and keeps names of people and values of variables out', async () => {
  const outcome = await assess(complete);
  expect(outcome).toMatchObject({ verdict: 'pass', evidence: [{ kind: 'readiness_report', digest: 'sha256:1' }] });
  expect(outcome.controls).toEqual([
    { id: 'planted_contract_without_owner', expected: 'refused', observed: 'refused' },
  ]);
  expect(stored + JSON.stringify(outcome)).not.toMatch(/Mara|very-private-value/);
});

test.each([
  ['no contract', { 'proviso.yaml': undefined }, 'contract_missing', undefined],
  ['a contract without an owner', { 'proviso.yaml': contract.replace(/owner:.*\n/, '') }, 'owner_missing', 1],
  [
    'an owner that was never filled in',
    { 'proviso.yaml': contract.replace('Mara Lindqvist', 'TODO') },
    'owner_missing',
    undefined,
  ],
  ['a misspelt key', { 'proviso.yaml': contract.replace('probes:', 'probs:') }, 'contract_invalid', 5],
  ['a script that is not there', { 'app.mjs': undefined }, 'file_missing', undefined],
  ['cases that are not there', { 'cases.yaml': undefined }, 'file_missing', undefined],
])('fails with %s', async (_, change, code, line) => {
  const files = Object.entries({ ...complete, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const outcome = await assess(Object.fromEntries(files));
  expect(outcome.verdict).toBe('fail');
  expect(outcome.reasons[0]).toMatchObject({ code, file: 'proviso.yaml' });
  expect(outcome.reasons[0]?.line).toBe(line);
});

test('names every mistake with its place', async () => {
  const outcome = await assess({
    ...complete,
    'proviso.yaml': contract.replace('users: 5', 'users: 0').replace('[app.mjs]', '[]'),
  });
  expect(outcome.reasons.map((reason) => reason.message.slice(0, 37))).toEqual([
    'proviso.yaml, line 3, column 24: requ',
    'proviso.yaml, line 4, column 20: run.',
  ]);
});

test('tells what makes no sense as a whole at its place', async () => {
  const secrets = "secrets: [{ name: API_KEY }, { name: API_KEY, description: 'again' }]";
  const outcome = await assess({
    ...complete,
    'proviso.yaml': contract.replace('environment:', `${secrets}, environment:`),
  });
  expect(outcome.reasons).toMatchObject([
    {
      code: 'contract_invalid',
      message:
        'proviso.yaml, line 4, column 75: run.secrets[1].name: expected each secret once, got API_KEY twice; change that line',
      line: 4,
    },
  ]);
});

test.each([
  ['lovable', { 'package.json': '{"devDependencies":{"lovable-tagger":"1"}}', 'CLAUDE.md': '' }],
  ['lovable', { 'vite.config.ts': 'import { componentTagger } from "x"' }],
  ['bolt', { '.bolt/config.json': '{"template":"bolt-vite-react-ts"}' }],
  ['v0', { 'app/layout.tsx': "export const metadata = { generator: 'v0.app' }" }],
  ['replit', { '.replit': '' }],
  ['coding_agent', { '.cursor/rules/a.mdc': '' }],
  ['hand_written', { 'CONTRIBUTING.md': '' }],
  ['unknown', { 'index.html': 'hello' }],
])('recognises %s by its marks', async (origin, files) => {
  await write(files);
  expect((await recogniseOrigin(folder)).origin).toBe(origin);
});
