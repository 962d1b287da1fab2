import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process of this machine as it is at the moment. */
export interface LocalProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly upMs: number;
  /** What it holds in memory for itself and shares with others. */
  readonly residentBytes: number;
}

/** Ticks of the kernel's clock a second; Linux tells programs 100 on every machine, whatever it counts in itself. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** A process with all that it started, itself first; nothing where there is no /proc or no such process. */
export function processesBelow(root: number): readonly LocalProcess[] {
  const all = allProcesses();
  const found = all.filter(({ pid }) => pid === root);
  // Each round adds the children of what was found before it; a tree is at most as deep as it has processes.
  for (let index = 0; index < found.length; index += 1) {
    found.push(...all.filter(({ parent, pid }) => parent === found[index]?.pid && pid !== root));
  }
  return found;
}

function allProcesses(): readonly LocalProcess[] {
  try {
    const upSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => processOf(Number(pid), upSeconds) ?? []);
  } catch {
    return [];
  }
}

function processOf(pid: number, upSeconds: number): LocalProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets that may hold spaces; counting starts behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return {
      ...{ pid, parent: Number(fields[1]), command },
      upMs: Math.max(0, (upSeconds - Number(fields[19]) / TICKS_PER_SECOND) * 1_000),
      residentBytes: Number(fields[21]) * PAGE_BYTES,
    };
  } catch {
    // It ended while we looked.
    return null;
  }
}

/** True while a process of that number lives here. */
export function isRunning(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/cwd`);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
