import { setTimeout as pause } from 'node:timers/promises';
import { type ControlGroup, groupOf, type LimitKind } from './limits.ts';
import { familyOf, identityOf, listMarked, listProcesses } from './process-table.ts';

/** What is needed to find a process again, or to be sure that it is gone. */
export interface ProcessMark {
  /** Null while it is being started: then only the marker can find it. */
  readonly pid: number | null;
  readonly identity: string | null;
  /** A variable in the environment of the process and all its descendants. */
  readonly marker: string;
  /** True for a sandbox: the pid is then that of its starter, which must not be ended before what it started. */
  readonly isolated: boolean;
}

/** A living process with all its descendants; it outlives whoever started it. */
export interface MarkedProcess extends ProcessMark {
  readonly pid: number;
  /** Settles when the first process ends; others may still live until `endProcess`. */
  readonly exited: Promise<ProcessEnd>;
}

/** How it ended; both null when it was adopted, since only a parent is told. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Processes outlasted every signal: the kernel holds them, or they belong to somebody we may not signal. */
export class StopFailure extends Error {
  override readonly name = 'StopFailure';
}

// An adopted process is not our child, so its end is found by looking.
const ADOPTED_LOOK_MS = 250;
// The kernel needs a moment to take a killed group away; longer means it hangs in the kernel.
const KILL_WAIT_MS = 5_000;
const GONE_LOOK_MS = 25;

/** Takes over a process of an earlier starter; null when that run is over, whoever may have its number now. */
export function adoptProcess(mark: ProcessMark): MarkedProcess | null {
  const { pid, identity } = mark;
  if (pid === null || identity === null || identityOf(pid) !== identity) return null;
  const exited = (async () => {
    while (identityOf(pid) === identity) await pause(ADOPTED_LOOK_MS, undefined, { ref: false });
    return { code: null, signal: null };
  })();
  return { ...mark, pid, identity, exited };
}

/**
 * Ends a process with everything that came from it, and returns only when all are gone: descendants, its group, whoever
 * kept the marker, and the control group. Killing the first process of a pid namespace ends all others in it.
 */
export async function endProcess(mark: ProcessMark, graceMs: number): Promise<void> {
  const groups = (['cgroup2', 'cgroup1'] satisfies LimitKind[]).map((kind) => groupOf(kind, mark.marker));
  const run: Ending = { mark, groups, seen: new Map() };
  if (!(await isGone(run, 'SIGTERM', graceMs)) && !(await isGone(run, 'SIGKILL', KILL_WAIT_MS))) {
    throw new StopFailure(`expected process ${mark.pid} to be gone, got ${livingOf(run).join(' ')}`);
  }
  for (const group of groups) await group.remove();
}

interface Ending {
  readonly mark: ProcessMark;
  readonly groups: readonly ControlGroup[];
  /** Everybody who was ever found, and who that was: one that is being killed may not be found again, and yet be there. */
  readonly seen: Map<number, string>;
}

/** Memory of the process and all that came from it. */
export function residentMbOf(mark: ProcessMark): number {
  if (mark.pid === null) return 0;
  const rows = listProcesses();
  const family = familyOf(mark.pid, rows);
  return rows.reduce((sum, row) => (family.has(row.pid) ? sum + row.residentKb : sum), 0) / 1024;
}

async function isGone(run: Ending, signal: 'SIGTERM' | 'SIGKILL', withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  // The whole table is read only when all known members are gone, since traffic waits while it is read.
  for (let members = livingOf(run); members.length > 0; members = livingOf(run)) {
    // A sandbox's starter does not know what to do with a request to end: it would go alone.
    const { pid: starter, isolated } = run.mark;
    const asked = signal === 'SIGTERM' && isolated ? members.filter((pid) => pid !== starter) : members;
    // Repeated to whoever was forked meanwhile.
    for (const pid of asked) signalQuietly(pid, signal);
    while (members.some((pid) => identityOf(pid) === run.seen.get(pid))) {
      if (performance.now() >= deadline) return false;
      await pause(GONE_LOOK_MS);
    }
  }
  return true;
}

function livingOf({ mark, groups, seen }: Ending): readonly number[] {
  for (const pid of [...membersOf(mark), ...groups.flatMap((group) => group.members())]) {
    const identity = identityOf(pid);
    if (identity !== null) seen.set(pid, identity);
  }
  return [...seen].filter(([pid, identity]) => identityOf(pid) === identity).map(([pid]) => pid);
}

/**
 * A number is not given away while a group of that number lives. So when somebody else has the leader's pid now, the
 * group is gone, and otherwise everybody in the group, and everybody who came from it, is ours.
 */
function membersOf(mark: ProcessMark): readonly number[] {
  const rows = listProcesses();
  const found = new Set<number>();
  const add = (pid: number): void => {
    for (const member of familyOf(pid, rows)) found.add(member);
  };
  // A marked process may be the first of a sandbox whose starter is gone: its children need not carry the marker.
  for (const pid of listMarked(mark.marker)) add(pid);
  const leader = mark.pid === null ? null : identityOf(mark.pid);
  if (mark.pid !== null && (leader === null || leader === mark.identity)) add(mark.pid);
  return [...found];
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, which is what is wanted; a lack of rights shows when it stays.
  }
}
