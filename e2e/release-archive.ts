import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { packed } from './candidate.ts';

/** How a version of a prototype is made out of an example. */
export interface VersionOrder {
  readonly exampleFolder: string;
  /** The prototype's name: the product must not care what a folder was called. */
  readonly name: string;
  readonly version: string;
}

/** A laxer promise than the example's needs fewer visitors to be judged; the judge is the same. */
const errorRateMax = 0.1;

/** The example as an archive under another name. */
export function archiveOf(order: VersionOrder): Uint8Array<ArrayBuffer> {
  return packed(filesOf(order));
}

/** The example's files under another name; the version is a file of its own, so that each has its own digest. */
export function filesOf({ exampleFolder, name, version }: VersionOrder): Readonly<Record<string, string | Buffer>> {
  const files = pathsIn(exampleFolder).map((path) => [relative(exampleFolder, path), contentOf(path, name)] as const);
  return { ...Object.fromEntries(files), VERSION: `${version}\n` };
}

/** A folder as it is. */
export function archiveOfFolder(folder: string): Uint8Array<ArrayBuffer> {
  return packed(Object.fromEntries(pathsIn(folder).map((path) => [relative(folder, path), readFileSync(path)])));
}

function pathsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function contentOf(path: string, name: string): Buffer {
  const bytes = readFileSync(path);
  if (!path.endsWith('/proviso.yaml')) return bytes;
  const contract = bytes
    .toString('utf8')
    .replace(/^prototype: .*$/m, `prototype: ${name}`)
    .replace(/errorRateMax: .*/, `errorRateMax: ${errorRateMax}`);
  return Buffer.from(contract);
}
