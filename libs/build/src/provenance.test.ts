import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeRegistry, startFakeRegistry } from '@proviso/testkit';
import { type BuildBench, openBuildBench } from './build-bench.contract.ts';
import { lockedPackages } from './locked-packages.ts';
import { provenanceOf } from './provenance.ts';
import { breachesOf } from './provenance-rules.contract.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const facts = {
  ...{ prototype: 'desk', artifact: digest('a'), source: digest('b') },
  build: {
    install: 'auto' as const,
    ...{ command: ['npm', 'run', 'build'], output: 'dist', scripts: false, within: 60_000, memoryMbMax: 512 },
    variables: { VITE_TITLE: 'Desk', VITE_ADDRESS: 'https://desk.example' },
  },
  locks: [{ file: 'package-lock.json', digest: digest('c') }],
  packages: [{ uri: 'pkg:npm/%40scope/greet@1.0.0', digest: { sha512: 'd'.repeat(128) } }],
  archives: [digest('e')],
  builder: { origin: 'local/Olga’s laptop', isolation: 'bubblewrap', versions: { npm: '11.0.0', platform: 'linux' } },
  ...{ invocation: 'prm_1/build/1', startedAt: Date.UTC(2026, 0, 1), finishedAt: Date.UTC(2026, 0, 1, 0, 1) },
};

interface Statement {
  _type: unknown;
  subject: Record<string, unknown>[];
  predicateType: unknown;
  predicate: {
    buildDefinition: {
      buildType: unknown;
      externalParameters: Record<string, unknown>;
      internalParameters: Record<string, unknown>;
      resolvedDependencies: { name?: string; uri?: unknown; digest?: Record<string, string> }[];
    };
    runDetails: { builder: Record<string, unknown>; metadata: Record<string, unknown> };
  };
}

/** As a verifier would get it. */
const statement = (): Statement => JSON.parse(JSON.stringify(provenanceOf(facts)));

describe('the provenance of a build', () => {
  it('keeps every published rule of its statement and its predicate', () => {
    expect(breachesOf(statement())).toEqual([]);
  });

  it('says the names of variables and never their values, and no parameter twice', () => {
    const { externalParameters } = statement().predicate.buildDefinition;
    expect(externalParameters).toEqual({
      source: `urn:proviso:${digest('b')}`,
      build: {
        ...{ install: 'auto', command: ['npm', 'run', 'build'], output: 'dist', scripts: false },
        variables: ['VITE_ADDRESS', 'VITE_TITLE'],
      },
    });
    expect(JSON.stringify(statement())).not.toContain('desk.example');
  });

  it('has another builder for another way of isolation, since they protect differently', () => {
    const other = provenanceOf({ ...facts, builder: { ...facts.builder, isolation: 'namespace' } }) as Statement;
    expect(statement().predicate.runDetails.builder['id']).toBe(
      'urn:proviso:builder:local%2FOlga%E2%80%99s%20laptop:bubblewrap',
    );
    expect(other.predicate.runDetails.builder['id']).not.toBe(statement().predicate.runDetails.builder['id']);
  });
});

// Rules that let anything through would prove nothing: each must be seen to refuse.
it.each<[string, (told: Statement) => void]>([
  ['_type', (told) => (told._type = 'https://in-toto.io/Statement/v0.1')],
  ['predicateType', (told) => (told.predicateType = 'https://slsa.dev/provenance/v0.2')],
  ['subject', (told) => (told.subject = [])],
  ['subject[0].digest', (told) => (told.subject = [{ name: 'desk', uri: 'urn:desk' }])],
  ['subject[0].digest.sha256', (told) => (told.subject = [{ digest: { sha256: 'A'.repeat(64) } }])],
  ['subject names', (told) => told.subject.push({ ...told.subject[0] })],
  ['buildType', (told) => (told.predicate.buildDefinition.buildType = 'a build')],
  ['names of parameters', (told) => (told.predicate.buildDefinition.internalParameters['source'] = 'x')],
  ['resolvedDependencies[0]', (told) => (told.predicate.buildDefinition.resolvedDependencies[0] = { name: 'x' })],
  [
    'resolvedDependencies[0].uri',
    (told) => (told.predicate.buildDefinition.resolvedDependencies[0] = { uri: 'PKG:x' }),
  ],
  [
    'resolvedDependencies[0].digest.sha512',
    (told) => (told.predicate.buildDefinition.resolvedDependencies[0] = { digest: { sha512: 'z9/=' } }),
  ],
  ['builder.id', (told) => delete told.predicate.runDetails.builder['id']],
  ['builder.version', (told) => (told.predicate.runDetails.builder['version'] = { npm: 11 })],
  ['invocationId', (told) => (told.predicate.runDetails.metadata['invocationId'] = '')],
  ['finishedOn', (told) => (told.predicate.runDetails.metadata['finishedOn'] = '2026-01-01T00:01:00+01:00')],
  ['startedOn before finishedOn', (told) => (told.predicate.runDetails.metadata['startedOn'] = '2027-01-01T00:00:00Z')],
  [': unknown field signer', (told) => Object.assign(told, { signer: 'me' })],
])('the rules refuse a statement for its %s', (place, spoil) => {
  const told = statement();
  spoil(told);
  expect(breachesOf(told)).toContain(place);
});

