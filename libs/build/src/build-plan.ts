import type { Contract } from '@proviso/domain';
import { type GateReason, listFiles, readPackageManifest, readRequirements } from '@proviso/gates';

/** Who installs the packages of a prototype. */
export type Installer = 'npm' | 'pip';

/** Packages to install: by whom, pinned where, and every file that says something about it. */
export interface PackageOrder {
  readonly installer: Installer;
  readonly lockFile: string;
  /** All that the installer is shown of the prototype; what it leaves is kept under the digest of exactly these. */
  readonly inputs: readonly string[];
  /** npm has installed packages that only building needs. */
  readonly prunes: boolean;
}

/** What a build does, nothing left to guess. */
export interface BuildWork {
  readonly packages: readonly PackageOrder[];
  readonly command: readonly string[] | null;
  readonly variables: Readonly<Record<string, string>>;
  /** Whether packages may run scripts of their own. */
  readonly scripts: boolean;
  /** The folder that is the result; null for everything that is needed to run. */
  readonly output: string | null;
  readonly withinMs: number;
  readonly memoryMbMax: number;
}

/** What a candidate needs before it can run. */
export type BuildPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'blocked'; readonly reasons: readonly GateReason[] }
  | { readonly kind: 'work'; readonly work: BuildWork };

/** Lock files of package managers that are not on our toolchain, and how a builder gets one that is. */
const foreignLocks = [
  { file: 'pnpm-lock.yaml', manager: 'pnpm' },
  { file: 'yarn.lock', manager: 'yarn' },
  { file: 'bun.lock', manager: 'bun' },
  { file: 'bun.lockb', manager: 'bun' },
] as const;
const npmLocks = ['npm-shrinkwrap.json', 'package-lock.json'] as const;

/** Reads from the contract and the files what is to be done, or what is in the way. */
export async function planBuild(folder: string, contract: Contract): Promise<BuildPlan> {
  const { build, run } = contract;
  if (build === undefined) return { kind: 'nothing' };
  const orders = build.install === 'none' ? [] : [await npmOrder(folder, run.kind), await pipOrder(folder)];
  const reasons = orders.flatMap((order) => (order !== null && 'code' in order ? [order] : []));
  if (reasons.length > 0) return { kind: 'blocked', reasons };
  const packages = orders.flatMap((order) => (order === null || 'code' in order ? [] : [order]));
  const { command, variables, scripts, memoryMbMax } = build;
  if (packages.length === 0 && command === undefined) return { kind: 'nothing' };
  const output = run.kind === 'static' ? (run.root ?? build.output) : null;
  const work = { packages, command: command ?? null, variables, scripts, memoryMbMax, withinMs: build.within, output };
  return { kind: 'work', work };
}

async function npmOrder(folder: string, kind: Contract['run']['kind']): Promise<PackageOrder | GateReason | null> {
  const found = await readPackageManifest(folder);
  if (found.kind === 'none') return null;
  if (found.kind === 'unreadable') {
    const message = 'package.json is no JSON that npm could read; mend it';
    return { code: 'packages_unreadable', message, file: 'package.json' };
  }
  const { paths } = await listFiles(folder);
  const lockFile = npmLocks.find((file) => paths.includes(file));
  const { dependencies, devDependencies } = found.manifest;
  if (lockFile === undefined && dependencies.length + devDependencies.length === 0) return null;
  if (lockFile === undefined) return lockReason(paths);
  const manifests = paths.filter((path) => path === '.npmrc' || /(^|\/)package\.json$/.test(path));
  const inputs = [...manifests, lockFile].sort();
  // What is served has no packages in it, so none has to be taken out again.
  return { installer: 'npm', lockFile, inputs, prunes: kind !== 'static' && devDependencies.length > 0 };
}

function lockReason(paths: readonly string[]): GateReason {
  const foreign = foreignLocks.find(({ file }) => paths.includes(file));
  if (foreign === undefined) {
    const message =
      'package.json names packages and no lock file pins them; run `npm install` and add package-lock.json to the prototype';
    return { code: 'lock_file_missing', message, file: 'package.json' };
  }
  const { file, manager } = foreign;
  const message = `packages are pinned by ${file}, and builds here have npm, not ${manager}; run \`npm install\` and add package-lock.json to the prototype`;
  return { code: 'package_manager_missing', message, file };
}

async function pipOrder(folder: string): Promise<PackageOrder | GateReason | null> {
  const found = await readRequirements(folder);
  if (found === null) {
    const { paths } = await listFiles(folder);
    const other = ['poetry.lock', 'uv.lock', 'Pipfile.lock'].find((file) => paths.includes(file));
    if (other === undefined) return null;
    const message = `packages are pinned by ${other}, and builds here have pip; write them to requirements.txt, with hashes where you can, and add it to the prototype`;
    return { code: 'package_manager_missing', message, file: other };
  }
  if (found.names.length === 0 && found.loose.length === 0) return null;
  const file = 'requirements.txt';
  return { installer: 'pip', lockFile: file, inputs: [file], prunes: false };
}
