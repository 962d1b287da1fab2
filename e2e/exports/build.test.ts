import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOutcome, buildCandidate, findPackageTools, openPackageCache } from '@proviso/build';
import { type FolderStore, folderStore } from '@proviso/evidence';
import { freezeFolder, readFrozen } from '@proviso/intake';
import { findIsolation } from '@proviso/isolation';
import { ownRegistries } from '../../apps/cli/src/registries.ts';
import { openDoors, registered } from '../journey.ts';
import { projectRoot } from '../project-root.ts';
import { openStage } from '../stage.ts';
import { initialised, registryMissing } from './outcomes.ts';

// What a generator exports, with the contract that `init` writes, through the real build gate. Packages come from the
// registry that npm is configured with: without one that answers the first test fails and says so.

const folder = mkdtempSync(join(tmpdir(), 'proviso-export-'));
/** A registry that nobody is at. */
const nowhere = 'http://127.0.0.1:9/';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const folderOf = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};

/** Builds on a worker that has nothing from before: no packages, and no earlier build to compare with. */
async function builtAnew(copy: string, store: FolderStore, name: string): Promise<BuildOutcome> {
  const tempFolder = folderOf(name);
  const frozen = await freezeFolder(copy, { store, tempFolder });
  if (frozen.kind !== 'frozen') throw new Error(`expected a frozen export, got ${frozen.code}`);
  const { PROVISO_NPM_REGISTRY: npm, PROVISO_REGISTRY_CERTIFICATES: certificates } = await ownRegistries(process.env);
  if (npm === undefined) throw new Error('expected npm to say where its registry is, got nothing');
  const builder = {
    isolation: await findIsolation(),
    tools: await findPackageTools(process.env['PATH'] ?? ''),
    cache: openPackageCache(join(tempFolder, 'packages'), { bytesMax: 500_000_000, now: Date.now }),
    registries: { npm, pypi: nowhere, certificates: certificates ?? null },
    origin: 'e2e',
  };
  const scratchFolder = folderOf(`${name}-scratch`);
  const input = { folder: copy, source: frozen.artifactDigest, earlier: null, scratchFolder, invocation: name };
  // Packages that do not come are a breakage with a code long before this.
  const signal = AbortSignal.timeout(buildMsMax);
  return await buildCandidate(input, { evidence: store, builder, now: Date.now, signal });
}

/** Alone it takes ten seconds; other tests may keep both cores busy meanwhile. */
const buildMsMax = 240_000;

it(
  'an export of vite is built to the same static files wherever and whenever it is built',
  async () => {
    const missing = await registryMissing(projectRoot);
    if (missing !== null) throw new Error(missing);
    const { copy } = await initialised({ projectRoot, folder: folderOf('here') }, 'vite-react');
    const store = folderStore(join(folder, 'evidence'));
    const outcomes = [await builtAnew(copy, store, 'first'), await builtAnew(copy, store, 'second')];
    for (const { verdict, reasons } of outcomes) {
      expect([verdict, ...reasons.map(({ code }) => code)]).toEqual(['pass', 'built', 'build_repeats']);
    }
    const [first, second] = outcomes.map(({ built }) => built?.artifact);
    expect(second).toBe(first);
    const { files } = await readFrozen(store, first ?? '');
    const paths = files.map(({ path }) => path.replace(/-[\w-]{8}\./, '-<hash>.'));
    expect(paths).toEqual(
      expect.arrayContaining(['dist/assets/index-<hash>.css', 'dist/assets/index-<hash>.js', 'dist/index.html']),
    );
    expect(paths.filter((path) => !path.startsWith('dist/'))).toEqual([]);
  },
  2 * buildMsMax + 60_000,
);

const policy = `policy: building
environment: production
gates:
  - gate: readiness
  - gate: build
    attemptsMax: 2
`;

it('a registry that nobody is at is no fault of the prototype: the build cannot tell, by name, and scripts see it', async () => {
  const stageFolder = folderOf('stage');
  const { copy, name } = await initialised({ projectRoot, folder: stageFolder }, 'vite-react');
  // The bound of npm's own patience is minutes.
  writeFileSync(join(copy, '.npmrc'), 'fetch-retries=0\n');
  const workerEnvironment = { PROVISO_NPM_REGISTRY: nowhere };
  const stage = await openStage({ codeRoot: projectRoot, projectRoot, folder: stageFolder, policy, workerEnvironment });
  try {
    await registered(openDoors({ stage, ledger: [] }), name, false);
    const { token } = stage.cast.people.bea;
    const words = ['promote', copy, '--policy', 'building', '--wait'];
    const { code, text } = await proviso(words, { PROVISO_URL: stage.apiUrl, PROVISO_TOKEN: token });
    expect(text).toContain('the build check broke 2 times, so nothing could be told: registry_away');
    // Not 0, and not the 2 of a person who stopped it: nothing passed.
    expect(code).toBe(1);
  } finally {
    await stage.close();
  }
}, 240_000);

it('the run of all exports knows within seconds that it cannot be', async () => {
  const environment = { ...process.env, npm_config_registry: nowhere };
  expect(await registryMissing(projectRoot, environment)).toBe(
    'expected a package registry that answers, got none: no export can be built here',
  );
}, 30_000);

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

async function proviso(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  return await new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const child = execFile(
      process.execPath,
      ['apps/cli/src/main.ts', ...words],
      { cwd: projectRoot, env, timeout: 180_000 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, text: stdout + stderr }),
    );
  });
}
