import { randomUUID } from 'node:crypto';
import { chmod, glob, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GateBreakage } from '@proviso/gates';
import {
  adoptProcess,
  type EgressCount,
  egressSocketOf,
  endProcess,
  type Isolation,
  type Mount,
  openEgressProxy,
  type Sandbox,
  startIsolated,
} from '@proviso/isolation';
import { type BuildLog, readLog } from './build-log.ts';

/** A script for one sandbox. It sees what is mounted and its own folder, which is gone afterwards. */
export interface WorkshopOrder {
  readonly script: string;
  readonly words: readonly string[];
  readonly mounts: readonly Extract<Mount, { access: 'read' }>[];
  readonly environment: Readonly<Record<string, string>>;
  /** Hosts that it may reach, wherever their addresses are; none without. */
  readonly hosts: readonly string[];
  /** For its processes; its files have `filesMbMax` beside it, and what they leave of that processes may take as well. */
  readonly memoryMb: number;
  readonly withinMs: number;
}

/** How it ended, what it said, and the archive that it wrote to its output. */
export interface WorkshopEnd {
  readonly code: number;
  readonly stopped: 'too_late' | 'flooded' | 'out_of_memory' | null;
  readonly log: BuildLog;
  readonly archive: string;
  readonly egress: readonly EgressCount[];
}

/** The sandbox of one step, and where it may write outside. */
export interface Workshop {
  readonly isolation: Isolation;
  /** Ours alone; whoever made it removes it. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Where the sandbox's own folder is inside. */
export const workFolder = '/work';

const MIB = 1024 * 1024;
/** Sources with their packages and what is made of them; they lie in memory, so it is counted like memory. */
const workBytesMax = 1_536 * MIB;
const scratchBytesMax = 512 * MIB;
/** What its files may take of memory on top of what its processes may. */
export const filesMbMax = (workBytesMax + scratchBytesMax) / MIB;
/** Over what intake takes in, so that it can say what is too much. */
const fileBytesMax = 512 * MIB;
/** A build that says more than this says nothing any more. */
const logBytesMax = 16 * MIB;
/** Bundlers start a thread for each core and a process for each file kind. */
const processesMax = 512;
const lookMs = 250;
/** Written beside each running sandbox, for the next worker. */
const markFile = 'sandbox.json';

/** Runs one script in a sandbox of its own. Whatever goes wrong on our side is a breakage; the rest is an answer. */
export async function runWorkshop({ isolation, folder, signal }: Workshop, order: WorkshopOrder): Promise<WorkshopEnd> {
  signal.throwIfAborted();
  const runFolder = join(folder, `run-${randomUUID().slice(0, 8)}`);
  await mkdir(join(runFolder, 'egress'), { recursive: true });
  await chmod(runFolder, 0o755);
  const archive = join(runFolder, 'output.tar');
  const logPath = join(runFolder, 'log');
  const proxy =
    order.hosts.length === 0
      ? null
      : await openEgressProxy({ socketPath: egressSocketOf(runFolder), hosts: order.hosts, anyAddress: true });
  try {
    const sandbox = await started(isolation, { order, runFolder, archive, logPath });
    await writeFile(join(runFolder, markFile), JSON.stringify(markOf(sandbox)));
    const { code, stopped } = await watched(sandbox, { signal, logPath, withinMs: order.withinMs });
    signal.throwIfAborted();
    if (code === null && stopped === null) throw broke('expected an end of its own, got a kill');
    const complaint = sandbox.complaint();
    if (complaint !== '') throw broke('expected a sandbox that is built, got a complaint');
    return { code: code ?? -1, stopped, log: await readLog(logPath), archive, egress: proxy?.counts() ?? [] };
  } finally {
    await proxy?.close();
  }
}

/** Ends what a worker that was killed has left running below a folder of its own. */
export async function endLeftSandboxes(folder: string): Promise<void> {
  for await (const path of glob(join(folder, `**/run-*/${markFile}`))) {
    const text = await readFile(path, 'utf8').catch(() => '');
    // Half a mark means that we died while writing it; its sandbox is bounded by its processor time alone.
    if (!text.endsWith('}')) continue;
    const left = adoptProcess({
      ...(JSON.parse(text) as Pick<Sandbox, 'pid' | 'identity' | 'marker'>),
      isolated: true,
    });
    if (left !== null) await endProcess(left, 0);
  }
}

function markOf({ pid, identity, marker }: Sandbox): object {
  return { pid, identity, marker };
}

async function started(
  isolation: Isolation,
  run: {
    readonly order: WorkshopOrder;
    readonly runFolder: string;
    readonly archive: string;
    readonly logPath: string;
  },
): Promise<Sandbox> {
  const { order, runFolder } = run;
  const out = await open(run.archive, 'w');
  const log = await open(run.logPath, 'w');
  try {
    return await startIsolated(isolation, {
      argv: ['/bin/sh', '-c', order.script, 'build', ...order.words],
      folder: workFolder,
      mounts: [...order.mounts, { access: 'write', target: workFolder, quotaBytes: workBytesMax }],
      environment: order.environment,
      marker: `PROVISO_RUN=${randomUUID()}`,
      output: { out: out.fd, err: log.fd },
      scratchBytes: scratchBytesMax,
      limits: {
        memoryMb: order.memoryMb,
        filesMb: filesMbMax,
        processes: processesMax,
        cpuShare: 50,
        // Should nobody be left to end it in time: each process by itself.
        cpuSeconds: Math.ceil(order.withinMs / 1_000) * 2,
        fileBytes: fileBytesMax,
      },
      port: null,
      egress: order.hosts.length > 0,
      runFolder,
    });
  } catch (cause) {
    throw broke('expected a sandbox, got none', cause);
  } finally {
    await out.close();
    await log.close();
  }
}

/** Ends the sandbox when it is late, floods its log, or nobody waits for it any more; no process of it is left then. */
async function watched(
  sandbox: Sandbox,
  { signal, logPath, withinMs }: { readonly signal: AbortSignal; readonly logPath: string; readonly withinMs: number },
): Promise<{ readonly code: number | null; readonly stopped: WorkshopEnd['stopped'] }> {
  const deadline = performance.now() + withinMs;
  const ended = new AbortController();
  const exited = sandbox.exited.finally(() => ended.abort());
  let stopped: WorkshopEnd['stopped'] = null;
  while (!ended.signal.aborted && !signal.aborted && stopped === null) {
    await pause(lookMs, undefined, { signal: AbortSignal.any([ended.signal, signal]) }).catch(() => undefined);
    if (performance.now() > deadline) stopped = 'too_late';
    else if ((await stat(logPath)).size > logBytesMax) stopped = 'flooded';
  }
  // Told by the kernel before its group is taken away.
  const outOfMemory = sandbox.ranOutOfMemory();
  await sandbox.end(0);
  const { code } = await exited;
  if (stopped === null && outOfMemory && code !== 0) stopped = 'out_of_memory';
  return { code, stopped };
}

function broke(message: string, cause?: unknown): GateBreakage {
  return new GateBreakage('sandbox_broke', message, { retryable: true, cause });
}