describe('of a real build', () => {
  let registry: FakeRegistry;
  let bench: BuildBench;
  beforeAll(async () => {
    const files = { 'index.js': "module.exports = 'well'\n" };
    const npm = ['greet', 'unused'].map((name) => ({ name, version: '1.0.0', files }));
    registry = await startFakeRegistry(npm, [{ name: 'answers', version: '1.0', module: 'answer = 42\n' }]);
    bench = await openBuildBench(registry);
  }, 30_000);
  afterAll(async () => {
    await bench.clear();
    await registry.close();
  });

  it('names what was made, what it was made from, and every locked package with its integrity', async () => {
    const entries = ['greet', 'unused'].map((name) => [name, registry.lockEntry(name)] as const);
    const dependencies = Object.fromEntries(entries.map(([name, { version }]) => [name, version]));
    const manifest = { name: 'desk', version: '1.0.0', dependencies };
    const packages = { '': manifest, ...Object.fromEntries(entries.map(([name, at]) => [`node_modules/${name}`, at])) };
    const lock = JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages });
    const requirements = `answers==1.0 --hash=sha256:${registry.hashOf('answers')}\n`;
    const outcome = await bench.build({
      files: { 'package.json': JSON.stringify(manifest), 'package-lock.json': lock, 'requirements.txt': requirements },
      build: {},
    });
    expect(outcome.verdict).toBe('pass');
    const told: Statement = JSON.parse(await bench.read(outcome, 'provenance'));
    expect(breachesOf(told)).toEqual([]);
    expect(told.subject).toEqual([{ name: 'desk', digest: { sha256: outcome.built?.artifact.slice(7) } }]);
    const { resolvedDependencies: from } = told.predicate.buildDefinition;
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const lockDigest = sha256(lock);
    expect(from).toContainEqual({
      ...{ name: 'package-lock.json', uri: `urn:proviso:sha256:${lockDigest}`, digest: { sha256: lockDigest } },
    });
    for (const [name, { integrity }] of entries) {
      const sha512 = Buffer.from(String(integrity).replace('sha512-', ''), 'base64').toString('hex');
      expect(from).toContainEqual({ uri: `pkg:npm/${name}@1.0.0`, digest: { sha512 } });
    }
    expect(from).toContainEqual({ uri: 'pkg:pypi/answers@1.0', digest: { sha256: registry.hashOf('answers') } });
    expect(from.filter(({ name }) => name === 'packages')).toHaveLength(2);
    expect(from.filter(({ name }) => name === 'source')).toHaveLength(1);
    expect(told.predicate.runDetails.metadata['invocationId']).toMatch(/^test\//);
  }, 60_000);
});

describe('the packages of a lock file', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proviso-locked-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const sha512 = `sha512-${Buffer.alloc(64, 7).toString('base64')}`;
  const hex = Buffer.alloc(64, 7).toString('hex');
  const locked = async (installer: 'npm' | 'pip', text: string) => {
    const lockFile = installer === 'npm' ? 'package-lock.json' : 'requirements.txt';
    await writeFile(join(folder, lockFile), text);
    return await lockedPackages(folder, { installer, lockFile, inputs: [lockFile], prunes: false });
  };

  it('of npm are all that it installs, by their own names, once each, with every digest', async () => {
    const packages = {
      '': { version: '1.0.0' },
      'packages/own': { version: '1.0.0' },
      'node_modules/own': { link: true },
      'node_modules/@scope/greet': {
        version: '1.0.0',
        integrity: `${sha512} sha1-${Buffer.alloc(20, 1).toString('base64')}`,
      },
      'node_modules/nick': { name: 'real', version: '2.0.0+build', integrity: sha512 },
      'node_modules/nick/node_modules/@scope/greet': { version: '1.0.0' },
      'node_modules/bundled': { version: '3.0.0', inBundle: true },
    };
    expect(await locked('npm', JSON.stringify({ packages }))).toEqual([
      { uri: 'pkg:npm/%40scope/greet@1.0.0', digest: { sha512: hex, sha1: '01'.repeat(20) } },
      { uri: 'pkg:npm/bundled@3.0.0', digest: {} },
      { uri: 'pkg:npm/real@2.0.0%2Bbuild', digest: { sha512: hex } },
    ]);
  });

  it('of an older npm are found as deep as they are nested', async () => {
    const inner = { '@scope/inner': { version: '1.0.0', integrity: sha512 } };
    const dependencies = {
      outer: { version: '2.0.0', integrity: sha512, dependencies: inner },
      nick: { version: 'npm:@scope/real@3.0.0', integrity: sha512 },
    };
    expect(await locked('npm', JSON.stringify({ lockfileVersion: 1, dependencies }))).toEqual([
      { uri: 'pkg:npm/%40scope/inner@1.0.0', digest: { sha512: hex } },
      { uri: 'pkg:npm/%40scope/real@3.0.0', digest: { sha512: hex } },
      { uri: 'pkg:npm/outer@2.0.0', digest: { sha512: hex } },
    ]);
  });

  it('of pip have the name of the index, and a digest where only one file would do', async () => {
    const [one, other] = ['a'.repeat(64), 'b'.repeat(64)];
    const text = `Flask_Login.-X[async]==0.6.3 \\\n  --hash=sha256:${one}\nrich==13.7 --hash=sha256:${one} --hash=sha256:${other}\n# no\n-r more.txt\n`;
    expect(await locked('pip', text)).toEqual([
      { uri: 'pkg:pypi/flask-login-x@0.6.3', digest: { sha256: one } },
      { uri: 'pkg:pypi/rich@13.7', digest: {} },
    ]);
  });

  it.each(['', '[]', '{"packages": []}', '{"packages": {"node_modules/a": null}}', '{"dependencies": "none"}', '{'])(
    'are none when the file is %j',
    async (text) => {
      expect(await locked('npm', text)).toEqual([]);
    },
  );
});
