import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One exact replacement in one file. */
export interface Patch {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

const rooms = ['apps', 'libs'];

/**
 * Copies what runs into a folder and changes it there, so that the product needs no switch for its own faults. Packages are
 * linked, except our own: those must point into the copy. A text that is not found is an error: a plant that
 * plants nothing would prove nothing.
 */
export function copySource(projectRoot: string, target: string, patches: readonly Patch[]): void {
  for (const room of rooms) {
    cpSync(join(projectRoot, room), join(target, room), {
      recursive: true,
      filter: (path) => basename(path) !== 'node_modules' && basename(path) !== 'dist',
    });
    for (const name of readdirSync(join(projectRoot, room))) {
      const own = join(projectRoot, room, name, 'node_modules');
      if (existsSync(own)) symlinkSync(own, join(target, room, name, 'node_modules'));
    }
  }
  cpSync(join(projectRoot, 'tools', 'decorators.mjs'), join(target, 'tools', 'decorators.mjs'));
  cpSync(join(projectRoot, 'package.json'), join(target, 'package.json'));
  linkPackages(projectRoot, target);
  for (const patch of patches) applyPatch(target, patch);
}

function linkPackages(projectRoot: string, target: string): void {
  const packages = join(projectRoot, 'node_modules');
  mkdirSync(join(target, 'node_modules', '@proviso'), { recursive: true });
  for (const name of readdirSync(packages)) {
    if (name !== '@proviso') symlinkSync(join(packages, name), join(target, 'node_modules', name));
  }
  for (const room of rooms) {
    for (const name of readdirSync(join(target, room))) {
      symlinkSync(join('..', '..', room, name), join(target, 'node_modules', '@proviso', name));
    }
  }
}

function applyPatch(target: string, { path, from, to }: Patch): void {
  const file = join(target, path);
  const text = readFileSync(file, 'utf8');
  const times = text.split(from).length - 1;
  if (times !== 1) throw new Error(`expected the text to patch once in ${path}, got it ${times} times: ${from}`);
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
}
