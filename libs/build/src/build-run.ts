import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contractFileName, excerpt, GateBreakage, type GateReason } from '@proviso/gates';
import type { Isolation, Mount } from '@proviso/isolation';
import { type BuildLog, lastWords } from './build-log.ts';
import type { BuildWork } from './build-plan.ts';
import type { CachedPackages } from './package-cache.ts';
import type { PackageTools } from './package-tools.ts';
import { npmFolder, toolMounts, workshopEnvironment } from './tool-mounts.ts';
import { filesMbMax, runWorkshop, type Workshop, type WorkshopEnd } from './workshop.ts';

/** What became of one build: an archive that nobody has looked into yet, or why there is none. */
export type BuildRun =
  | { readonly kind: 'made'; readonly archive: string; readonly log: BuildLog; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly reason: GateReason; readonly log: BuildLog };

/** What a build runs on. */
export interface BuildInput {
  readonly source: string;
  readonly work: BuildWork;
  readonly packages: readonly CachedPackages[];
  readonly tools: PackageTools;
}

const programsFolder = '/opt/proviso/programs';
/** Copying, unpacking and packing around the command, whose time is the contract's. */
const aroundMsMax = 60_000;

/** Builds once, in a sandbox without any network: sources and packages in, one archive out. */
export async function runBuild(workshop: Workshop, { source, work, packages, tools }: BuildInput): Promise<BuildRun> {
  const began = performance.now();
  const end = await runWorkshop(workshop, {
    script,
    words: [
      work.output ?? '',
      work.scripts && tools.npm !== null ? 'scripts' : '',
      work.packages.some(({ prunes }) => prunes) ? 'prune' : '',
      String(work.withinMs / 1_000),
      ...Object.entries(work.variables).map(([name, value]) => `${name}=${value}`),
      ...(work.command ?? ['true']),
    ],
    mounts: [
      { access: 'read', source, target: '/source' },
      ...packages.map(
        ({ path }, index) => ({ access: 'read', source: path, target: `/packages/${index}.tar` }) as const,
      ),
      ...toolMounts(tools),
      await programs(workshop.folder, tools),
    ],
    environment: environmentOf(workshop.isolation),
    hosts: [],
    memoryMb: work.memoryMbMax,
    withinMs: work.withinMs + aroundMsMax,
  });
  const tookMs = performance.now() - began;
  const reason = buildReason(work, end, tookMs);
  if (reason !== null) return { kind: 'failed', reason, log: end.log };
  return { kind: 'made', archive: end.archive, log: end.log, tookMs };
}

/**
 * Left out at the end: what package managers and bundlers keep for themselves, and the links to programs, since an
 * artifact has no links. A failing line ends it with a number of its own, so that the command cannot speak for us.
 */
const script = `output=$1 scripts=$2 prune=$3 within=$4
shift 4
cp -R /source/. . || exit 81
for archive in /packages/*.tar; do if [ -e "$archive" ]; then tar -x -f "$archive" || exit 81; fi; done
if [ "$scripts" ]; then npm rebuild --foreground-scripts >&2 || exit 82; fi
timeout --kill-after=1 "$within" env -- "$@" >&2
case $? in 0) ;; 124 | 137) exit 87 ;; *) exit 83 ;; esac
if [ "$prune" ]; then npm prune --omit=dev --no-save --ignore-scripts >&2 || exit 84; fi
if [ "$output" ] && ! [ -d "$output" ]; then exit 85; fi
tar -c --hard-dereference --anchored --wildcards --wildcards-match-slash \\
  --exclude='*/node_modules/.bin' --exclude='*/node_modules/.cache' --exclude='*/node_modules/.vite*' \\
  --exclude='*/node_modules/.package-lock.json' --exclude='*/__pycache__' "./$output" || exit 86`;

function environmentOf(isolation: Isolation): Readonly<Record<string, string>> {
  const environment = workshopEnvironment(isolation);
  const path = `${programsFolder}:/work/node_modules/.bin:${environment.PATH}`;
  return { ...environment, PATH: path, PYTHONPATH: '/work/python_packages', npm_config_offline: 'true' };
}

/** npm finds itself beside Node, where it is not: these two say where it is. */
async function programs(folder: string, { npm }: PackageTools): Promise<Extract<Mount, { access: 'read' }>> {
  const source = join(folder, 'programs');
  await mkdir(source, { recursive: true });
  for (const name of npm === null ? [] : ['npm', 'npx']) {
    await writeFile(join(source, name), `#!/bin/sh\nexec node ${npmFolder}/bin/${name}-cli.js "$@"\n`);
    await chmod(join(source, name), 0o755);
  }
  return { access: 'read', source, target: programsFolder };
}

function buildReason(work: BuildWork, { code, stopped, log }: WorkshopEnd, tookMs: number): GateReason | null {
  if (code === 0 && stopped === null) return null;
  const file = contractFileName;
  const said = lastWords(log);
  // A command may end with that number by itself, but not that late.
  if (stopped === 'too_late' || (code === 87 && stopped === null && tookMs >= work.withinMs)) {
    const seconds = Math.round(work.withinMs / 1_000);
    const message = `the build did not end within ${seconds} s; make it quicker or raise build.within, up to 30m; ${said}`;
    return { code: 'build_timed_out', message, file };
  }
  if (stopped === 'out_of_memory' || heapWords.test(log.text)) {
    const message = `the build used more memory than it may: ${work.memoryMbMax} MB by build.memoryMbMax, and ${filesMbMax} MB for its files, which lie in memory too; raise build.memoryMbMax, up to 8192`;
    return { code: 'build_out_of_memory', message, file };
  }
  if (stopped === 'flooded') {
    const message = `the build wrote more output than can be kept; let it say less; ${said}`;
    return { code: 'build_failed', message, file };
  }
  return endReason(work, { code, said });
}

/** Node says so itself before it comes to the bound of its sandbox. */
const heapWords =
  /JavaScript heap out of memory|ERR_MEMORY_ALLOCATION_FAILED|Array buffer allocation failed|^MemoryError$/m;

function endReason(work: BuildWork, { code, said }: { readonly code: number; readonly said: string }): GateReason {
  const file = contractFileName;
  switch (code) {
    case 81:
    case 86: {
      const message = 'the build takes more room than it may have; leave out what the prototype does not need to run';
      return { code: 'build_too_large', message, file };
    }
    case 82: {
      const message = `a script of an installed package failed; set build.scripts to false if it is not needed; ${said}`;
      return { code: 'build_failed', message, file };
    }
    case 87:
    case 83: {
      const command = excerpt((work.command ?? []).join(' '), 80);
      const message = `the build failed: \`${command}\`; run it in a fresh copy of the prototype without network, and mend what it says; ${said}`;
      return { code: 'build_failed', message, file };
    }
    case 84: {
      const message = `the packages that only building needs could not be taken out again; try \`npm prune --omit=dev\`; ${said}`;
      return { code: 'build_failed', message, file };
    }
    case 85: {
      const folder = excerpt(work.output ?? '.', 80);
      const message = `the build ended well and left no folder ${folder}; name the one it leaves under build.output`;
      return { code: 'output_missing', message, file };
    }
    default:
      throw new GateBreakage('sandbox_broke', `expected an end of our script, got ${code}`, { retryable: true });
  }
}
