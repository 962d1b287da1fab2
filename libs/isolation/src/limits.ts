import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SandboxLimits } from './order.ts';

/** Who bounds a sandbox as a whole: a control group of either version, or only limits of each single process. */
export type LimitKind = 'cgroup2' | 'cgroup1' | 'rlimit';

/** What holds, in words for an operator. */
export function describeLimits(kind: LimitKind): string {
  switch (kind) {
    case 'cgroup2':
    case 'cgroup1':
      return `memory, processes and processor time of each sandbox are bounded together (${kind})`;
    case 'rlimit':
      return 'no control group is writable, so memory is bounded for each process alone, and a share of the processor only by a lower priority';
  }
}

/** The folders of one sandbox in the hierarchies of this machine; empty when only single processes can be limited. */
export interface ControlGroup {
  readonly folders: readonly string[];
  /** Whether the kernel had to end a process because the sandbox was at its bound of memory. */
  readonly ranOutOfMemory: () => boolean;
  /** Whatever is in it, wherever it went by itself. */
  readonly members: () => readonly number[];
  /** Called when its processes are gone. */
  readonly remove: () => Promise<void>;
}

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
// A sandbox without a share of the processor is bearable, one without these is not.
const NEEDED = ['memory', 'pids'] as const;
// The warden, its starter and the shell before it.
const OWN_PROCESSES = 4;
const OWN_MEMORY_MB = 16;
// The kernel needs a moment after the last process before a group counts as empty.
const REMOVE_TRIES_MAX = 40;
const REMOVE_EVERY_MS = 25;
const SHARES_OF_ONE_SERVICE = { cgroup1: 1_024, cgroup2: 100 } as const;

/** The strongest kind that works here; a wish is fulfilled or answered with less, never with more. */
export function findLimits(wish?: LimitKind): LimitKind {
  const kinds = wish === undefined ? (['cgroup2', 'cgroup1'] as const) : [wish];
  for (const kind of kinds) {
    if (kind !== 'rlimit' && works(kind)) return kind;
  }
  return 'rlimit';
}

function works(kind: 'cgroup2' | 'cgroup1'): boolean {
  const marker = `PROVISO_RUN=probe-${process.pid}`;
  try {
    if (kind === 'cgroup2') openToChildren();
    makeGroup(kind, marker, { memoryMb: 64, processes: 16, cpuShare: 100, fileBytes: 1 });
    return true;
  } catch {
    // Not mounted, not ours to write, or without the controllers: any of these means that it is not to be had.
    return false;
  } finally {
    for (const folder of foldersOf(kind, marker)) removeQuietly(folder);
  }
}

/** Makes the group of a sandbox with its limits set; its first process enters by writing itself into each folder. */
export function makeGroup(kind: LimitKind, marker: string, limits: SandboxLimits): ControlGroup {
  if (kind === 'rlimit') return groupOf(kind, marker);
  for (const folder of foldersOf(kind, marker)) mkdirSync(folder, { recursive: true });
  const bases = controllerFolders(kind);
  for (const needed of NEEDED) {
    if (bases[needed] === undefined) throw new Error(`expected a writable ${needed} controller, got none`);
  }
  const memoryBytes = String((limits.memoryMb + (limits.filesMb ?? 0) + OWN_MEMORY_MB) * 1024 * 1024);
  const processes = String(limits.processes + OWN_PROCESSES);
  const share = String(Math.max(2, Math.round((SHARES_OF_ONE_SERVICE[kind] * limits.cpuShare) / 100)));
  const set = (controller: (typeof CONTROLLERS)[number], file: string, value: string): void => {
    const base = bases[controller];
    if (base !== undefined) writeFileSync(join(base, nameOf(marker), file), value);
  };
  set('pids', 'pids.max', processes);
  if (kind === 'cgroup2') {
    set('memory', 'memory.max', memoryBytes);
    if (existsSync(join(bases.memory ?? '', nameOf(marker), 'memory.swap.max'))) set('memory', 'memory.swap.max', '0');
    set('cpu', 'cpu.weight', share);
  } else {
    set('memory', 'memory.limit_in_bytes', memoryBytes);
    const both = 'memory.memsw.limit_in_bytes';
    if (existsSync(join(bases.memory ?? '', nameOf(marker), both))) set('memory', both, memoryBytes);
    set('cpu', 'cpu.shares', share);
  }
  return groupOf(kind, marker);
}

/** The group of a marker, also one that an earlier process of ours has made. */
export function groupOf(kind: LimitKind, marker: string): ControlGroup {
  const folders = foldersOf(kind, marker).filter((folder) => existsSync(folder));
  return {
    folders,
    ranOutOfMemory: () =>
      folders.some((folder) =>
        /^oom_kill [1-9]/m.test(read(folder, 'memory.oom_control') + read(folder, 'memory.events')),
      ),
    members: () => folders.flatMap((folder) => read(folder, 'cgroup.procs').split('\n').filter(Boolean).map(Number)),
    remove: async () => {
      for (let left = REMOVE_TRIES_MAX; left > 0 && folders.some((folder) => !removeQuietly(folder)); left -= 1) {
        await pause(REMOVE_EVERY_MS);
      }
    },
  };
}

