import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageOrder } from './build-plan.ts';

/** One package as the lock file pins it. */
export interface LockedPackage {
  /** A package address as SBOMs have it. */
  readonly uri: string;
  /** Digests by algorithm, in hexadecimal; empty where the lock file has none. */
  readonly digest: Readonly<Record<string, string>>;
}

/** More than a prototype ever has; a longer lock file is cut, and the provenance says so by its lock file's digest. */
const packagesMax = 5_000;

/** The packages of a lock file with what must come out of them. A lock file that cannot be read has none. */
export async function lockedPackages(source: string, order: PackageOrder): Promise<readonly LockedPackage[]> {
  const text = await readFile(join(source, order.lockFile), 'utf8');
  const found = order.installer === 'npm' ? npmPackages(text) : pipPackages(text);
  const byUri = new Map<string, LockedPackage>();
  // The same package may lie in several places; what any of them pins is pinned.
  for (const { uri, digest } of found) byUri.set(uri, { uri, digest: { ...byUri.get(uri)?.digest, ...digest } });
  return [...byUri.values()].sort((a, b) => (a.uri < b.uri ? -1 : 1)).slice(0, packagesMax);
}

function npmPackages(text: string): readonly LockedPackage[] {
  const { packages, dependencies } = parsed(text) as Partial<NpmLock>;
  if (packages === undefined) return oldNpmPackages(dependencies, 0);
  return Object.entries(packages).flatMap(([path, entry]) => {
    const folder = path.split('node_modules/').at(-1) ?? '';
    if (entry?.link === true || !path.includes('node_modules/')) return [];
    return npmPackage(typeof entry?.name === 'string' ? entry.name : folder, entry);
  });
}

/** Lock files from before npm 7 nest packages as their folders do; deeper than this nobody has folders. */
const depthMax = 100;

function oldNpmPackages(dependencies: NpmLock['dependencies'] | undefined, depth: number): readonly LockedPackage[] {
  if (depth > depthMax) return [];
  return Object.entries(dependencies ?? {}).flatMap(([name, entry]) => {
    const [, own, version] = /^npm:(@?[^@]+)@(.+)$/.exec(String(entry?.version)) ?? [];
    const found = npmPackage(own ?? name, version === undefined ? entry : { ...entry, version });
    return [...found, ...oldNpmPackages(entry?.dependencies, depth + 1)];
  });
}

function npmPackage(name: string, entry: NpmEntry | undefined): readonly LockedPackage[] {
  if (typeof entry?.version !== 'string') return [];
  const uri = `pkg:npm/${encoded(name)}@${encodeURIComponent(entry.version)}`;
  return [{ uri, digest: typeof entry.integrity === 'string' ? integrityDigests(entry.integrity) : {} }];
}

interface NpmLock {
  readonly packages: Readonly<Record<string, NpmEntry | undefined>>;
  readonly dependencies: Readonly<Record<string, NpmEntry | undefined>>;
}

interface NpmEntry {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly integrity?: unknown;
  readonly link?: unknown;
  readonly dependencies?: NpmLock['dependencies'];
}

/** A scope is the namespace of a package address, and its @ is written out. */
function encoded(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** Subresource integrity: the algorithm and the digest in base64. */
function integrityDigests(integrity: string): Readonly<Record<string, string>> {
  const parts = integrity.split(/\s+/).flatMap((part) => {
    const [, algorithm, base64] = /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/=]+)/.exec(part) ?? [];
    return algorithm === undefined ? [] : [[algorithm, Buffer.from(base64 ?? '', 'base64').toString('hex')] as const];
  });
  return Object.fromEntries(parts);
}

function pipPackages(text: string): readonly LockedPackage[] {
  return text
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .flatMap((line) => {
      const [, name, version] = /^\s*([A-Za-z0-9][\w.-]*)(?:\[[\w,.\s-]*\])?\s*===?\s*([\w.!+-]+)/.exec(line) ?? [];
      if (name === undefined || version === undefined) return [];
      const uri = `pkg:pypi/${name.toLowerCase().replaceAll(/[-_.]+/g, '-')}@${encodeURIComponent(version)}`;
      // Each hash is of one file that would do; which one came depends on the platform.
      const hashes = [...line.matchAll(/--hash[=\s]sha256:([0-9a-f]{64})/g)].map(([, hash]) => hash ?? '');
      const [only] = hashes;
      return [{ uri, digest: hashes.length === 1 && only !== undefined ? { sha256: only } : {} }];
    });
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // The installer has said already that it cannot read it.
    return {};
  }
}
