import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWithPort } from '@proviso/domain';
import {
  adoptProcess,
  type EgressCounts,
  type EgressProxy,
  egressPort,
  egressSocketOf,
  endProcess,
  inboundSocketOf,
  type Isolation,
  type MarkedProcess,
  openEgressProxy,
  type Sandbox,
  startIsolated,
} from '@proviso/isolation';
import { messageOf, TargetFailure } from './failure.ts';
import { FILE_BLOCKS_MAX } from './output-log.ts';
import type { RunContract } from './protocol.ts';
import { findFreePort, startProcess } from './release-process.ts';
import type { RunRecord } from './state-file.ts';
import type { ReleaseAddress } from './upstream.ts';

/** One run of a release: its process, where it is reached, and our side of its way out. */
export interface ReleaseRun {
  readonly process: MarkedProcess;
  readonly address: ReleaseAddress;
  /** Null when it runs bare or was adopted: then only the kernel's memory of it is left. */
  readonly sandbox: Sandbox | null;
  /** Closes what is ours and leaves the process alone. */
  readonly letGo: () => Promise<void>;
}

/** What a run is made from. */
export interface RunPlan {
  readonly contract: RunContract;
  /** The verified files. */
  readonly folder: string;
  readonly temporaryFolder: string;
  readonly logPath: string;
  readonly isolation: Isolation;
  readonly egress: EgressCounts;
  /** Takes what it reports of its answers; null where nobody listens. */
  readonly receive: RequestListener | null;
}

// Inside its own network every release may have the same one.
const PORT_INSIDE = 8_080;
const SCRATCH_BYTES = 64 * 1024 * 1024;
const MEMORY_MB_USUAL = 512;
// The kernel counts threads, of which one Node has a dozen.
const PROCESSES_MAX = 256;
// All releases together leave the better half of a busy processor to the services.
const CPU_SHARE = 50;
const TREE = '/app';

/** Names a run before it begins, so that it can be found and ended whenever we die. */
export async function nameRun(key: string, isolation: Isolation): Promise<RunRecord> {
  const id = randomUUID();
  const bare = isolation.way === 'none';
  return {
    key,
    pid: null,
    identity: null,
    marker: `PROVISO_RUN=${id}`,
    isolated: !bare,
    way: isolation.way,
    port: bare ? await findFreePort() : PORT_INSIDE,
    // Not in the data folder: the path of a socket must be short, and that of a data folder need not be.
    runFolder: bare ? null : join(tmpdir(), `proviso-run-${id.slice(0, 18)}`),
  };
}

/** Starts a named run, in a sandbox wherever one is to be had. */
export async function startRun(record: RunRecord, plan: RunPlan): Promise<ReleaseRun> {
  const { runFolder, marker, port } = record;
  if (runFolder === null) {
    const process = await startProcess({ ...plan, marker, port });
    return { process, address: { port }, sandbox: null, letGo: () => Promise.resolve() };
  }
  // Fails when somebody was there before us: in a folder for all, a name that is taken is not ours.
  mkdirSync(runFolder, { mode: 0o700 });
  const proxy = await openProxy(runFolder, plan);
  try {
    const sandbox = await startSandbox(record, runFolder, plan);
    return { process: sandbox, address: addressOf(record), sandbox, letGo: proxy.close };
  } catch (cause) {
    await proxy.close();
    throw new TargetFailure('start_failed', `start: ${messageOf(cause)}`, { retryable: true, cause });
  }
}

/** Takes over a run of an earlier edge, its way out included; null when it is over. */
export async function adoptRun(
  record: RunRecord,
  plan: Pick<RunPlan, 'contract' | 'egress' | 'receive'>,
): Promise<ReleaseRun | null> {
  const process = adoptProcess(record);
  if (process === null) return null;
  const proxy = record.runFolder === null ? null : await openProxy(record.runFolder, plan);
  return { process, address: addressOf(record), sandbox: null, letGo: async () => await proxy?.close() };
}

/** Ends a run, living or not, and removes what it had. */
export async function endRun(record: RunRecord, graceMs: number): Promise<void> {
  await endProcess(record, graceMs);
  if (record.runFolder !== null) await rm(record.runFolder, { recursive: true, force: true });
}

function addressOf({ runFolder, port }: RunRecord): ReleaseAddress {
  return runFolder === null ? { port } : { socketPath: inboundSocketOf(runFolder) };
}

function openProxy(
  runFolder: string,
  { contract, egress, receive }: Pick<RunPlan, 'contract' | 'egress' | 'receive'>,
): Promise<EgressProxy> {
  const hosts = contract.egress ?? [];
  const listening = receive === null ? {} : { receive };
  return openEgressProxy({ socketPath: egressSocketOf(runFolder), hosts, counted: egress, ...listening });
}

/** Where OpenTelemetry's libraries send metrics unless the contract says otherwise, and in the form that is understood. */
const reportingEnvironment = {
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://127.0.0.1:${egressPort}/v1/metrics`,
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
} as const;

async function startSandbox(record: RunRecord, runFolder: string, plan: RunPlan): Promise<Sandbox> {
  const { contract, isolation } = plan;
  const { node = 'node', path = '' } = isolation.toolchain ?? {};
  const [program = 'node', ...rest] = startWithPort(contract, PORT_INSIDE);
  // A file instead of a pipe: a pipe's writer would be killed or blocked by the edge's death.
  const output = openSync(plan.logPath, 'a', 0o600);
  try {
    return await startIsolated(isolation, {
      argv: [program === 'node' ? node : program, ...rest],
      folder: TREE,
      mounts: [{ access: 'read', source: plan.folder, target: TREE }],
      environment: {
        PATH: path,
        ...(plan.receive !== null && reportingEnvironment),
        ...contract.environment,
        ...{ HOME: '/tmp', TMPDIR: '/tmp', HOST: '127.0.0.1', [contract.portEnvironment]: String(PORT_INSIDE) },
      },
      marker: record.marker,
      output: { out: output, err: output },
      scratchBytes: SCRATCH_BYTES,
      limits: {
        memoryMb: contract.memoryMbMax ?? MEMORY_MB_USUAL,
        processes: PROCESSES_MAX,
        cpuShare: CPU_SHARE,
        fileBytes: FILE_BLOCKS_MAX * 512,
      },
      port: PORT_INSIDE,
      egress: true,
      runFolder,
    });
  } finally {
    closeSync(output);
  }
}
