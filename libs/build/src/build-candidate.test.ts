import { findIsolation } from '@proviso/isolation';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FakeRegistry, startFakeRegistry } from '@proviso/testkit';
import { type BuildBench, openBuildBench, type Prototype } from './build-bench.contract.ts';

// Real sandboxes, the real npm and pip; only the registry is ours.

let registry: FakeRegistry;
let bench: BuildBench;

beforeAll(async () => {
  registry = await startFakeRegistry(
    [
      { name: 'greet', version: '1.0.0', files: { 'index.js': "module.exports = 'well'\n" } },
      {
        name: 'bundle',
        version: '2.0.0',
        files: {
          'cli.js':
            "#!/usr/bin/env node\nrequire('fs').mkdirSync('dist'); require('fs').writeFileSync('dist/index.html', require('greet'))\n",
        },
        bin: { bundle: 'cli.js' },
      },
      {
        name: 'eager',
        version: '1.0.0',
        files: { 'index.js': '', 'install.js': "require('fs').writeFileSync('ran.txt', 'ran')\n" },
        scripts: { install: 'node install.js' },
      },
    ],
    [{ name: 'answers', version: '1.0', module: 'answer = 42\n' }],
  );
  bench = await openBuildBench(registry);
}, 30_000);

afterAll(async () => {
  await bench.clear();
  await registry.close();
});

/** A package.json with its lock file, as `npm install` writes them. */
function npmFiles(dependencies: readonly string[], devDependencies: readonly string[] = [], scripts = {}) {
  const versionsOf = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, registry.lockEntry(name).version]));
  const manifest = {
    ...{ name: 'desk', version: '1.0.0', scripts },
    ...{ dependencies: versionsOf(dependencies), devDependencies: versionsOf(devDependencies) },
  };
  const entry = (name: string) => [
    `node_modules/${name}`,
    { ...registry.lockEntry(name), ...(devDependencies.includes(name) && { dev: true }) },
  ];
  const packages = { '': manifest, ...Object.fromEntries([...dependencies, ...devDependencies].map(entry)) };
  const lock = { name: 'desk', version: '1.0.0', lockfileVersion: 3, requires: true, packages };
  return { 'package.json': JSON.stringify(manifest), 'package-lock.json': JSON.stringify(lock) };
}

const site = (files: Readonly<Record<string, string>> = {}): Prototype => ({
  files: { ...npmFiles(['greet'], ['bundle'], { build: 'bundle' }), 'src/page.js': '', ...files },
  build: { command: ['npm', 'run', 'build'], output: 'dist' },
  run: { kind: 'static' },
});
const codes = ({ reasons }: { readonly reasons: readonly { readonly code: string }[] }) =>
  reasons.map(({ code }) => code);
/** A build that runs one script of Node. */
const scripted = (text: string, build: object = {}): Prototype => ({
  files: { 'make.mjs': text },
  build: { command: ['node', 'make.mjs'], ...build },
});

test('a site is its output folder at its path, the same from both builds', async () => {
  const outcome = await bench.build(site());
  expect(outcome).toMatchObject({ verdict: 'pass', reasons: [{ code: 'built' }, { code: 'build_repeats' }] });
  expect(await bench.paths(outcome)).toEqual(['dist/index.html']);
  expect(await bench.read(outcome, 'build_log')).toContain('== second build');
}, 60_000);

test('a server has its packages with it, without those that only building needs and without any link', async () => {
  const outcome = await bench.build({
    files: { ...npmFiles(['greet'], ['bundle']), 'server.js': "require('greet')\n" },
    build: { command: ['bundle'] },
  });
  expect(outcome.verdict).toBe('pass');
  const paths = await bench.paths(outcome);
  expect(paths).toContain('node_modules/greet/index.js');
  expect(paths).toContain('dist/index.html');
  expect(paths.filter((path) => /bundle|\.bin|package-lock\.json$/.test(path))).toEqual(['package-lock.json']);
}, 60_000);

test('packages are fetched once for a lock file, and bytes that were tampered with are fetched again', async () => {
  const prototype = site({ 'src/page.js': '// another version\n' });
  await bench.build(prototype);
  const before = registry.requests.length;
  expect((await bench.build(prototype)).verdict).toBe('pass');
  expect(registry.requests.length).toBe(before);
  for (const name of await readdir(bench.cacheFolder)) {
    const path = join(bench.cacheFolder, name);
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('planted')]));
  }
  expect((await bench.build(prototype)).verdict).toBe('pass');
  expect(registry.requests.length).toBeGreaterThan(before);
}, 60_000);

test('packages run no scripts of their own unless the contract asks for them', async () => {
  const files = npmFiles(['eager']);
  const silent = await bench.build({ files, build: {} });
  expect(await bench.paths(silent)).not.toContain('node_modules/eager/ran.txt');
  const asked = await bench.build({ files, build: { scripts: true } });
  expect(await bench.paths(asked)).toContain('node_modules/eager/ran.txt');
}, 60_000);

