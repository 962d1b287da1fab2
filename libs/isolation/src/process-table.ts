import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** One living process; zombies are left out, because they hold nothing but their number. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly residentKb: number;
}

/** Linux tells in /proc at the cost of a few reads; elsewhere `ps` is asked. */
export type ProcessSource = 'proc' | 'ps';

/** The source that this machine offers. */
export const processSource: ProcessSource = process.platform === 'linux' ? 'proc' : 'ps';

// A hung `ps` must not hang the edge.
const PS_TIMEOUT_MS = 5_000;
const PS_OUTPUT_BYTES_MAX = 8 * 1024 * 1024;

/** All living processes that this user may see. */
export function listProcesses(source: ProcessSource = processSource): readonly ProcessRow[] {
  if (source === 'ps') return listByPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readStat(Number(name));
      return stat === null || stat.state === 'Z' || stat.state === 'X' ? [] : [stat];
    });
}

/**
 * Names one run of one pid for good: the same number given to another process gives another text. On Linux the boot's
 * id is part of it, since ticks since boot repeat after a restart. Null when there is no such living process.
 */
export function identityOf(pid: number, source: ProcessSource = processSource): string | null {
  if (source === 'ps') return psLine(['-o', 'state=,lstart=', '-p', String(pid)], /^[^Z]\S*\s+(.+)$/);
  const stat = readStat(pid);
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : `${bootId()}/${stat.startTicks}`;
}

/** Living processes whose environment carries the marker, even when they left their group; empty where /proc is missing. */
export function listMarked(marker: string, source: ProcessSource = processSource): readonly number[] {
  if (source === 'ps') return [];
  return listProcesses(source)
    .map((row) => row.pid)
    .filter((pid) => readQuietly(`/proc/${pid}/environ`).split('\0').includes(marker));
}

/**
 * A process, its group, and everybody who came from them. Orphans inside a pid namespace become children of its first
 * process, so from there nobody is missed, whatever they did to their group or environment.
 */
export function familyOf(pid: number, rows: readonly ProcessRow[]): ReadonlySet<number> {
  const family = new Set([pid, ...rows.filter((row) => row.group === pid).map((row) => row.pid)]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const row of rows) if (family.has(row.parent)) family.add(row.pid);
  }
  return family;
}

function readStat(pid: number): (ProcessRow & { state: string; startTicks: string }) | null {
  const text = readQuietly(`/proc/${pid}/stat`);
  // The command's name may hold spaces and brackets, so fields are counted from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startTicks = fields[19];
  if (state === undefined || group === undefined || startTicks === undefined) return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    state,
    startTicks,
    residentKb: Number(fields[21]) * pageKb(),
  };
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended while we looked, or belongs to another user: either way it is not ours to judge.
    return '';
  }
}

let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= readQuietly('/proc/sys/kernel/random/boot_id').trim();
  return knownBootId;
}

let knownPageKb: number | undefined;
function pageKb(): number {
  knownPageKb ??= Number(/KernelPageSize:\s+(\d+) kB/.exec(readQuietly('/proc/self/smaps'))?.[1] ?? 4);
  return knownPageKb;
}

function listByPs(): readonly ProcessRow[] {
  return ps(['-A', '-o', 'pid=,ppid=,pgid=,rss=,state='])
    .split('\n')
    .flatMap((line) => {
      const [pid, parent, group, residentKb, state] = line.trim().split(/\s+/);
      if (state === undefined || state.startsWith('Z')) return [];
      return [{ pid: Number(pid), parent: Number(parent), group: Number(group), residentKb: Number(residentKb) }];
    });
}

function psLine(parameters: readonly string[], form: RegExp): string | null {
  return form.exec(ps(parameters).trim())?.[1] ?? null;
}

function ps(parameters: readonly string[]): string {
  try {
    const options = {
      encoding: 'utf8',
      timeout: PS_TIMEOUT_MS,
      maxBuffer: PS_OUTPUT_BYTES_MAX,
      stdio: 'pipe',
    } as const;
    return execFileSync('ps', parameters, { ...options, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } });
  } catch {
    // `ps -p` exits with 1 when there is no such process.
    return '';
  }
}
