import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Digest, type FolderStore, folderStore } from '@proviso/evidence';
import { freezeFolder } from '@proviso/intake';
import { findIsolation } from '@proviso/isolation';
import type { FakeRegistry } from '@proviso/testkit';
import { type Builder, buildCandidate, type BuildOutcome } from './build-candidate.ts';
import { openPackageCache } from './package-cache.ts';
import { findPackageTools } from './package-tools.ts';

/** Builds prototypes of a few files in real sandboxes, from a registry of the test's own. For tests. */
export interface BuildBench {
  readonly evidence: FolderStore;
  readonly cacheFolder: string;
  readonly build: (prototype: Prototype, over?: BuildOver) => Promise<BuildOutcome>;
  /** The text of a document of an outcome. */
  readonly read: (outcome: BuildOutcome, kind: string) => Promise<string>;
  /** The paths of what was built. */
  readonly paths: (outcome: BuildOutcome) => Promise<readonly string[]>;
  readonly clear: () => Promise<void>;
}

/** The files of a prototype, and what its contract says about building and running. */
export interface Prototype {
  readonly files: Readonly<Record<string, string>>;
  readonly build?: object;
  readonly run?: object;
}

/** What differs for one build. */
export interface BuildOver {
  readonly signal?: AbortSignal;
  readonly builder?: Partial<Builder>;
  readonly earlier?: Digest | null;
}

const contract = {
  prototype: 'desk',
  owner: 'Olga Operator',
  requirements: { users: 20, dataClass: 'internal' },
  probes: { health: '/healthz' },
  evaluation: { cases: 'cases.yaml' },
  objective: { errorRateMax: 0.05 },
};

/** Opens a bench; packages come from the fake and from nowhere else. */
export async function openBuildBench(registry: FakeRegistry): Promise<BuildBench> {
  const root = await mkdtemp(join(tmpdir(), 'proviso-build-'));
  const evidence = folderStore(join(root, 'evidence'));
  const cacheFolder = join(root, 'cache');
  const builder: Builder = {
    isolation: await findIsolation(),
    tools: await findPackageTools(process.env.PATH ?? ''),
    cache: openPackageCache(cacheFolder, { bytesMax: 10_000_000, now: Date.now }),
    registries: { npm: registry.npm, pypi: registry.pypi, certificates: null },
    origin: 'local/test',
  };
  let builds = 0;
  const text = async (digest: string): Promise<string> => new TextDecoder().decode(await evidence.get(digest));
  return {
    evidence,
    cacheFolder,
    build: async ({ files, build, run }, over = {}) => {
      builds += 1;
      const folder = join(root, `prototype-${builds}`);
      const said = { ...contract, run: run ?? { kind: 'node', start: ['server.js'] }, ...(build && { build }) };
      // JSON is YAML.
      await writeAll(folder, { 'proviso.yaml': JSON.stringify(said, null, 1), ...files });
      const frozen = await freezeFolder(folder, { store: evidence, tempFolder: root });
      if (frozen.kind !== 'frozen') throw new Error(`expected a frozen prototype, got ${frozen.code}`);
      const scratchFolder = join(root, `scratch-${builds}`);
      await mkdir(scratchFolder);
      const input = { folder, source: frozen.artifactDigest, earlier: over.earlier ?? null, scratchFolder };
      const signal = over.signal ?? new AbortController().signal;
      const ports = { evidence, builder: { ...builder, ...over.builder }, now: Date.now, signal };
      return await buildCandidate({ ...input, invocation: `test/${builds}` }, ports);
    },
    read: async ({ evidence: refs }, kind) => {
      const found = refs.find((each) => each.kind === kind);
      if (found === undefined) throw new Error(`expected a ${kind}`);
      return await text(found.digest);
    },
    paths: async ({ built }) => {
      const { files } = JSON.parse(await text(built?.artifact ?? '')) as { files: readonly { path: string }[] };
      return files.map(({ path }) => path);
    },
    clear: async () => await rm(root, { recursive: true, force: true }),
  };
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}
