import { type PackageManifest, lockFiles } from '@proviso/gates';
import type { FolderView } from './folder-view.ts';
import { plainStart } from './start-words.ts';
import type { BuildDraft, RunDraft } from './run-draft.ts';

/** Packages that make a program a server, whatever else it is made with. */
const serverPackages = ['express', 'fastify', 'koa', 'hono', '@hono/node-server', '@nestjs/core', 'polka', 'h3', 'ws'];
/** A server with a framework of its own and its pages in memory. */
const frameworkMemoryMb = 512;
const pathInside = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/;

/** A Next application, when it is one. */
export function draftNext(view: FolderView, manifest: PackageManifest): RunDraft | null {
  if (!packagesOf(manifest).includes('next')) return null;
  const config = ['js', 'mjs', 'cjs', 'ts'].map((ending) => view.text(`next.config.${ending}`) ?? '').join('\n');
  const output = /\boutput\s*:\s*['"](standalone|export)['"]/.exec(config)?.[1];
  const build = buildOf(view, manifest) ?? { install: 'auto' };
  const command = build.command ?? ['npx', 'next', 'build'];
  const from = 'next in package.json';
  if (output === 'export') {
    const run = { kind: 'static', fallback: false } as const;
    return { run, build: { ...build, command, output: 'out' }, from, doubts: [] };
  }
  const server = { kind: 'node', environment: {}, memoryMbMax: frameworkMemoryMb } as const;
  if (output !== 'standalone') {
    const start = ['node_modules/next/dist/bin/next', 'start', '--port', '$PORT'];
    return { run: { ...server, start }, build: { ...build, command }, from, doubts: [] };
  }
  // Next leaves the files that browsers load beside its own server, and says in its manual to copy them there.
  const copy =
    'cp -r .next/static .next/standalone/.next/ && if [ -d public ]; then cp -r public .next/standalone/; fi';
  return {
    run: { ...server, start: ['.next/standalone/server.js'] },
    build: { ...build, command: ['sh', '-c', `${command.join(' ')} && ${copy}`] },
    from: `${from}, standalone in next.config`,
    doubts: [],
  };
}

/** Pages that Vite builds and nobody serves, when that is all there is. */
export function draftVite(view: FolderView, manifest: PackageManifest): RunDraft | null {
  const isServer = manifest.dependencies.some((name) => serverPackages.includes(name));
  const startsNode = /(^|\s)node\s/.test(manifest.scripts['start'] ?? '');
  if (!packagesOf(manifest).includes('vite') || !view.has('index.html') || isServer || startsNode) return null;
  const config = ['ts', 'js', 'mts', 'mjs'].map((ending) => view.text(`vite.config.${ending}`) ?? '').join('\n');
  const outDir = /\boutDir\s*:\s*['"]([^'"\n]{1,200})['"]/.exec(config)?.[1]?.replace(/^\.\/|\/$/g, '');
  const isInside = outDir !== undefined && pathInside.test(outDir);
  const build = buildOf(view, manifest) ?? { install: 'auto' };
  const output = isInside ? outDir : 'dist';
  return {
    run: { kind: 'static', fallback: true },
    build: { ...build, command: build.command ?? ['npx', 'vite', 'build'], output },
    from: 'vite in package.json, and index.html',
    doubts: outDir !== undefined && !isInside ? [`where the build leaves its files; guessed ${output}`] : [],
  };
}

/** What the script "start" says, else a file that servers usually are. */
export function draftNode(view: FolderView, manifest: PackageManifest | null): RunDraft | null {
  const build = manifest && buildOf(view, manifest);
  const script = manifest?.scripts['start'];
  if (script !== undefined) {
    const plain = plainStart(script);
    const start =
      plain?.kind === 'node' ? plain : { kind: 'command' as const, start: ['npm', 'start'], environment: {} };
    return { run: { ...start, memoryMbMax: 256 }, build, from: 'the script "start" in package.json', doubts: [] };
  }
  const main = manifest?.main?.replace(/^\.\//, '') ?? '';
  const names = ['server', 'src/server', 'index', 'app', 'src/index'].flatMap((name) => [`${name}.mjs`, `${name}.js`]);
  const found = [main, ...names].find((name) => pathInside.test(name) && view.has(name));
  if (found === undefined) return null;
  const run = { kind: 'node', start: [found], environment: {}, memoryMbMax: 256 } as const;
  return { run, build, from: `the file ${found}`, doubts: ['whether this file is the one that is started'] };
}

/** How the packages come and what is run after that; null when there is nothing to do. */
function buildOf(view: FolderView, manifest: PackageManifest): BuildDraft | null {
  const hasScript = manifest.scripts['build'] !== undefined;
  const isNeeded = hasScript || manifest.dependencies.length > 0;
  if (!isNeeded) return null;
  const manager = lockFiles.find(({ file }) => view.has(file))?.manager ?? 'npm';
  const install = packagesOf(manifest).length > 0 ? 'auto' : 'none';
  return { install, ...(hasScript && { command: [manager, 'run', 'build'] }) };
}

function packagesOf(manifest: PackageManifest): readonly string[] {
  return [...manifest.dependencies, ...manifest.devDependencies];
}