test('python packages are installed beside the prototype, by their hashes', async () => {
  const requirements = `answers==1.0 --hash=sha256:${registry.hashOf('answers')}\n`;
  const files = { 'requirements.txt': requirements, 'app.py': 'import answers\n' };
  const outcome = await bench.build({ files, build: {}, run: { kind: 'python', start: ['app.py'] } });
  expect(outcome).toMatchObject({ verdict: 'pass' });
  expect(await bench.paths(outcome)).toContain('python_packages/answers.py');
  const wrong = { ...files, 'requirements.txt': requirements.replace(/[0-9a-f]{8}\n/, '00000000\n') };
  const refused = await bench.build({ files: wrong, build: {}, run: { kind: 'python', start: ['app.py'] } });
  expect(refused).toMatchObject({ verdict: 'fail', reasons: [{ code: 'packages_not_installed' }] });
}, 60_000);

test('what differs between two builds is named, and the first one goes on', async () => {
  const outcome = await bench.build(
    scripted(
      "import fs from 'node:fs'; fs.writeFileSync('stamp.txt', String(process.hrtime.bigint())); fs.writeFileSync('same.txt', 'same')",
    ),
  );
  expect(outcome.verdict).toBe('pass');
  expect(outcome.reasons[1]).toMatchObject({ code: 'build_differs', message: expect.stringContaining('stamp.txt;') });
  const again = await bench.build(scripted("import fs from 'node:fs'; fs.writeFileSync('same.txt', 'other')"), {
    earlier: outcome.built?.artifact ?? null,
  });
  expect(again.reasons[1]?.message).toMatch(/make\.mjs, same\.txt, stamp\.txt/);
}, 60_000);

test('nothing to build is a pass with evidence that says so', async () => {
  const outcome = await bench.build({ files: { 'server.js': '' } });
  expect(outcome).toMatchObject({ verdict: 'pass', reasons: [{ code: 'nothing_to_build' }] });
  expect(JSON.parse(await bench.read(outcome, 'build_report'))).toMatchObject({
    artifact: outcome.built?.artifact,
    sizeBytes: outcome.built?.sizeBytes,
  });
  expect(await bench.paths(outcome)).toEqual(['proviso.yaml', 'server.js']);
});

test.each<[string, Readonly<Record<string, string>>, string, RegExp]>([
  ['no lock file', { 'package.json': '{"dependencies":{"greet":"1.0.0"}}' }, 'lock_file_missing', /run `npm install`/],
  [
    'the lock file of pnpm',
    { 'package.json': '{"dependencies":{"greet":"1.0.0"}}', 'pnpm-lock.yaml': '' },
    'package_manager_missing',
    /not pnpm/,
  ],
  ['the lock file of uv', { 'uv.lock': '' }, 'package_manager_missing', /requirements\.txt/],
])('%s is a finding with its fix', async (_what, files, code, fix) => {
  const outcome = await bench.build({ files, build: {} });
  expect(outcome).toMatchObject({ verdict: 'fail', built: null, reasons: [{ code }] });
  expect(outcome.reasons[0]?.message).toMatch(fix);
});

test('a lock file that does not fit is a no with the words of npm', async () => {
  const files = npmFiles(['greet']);
  const manifest = JSON.stringify({
    ...JSON.parse(files['package.json']),
    dependencies: { greet: '1.0.0', bundle: '2.0.0' },
  });
  const outcome = await bench.build({ files: { ...files, 'package.json': manifest }, build: {} });
  expect(outcome).toMatchObject({
    verdict: 'fail',
    reasons: [{ code: 'packages_not_installed', file: 'package-lock.json' }],
  });
  expect(outcome.reasons[0]?.message).toContain('try `npm ci`');
}, 60_000);

test('a package from elsewhere is a no that names the place', async () => {
  const files = npmFiles(['greet']);
  const lock = files['package-lock.json'].replace(
    '"version":"1.0.0","integrity"',
    '"resolved":"git+https://elsewhere.example/greet.git#0123456789012345678901234567890123456789","version":"1.0.0","integrity"',
  );
  const outcome = await bench.build({ files: { ...files, 'package-lock.json': lock }, build: {} });
  expect(outcome).toMatchObject({ verdict: 'fail', reasons: [{ code: 'packages_not_installed' }] });
}, 60_000);

test('a registry that is away is a breakage, never a no', async () => {
  registry.setBroken(503);
  const files = { ...npmFiles(['greet']), '.npmrc': 'fetch-retries=0\n' };
  const built = bench.build({ files, build: {} });
  await expect(built).rejects.toMatchObject({ code: 'registry_away', retryable: true });
  registry.setBroken(undefined);
}, 60_000);

