import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { codeGaps } from './code-fit.ts';
import { readContractFile } from './contract-file.ts';
import type { Origin } from './origin.ts';
import type { GateReason } from './outcome.ts';
import { readRequirements } from './packages.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'code-fit-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;

async function write(files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function gaps(
  files: Files,
  { run, builds = true, origin = 'unknown' }: { run: string | null; builds?: boolean; origin?: Origin },
): Promise<readonly GateReason[]> {
  await write(files);
  if (run === null) return await codeGaps(folder, { contract: null, origin, builds });
  const found = readContractFile(`prototype: my-app
owner: Mara Lindqvist
requirements: { users: 5, dataClass: public }
probes: { health: / }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.01 }
${run}
`);
  if (!found.ok) throw new Error(found.problems[0]?.message);
  return await codeGaps(folder, { contract: found.value, origin, builds });
}

const react = { 'package.json': '{"dependencies":{"react":"18.0.0"},"devDependencies":{"vite":"6.0.0"}}' };
const tooled = { 'package.json': '{"devDependencies":{"prettier":"3.0.0"}}' };
const flask = { 'app.py': '', 'requirements.txt': 'flask==3.1.2\n' };
const site = 'run: { kind: static }\nbuild: { command: [npm, run, build], output: dist }';
const server = 'run: { kind: node, start: [server.js] }';
const python = 'run: { kind: python, start: [app.py] }';
const installed = '\nbuild: { install: auto }';

test.each<[string, Files, string | null, string[]]>([
  ['packages without a lock file', react, site, ['lock_file_missing']],
  ['packages without a lock file and without a contract', react, null, ['lock_file_missing']],
  ['packages with the lock file of npm', { ...react, 'package-lock.json': '{}' }, site, []],
  ['packages with the lock file of pnpm', { ...react, 'pnpm-lock.yaml': '' }, site, []],
  ['packages with a lock file that cannot be used', { ...react, 'bun.lockb': '' }, site, ['lock_file_missing']],
  ['tools that nothing installs', { ...tooled, 'server.js': '' }, server, []],
  ['tools that a build installs', { ...tooled, 'server.js': '' }, server + installed, ['lock_file_missing']],
  ['a manifest that is no JSON', { 'package.json': '{', 'server.js': '' }, server, ['packages_unreadable']],
  [
    'packages that no build installs',
    { ...react, 'package-lock.json': '{}', 'server.js': '' },
    server,
    ['build_missing'],
  ],
  ['pinned packages of Python', flask, python + installed, []],
  ['packages of Python that no build installs', flask, python, ['build_missing']],
  ['a loose package', { ...flask, 'requirements.txt': 'flask>=3\n' }, python + installed, ['packages_unpinned']],
  [
    'a project file without pinned packages',
    { 'app.py': '', 'pyproject.toml': '' },
    python + installed,
    ['lock_file_missing'],
  ],
  ['a site without a page', {}, 'run: { kind: static }', ['kind_unfit']],
  ['a site with its page', { 'index.html': '' }, 'run: { kind: static }', []],
  ['a site with its page in its folder', { 'public/index.html': '' }, 'run: { kind: static, root: public }', []],
  ['a site that is yet to be built', { 'package.json': '{}' }, site, []],
  ['Python without Python', { 'app.js': '' }, 'run: { kind: python, start: [-m, app] }', ['kind_unfit']],
  ['a module of Python', { 'app.py': '' }, 'run: { kind: python, start: [-m, app] }', []],
  ['a script of Python that is not there', { 'main.py': '' }, python, ['file_missing']],
  ['a script that is not there', {}, server, ['file_missing']],
  ['a script that the build makes', {}, `${server}\nbuild: { command: [npm, run, build] }`, []],
  ['a command, whatever lies beside it', react, 'run: { kind: command, start: [./serve] }', []],
])('%s', async (_, files, run, expected) => {
  expect((await gaps(files, { run })).map(({ code }) => code)).toEqual(expected);
});

test.each([
  ['a contract with a build', { 'package.json': '{}' }, site],
  ['packages that must be installed', { ...react, 'package-lock.json': '', 'server.js': '' }, server],
])('%s needs a policy that builds', async (_, files, run) => {
  const codes = async (builds: boolean) => (await gaps(files, { run, builds })).map(({ code }) => code);
  expect(await codes(false)).toContain('build_gate_missing');
  expect(await codes(true)).not.toContain('build_gate_missing');
});

test.each<[Origin, RegExp]>([
  ['bolt', /^no lock file: run `npm install` and add package-lock\.json; .*\. Or tell Bolt: "Run npm install .*"$/],
  ['lovable', /Or tell Lovable: /],
  ['hand_written', /which packages would run$/],
])('a missing lock file is told in words for %s', async (origin, words) => {
  expect((await gaps(react, { run: site, origin }))[0]?.message).toMatch(words);
});

test('the package manager that the manifest asks for is the one that is told', async () => {
  const files = { 'package.json': '{"packageManager":"pnpm@9.1.0","dependencies":{"a":"1"}}' };
  expect((await gaps(files, { run: site }))[0]?.message).toContain('run `pnpm install` and add pnpm-lock.yaml');
});

test.each([
  ['flask==3.1.2', true],
  ['flask == 3.1.2', true],
  ['uvicorn[standard]==0.30.1', true],
  ['flask==3.1.2 ; python_version >= "3.9"', true],
  ['flask==3.1.2 --hash=sha256:abc --hash=sha256:def', true],
  ['flask==3.1.2 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def', true],
  [`flask @ https://example.com/flask.whl#sha256=${'a'.repeat(64)}`, true],
  ['# only a comment\n\n--require-hashes', true],
  ['flask', false],
  ['flask>=3', false],
  ['flask==3.*', false],
  ['flask~=3.1', false],
  ['flask==3.1.2,<4', false],
  ['git+https://example.com/flask.git', false],
  ['flask @ https://example.com/flask.whl', false],
  ['-r other.txt', false],
  ['-e .', false],
  ['flask==3.1.2 \\', false],
])('%j names one version each: %s', async (text, isPinned) => {
  await write({ 'requirements.txt': text });
  expect((await readRequirements(folder))?.loose).toEqual(
    isPinned ? [] : [{ line: 1, text: expect.stringContaining(text.trim().slice(0, 5)) }],
  );
});

test('a list that was built to keep us busy is read in no time', async () => {
  await write({ 'requirements.txt': 'a\\\n'.repeat(200_000) });
  const from = performance.now();
  expect((await readRequirements(folder))?.loose.length).toBe(1);
  expect(performance.now() - from).toBeLessThan(5_000);
});
