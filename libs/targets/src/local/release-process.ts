import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startWithPort } from '@proviso/domain';
import { messageOf, TargetFailure } from './failure.ts';
import { FILE_BLOCKS_MAX } from './output-log.ts';
import { identityOf, listMarked, listProcesses } from './process-table.ts';
import type { RunContract } from './protocol.ts';

/** What is needed to find a process again, or to be sure that it is gone. */
export interface ProcessMark {
  /** Null while it is being started: then only the marker can find it. */
  readonly pid: number | null;
  readonly identity: string | null;
  /** A variable in the environment of the process and all its descendants. */
  readonly marker: string;
}

/** A living release process; it outlives the edge that started it. */
export interface ReleaseProcess extends ProcessMark {
  readonly pid: number;
  /** Settles when the first process of the group ends; its children may still live until `endProcess`. */
  readonly exited: Promise<ProcessEnd>;
}

/** How it ended; both null when it was adopted, since only a parent is told. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

// An adopted process is not our child, so its end is found by looking.
const ADOPTED_LOOK_MS = 250;
// The kernel needs a moment to take a killed group away; longer means it hangs in the kernel.
const KILL_WAIT_MS = 5_000;
const GONE_LOOK_MS = 25;

/** Starts the contract's command as leader of its own session, with an empty environment but for what is declared. */
export async function startProcess(options: {
  contract: RunContract;
  folder: string;
  temporaryFolder: string;
  logPath: string;
  marker: string;
  port: number;
}): Promise<ReleaseProcess> {
  mkdirSync(options.temporaryFolder, { recursive: true, mode: 0o700 });
  const [program = 'node', ...rest] = startWithPort(options.contract, options.port);
  const words = [program === 'node' ? process.execPath : program, ...rest];
  // The shell only lowers limits and is then replaced, so the pid is the program's own.
  const script = `ulimit -c 0; ulimit -f ${FILE_BLOCKS_MAX}; exec "$@"`;
  // A file instead of a pipe: a pipe's writer would be killed or blocked by the edge's death.
  const output = openSync(options.logPath, 'a', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...words], {
      cwd: options.folder,
      env: environmentOf(options),
      detached: true,
      stdio: ['ignore', output, output],
    });
    return await watchChild(child, options.marker);
  } finally {
    closeSync(output);
  }
}

/** Takes over a process of an earlier edge; null when that run is over, whoever may have its number now. */
export function adoptProcess(mark: ProcessMark): ReleaseProcess | null {
  const { pid, identity, marker } = mark;
  if (pid === null || identity === null || identityOf(pid) !== identity) return null;
  const exited = (async () => {
    while (identityOf(pid) === identity) await pause(ADOPTED_LOOK_MS, undefined, { ref: false });
    return { code: null, signal: null };
  })();
  return { pid, identity, marker, exited };
}

/** Ends a process with its whole group and every descendant that kept the marker, and returns only when all are gone. */
export async function endProcess(mark: ProcessMark, graceMs: number): Promise<void> {
  if (await isGone(mark, 'SIGTERM', graceMs)) return;
  if (await isGone(mark, 'SIGKILL', KILL_WAIT_MS)) return;
  throw new TargetFailure('stop_failed', `expected group ${mark.pid} to be gone, got ${membersOf(mark).join(' ')}`, {
    retryable: true,
  });
}

/** Memory of the whole group, so that children count too. */
export function residentMbOf(mark: ProcessMark): number {
  const rows = listProcesses().filter((row) => row.group === mark.pid);
  return rows.reduce((sum, row) => sum + row.residentKb, 0) / 1024;
}

/** A port of 127.0.0.1 that the system says is free; another process may still be faster, then the start is repeated. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function isGone(mark: ProcessMark, signal: 'SIGTERM' | 'SIGKILL', withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  // The whole table is read only when all known members are gone, since traffic waits while it is read.
  for (let members = membersOf(mark); members.length > 0; members = membersOf(mark)) {
    // Repeated to whoever was forked meanwhile.
    for (const pid of members) signalQuietly(pid, signal);
    while (members.some((pid) => identityOf(pid) !== null)) {
      if (performance.now() >= deadline) return false;
      await pause(GONE_LOOK_MS);
    }
  }
  return true;
}

/**
 * A number is not given away while a group of that number lives. So when somebody else has the leader's pid now, the
 * group is gone, and otherwise everybody in the group is ours.
 */
function membersOf(mark: ProcessMark): readonly number[] {
  const marked = listMarked(mark.marker);
  if (mark.pid === null) return marked;
  const leader = identityOf(mark.pid);
  if (leader !== null && leader !== mark.identity) return marked;
  const group = listProcesses().filter((row) => row.group === mark.pid);
  return [...new Set([...marked, ...group.map((row) => row.pid)])];
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, which is what is wanted; a lack of rights shows when it stays.
  }
}

async function watchChild(child: ChildProcess, marker: string): Promise<ReleaseProcess> {
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', (cause) =>
      reject(new TargetFailure('start_failed', `start: ${messageOf(cause)}`, { retryable: true, cause })),
    );
  });
  const { pid } = child;
  if (pid === undefined) return failed;
  failed.catch(() => undefined);
  child.unref();
  return { pid, identity: identityOf(pid), marker, exited };
}

function environmentOf(options: {
  contract: RunContract;
  temporaryFolder: string;
  marker: string;
  port: number;
}): Record<string, string> {
  const [name = '', value = ''] = options.marker.split('=');
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    ...options.contract.environment,
    HOME: options.temporaryFolder,
    TMPDIR: options.temporaryFolder,
    HOST: '127.0.0.1',
    [options.contract.portEnvironment]: String(options.port),
    [name]: value,
  };
}
