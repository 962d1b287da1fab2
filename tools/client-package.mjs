// Makes libs/client into the package that others install: JavaScript and declarations, without our sources and their needs.
// `node tools/client-package.mjs <folder>`; then `npm pack` or `npm publish` in that folder.
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './pinned-node.mjs';

/** Writes the package into a folder. */
export function writeClientPackage(folder) {
  mkdirSync(folder, { recursive: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', join(root, 'libs/client/tsconfig.package.json'), '--outDir', join(folder, 'dist')];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`expected libs/client to compile, got:\n${stdout}`);
  for (const path of globSync('dist/**/*.d.ts', { cwd: folder })) nameAsPublished(join(folder, path));
  const { name, version, license, type } = JSON.parse(readFileSync(join(root, 'libs/client/package.json'), 'utf8'));
  const manifest = {
    ...{ name, version, license, type },
    description: 'The API of Proviso, typed, for browsers and Node',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist'],
    sideEffects: false,
    engines: { node: '>=20' },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  copyFileSync(join(root, 'libs/client/README.md'), join(folder, 'README.md'));
}

/** The compiler renames imports in what runs, and not in declarations. */
function nameAsPublished(path) {
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replaceAll(/(from |import\()(['"]\.[^'"]+)\.ts(['"])/g, '$1$2.js$3'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('expected a folder to write the package into');
  writeClientPackage(resolve(folder));
}