test('a failing command is a no with its last words, and no secret is kept', async () => {
  const secret = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');
  const outcome = await bench.build(
    scripted(`console.log('with ${secret}'); console.error('no page'); process.exit(1)`),
  );
  expect(outcome).toMatchObject({ verdict: 'fail', built: null, reasons: [{ code: 'build_failed' }] });
  expect(outcome.reasons[0]?.message).toContain('no page');
  const log = await bench.read(outcome, 'build_log');
  expect(log + JSON.stringify(outcome.reasons)).not.toContain(secret);
  expect(log).toContain('with [secret removed]');
}, 60_000);

test.each<[string, Prototype, string]>([
  ['takes too long', scripted('setInterval(() => {}, 1000)', { within: '1s' }), 'build_timed_out'],
  [
    'leaves nothing where it says',
    { ...scripted(''), build: { command: ['true'], output: 'dist' }, run: { kind: 'static' } },
    'output_missing',
  ],
  ['leaves a link', scripted("import fs from 'node:fs'; fs.symlinkSync('/etc/passwd', 'link')"), 'output_refused'],
  [
    'leaves more than is kept',
    scripted("import fs from 'node:fs'; for (let n = 0; n < 8; n++) fs.writeFileSync('big' + n, Buffer.alloc(49e6))"),
    'output_refused',
  ],
])(
  'a build that %s is a no with that reason',
  async (_what, prototype, code) => {
    expect(codes(await bench.build(prototype))).toEqual([code]);
  },
  90_000,
);

// What it may take is said as it is. Where it is counted as a whole its files, which lie in memory, count too, and what
// they leave its processes may take; else each process is counted for itself, with what Node reserves and never takes.
test.each([
  ['the strongest limits of this machine', {}],
  ['limits of each process alone', { limits: 'rlimit' }],
] as const)(
  'a build that eats memory is ended where its reason says, by %s',
  async (_what, wish) => {
    const isolation = await findIsolation(wish);
    const eats = `import fs from 'node:fs';
      const some = () => Buffer.alloc(32 * 1024 * 1024, 1);
      for (let n = 0; n < 8; n += 1) fs.appendFileSync('kept.bin', some());
      const kept = [];
      for (let taken = 0; ; taken += 32) { fs.writeSync(2, 'taken ' + taken + '\\n'); kept.push(some()); }`;
    const outcome = await bench.build(scripted(eats, { memoryMbMax: 128 }), { builder: { isolation } });
    expect(codes(outcome)).toEqual(['build_out_of_memory']);
    const [said] = outcome.reasons;
    expect(said?.message).toContain('128 MB by build.memoryMbMax, and 2048 MB for its files');
    const told = (await bench.read(outcome, 'build_log')).matchAll(/taken (\d+)/g);
    const taken = Math.max(...[...told].map(([, mebibytes]) => Number(mebibytes)));
    // The file counts where all is counted together, and Node takes a little for itself.
    const counted = isolation.limits === 'rlimit' ? taken : taken + 256;
    const most = isolation.limits === 'rlimit' ? 128 + 576 : 128 + 2_048;
    expect(counted).toBeLessThan(most + 32);
    expect(counted).toBeGreaterThan(most === 128 + 576 ? 32 : most - 256);
  },
  90_000,
);

test('a build has no network, and nothing of our environment', async () => {
  process.env.PROVISO_TEST_PLANTED = 'planted';
  const { port } = new URL(registry.npm);
  const outcome = await bench.build(
    scripted(
      `import fs from 'node:fs';
      const reached = await fetch('http://127.0.0.1:${port}/').then(() => 'reached', () => 'alone');
      fs.writeFileSync('seen.json', JSON.stringify([reached, process.env.TITLE, process.env.PROVISO_TEST_PLANTED ?? null]));`,
      { variables: { TITLE: 'Desk' } },
    ),
  );
  const report = JSON.parse(new TextDecoder().decode(await bench.evidence.get(outcome.built?.artifact ?? '')));
  const seen = report.files.find(({ path }: { path: string }) => path === 'seen.json');
  const text = new TextDecoder().decode(await bench.evidence.get(`sha256:${seen.sha256}`));
  expect(JSON.parse(text)).toEqual(['alone', 'Desk', null]);
}, 60_000);

test('a build that nobody waits for any more ends at once', async () => {
  const over = new AbortController();
  const built = bench.build(scripted('setInterval(() => {}, 1000)', { within: '10m' }), { signal: over.signal });
  over.abort(new Error('nobody waits'));
  await expect(built).rejects.toThrow('nobody waits');
}, 30_000);

test('a machine that cannot isolate builds nothing and says why', async () => {
  const isolation = { way: 'none', limits: 'rlimit', why: 'no namespaces', toolchain: null } as const;
  const outcome = await bench.build(scripted(''), { builder: { isolation } });
  expect(outcome).toMatchObject({ verdict: 'inconclusive', built: null, reasons: [{ code: 'build_not_isolated' }] });
});
