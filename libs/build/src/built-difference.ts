import { excerpt, type GateReason } from '@proviso/gates';
import type { Manifest } from '@proviso/intake';

/** What a person reads of a list; the report has more. */
const namedMax = 5;
const listedMax = 200;

/** The paths in which two builds of the same sources differ, a bounded list of them, and how many there are. */
export interface BuiltDifference {
  readonly count: number;
  readonly paths: readonly string[];
}

/** Compares what two builds made, file by file. */
export function differenceOf(first: Manifest, second: Manifest): BuiltDifference {
  const lines = (manifest: Manifest) =>
    new Map(manifest.files.map((file) => [file.path, `${file.mode} ${file.sha256}`]));
  const [one, other] = [lines(first), lines(second)];
  const paths = [...new Set([...one.keys(), ...other.keys()])]
    .filter((path) => one.get(path) !== other.get(path))
    .sort();
  return { count: paths.length, paths: paths.slice(0, listedMax) };
}

/**
 * A note and no reason to fail: what goes on is the first build, by its digest, and every later gate looks at that one. But
 * nobody can build the same again to check what is running, and a builder should know.
 */
export function differenceReason({ count, paths }: BuiltDifference): GateReason {
  if (count === 0) return { code: 'build_repeats', message: 'two builds of it are the same, byte for byte' };
  const named = paths.slice(0, namedMax).map((path) => excerpt(path, 100));
  const more = count > named.length ? ` and ${count - named.length} more` : '';
  const message = `two builds of it differ in ${named.join(', ')}${more}; times, random names or the order of files get into them; the first one goes on`;
  return { code: 'build_differs', message };
}