/** What each process is limited to by itself, as the warden takes it: number of the limit and its value. */
export function processLimits(kind: LimitKind, limits: SandboxLimits): readonly string[] {
  const { cpuSeconds, fileBytes, memoryMb, processes } = limits;
  const found: [number, number][] = [
    [RLIMIT.fileSize, fileBytes],
    [RLIMIT.core, 0],
    [RLIMIT.openFiles, OPEN_FILES_MAX],
  ];
  if (cpuSeconds !== undefined) found.push([RLIMIT.cpu, cpuSeconds]);
  if (kind === 'rlimit') {
    found.push([RLIMIT.data, (memoryMb + RESERVED_MB) * 1024 * 1024], [RLIMIT.processes, processes + OWN_PROCESSES]);
  }
  return found.map(([limit, value]) => `${limit}:${value}`);
}

// Numbers of the kernel's interface, the same on both machines we know.
const RLIMIT = { cpu: 0, fileSize: 1, data: 2, core: 4, processes: 6, openFiles: 7 } as const;
const OPEN_FILES_MAX = 4_096;
// Node reserves this much for code it may never make, and the kernel counts it as taken; less and Node does not start.
const RESERVED_MB = 576;

function foldersOf(kind: LimitKind, marker: string): readonly string[] {
  if (kind === 'rlimit') return [];
  return [...new Set(Object.values(controllerFolders(kind)))].map((base) => join(base, nameOf(marker)));
}

// The marker names the group, so that whoever knows the run can find it.
function nameOf(marker: string): string {
  return `proviso-${createHash('sha256').update(marker).digest('hex').slice(0, 24)}`;
}

type ControllerFolders = Partial<Record<(typeof CONTROLLERS)[number], string>>;

/** The folder of our own group in each hierarchy: sandboxes live below it, so that a bound of ours binds them too. */
function controllerFolders(kind: 'cgroup2' | 'cgroup1'): ControllerFolders {
  const own = read('/proc/self', 'cgroup').split('\n');
  const mounts = read('/proc/self', 'mounts')
    .split('\n')
    .map((line) => line.split(' '));
  const found: ControllerFolders = {};
  for (const controller of CONTROLLERS) {
    const mount = mounts.find(([, , type, options]) =>
      kind === 'cgroup2' ? type === 'cgroup2' : type === 'cgroup' && options?.split(',').includes(controller),
    );
    const line = own.find((each) =>
      kind === 'cgroup2' ? each.startsWith('0::') : each.split(':')[1]?.split(',').includes(controller),
    );
    const root = mount?.[1];
    if (root === undefined || line === undefined) continue;
    // Inside a container the path may be that of the host, of which only the root is seen here.
    const inner = join(root, line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1));
    const base = existsSync(inner) ? inner : root;
    if (kind === 'cgroup1' || isOpen(outerOf(base), controller))
      found[controller] = kind === 'cgroup1' ? base : outerOf(base);
  }
  return found;
}

const SELF = 'proviso-self';

/** Version 2 lets a group have processes or children with controllers, not both: ours then sits in a leaf of its own. */
function outerOf(base: string): string {
  return base.endsWith(`/${SELF}`) ? base.slice(0, -SELF.length - 1) : base;
}

function isOpen(base: string, controller: string): boolean {
  return read(base, 'cgroup.subtree_control').split(/\s+/).includes(controller);
}

/** Moves this process into a leaf of its own group and opens the group's controllers to its children. */
function openToChildren(): void {
  const line =
    read('/proc/self', 'cgroup')
      .split('\n')
      .find((each) => each.startsWith('0::')) ?? '0::/';
  const mount = read('/proc/self', 'mounts')
    .split('\n')
    .find((each) => each.split(' ')[2] === 'cgroup2');
  const base = outerOf(join(mount?.split(' ')[1] ?? '/nowhere', line.slice('0::'.length)));
  const offered = read(base, 'cgroup.controllers').trim().split(/\s+/);
  if (!NEEDED.every((controller) => offered.includes(controller))) throw new Error('expected memory and pids');
  const wanted = CONTROLLERS.filter((controller) => offered.includes(controller) && !isOpen(base, controller));
  if (wanted.length === 0) return;
  const others = read(base, 'cgroup.procs').split('\n').filter(Boolean);
  // Somebody else's processes are not ours to move.
  if (others.some((pid) => Number(pid) !== process.pid)) throw new Error('expected a group of our own');
  if (others.length > 0) {
    mkdirSync(join(base, SELF), { recursive: true });
    writeFileSync(join(base, SELF, 'cgroup.procs'), String(process.pid));
  }
  writeFileSync(join(base, 'cgroup.subtree_control'), wanted.map((controller) => `+${controller}`).join(' '));
}

function read(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    // The hierarchy or the group is not there, which the callers take for empty.
    return '';
  }
}

function removeQuietly(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}
