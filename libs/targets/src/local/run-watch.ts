import { setTimeout as pause } from 'node:timers/promises';
import type { ReleaseReason, ReleaseState } from './protocol.ts';
import { type Keeping, settle } from './keeping.ts';
import { type MarkedProcess, residentMbOf } from '@proviso/isolation';
import type { ReleaseRun } from './release-run.ts';
import { probeHealth, type ReleaseAddress } from './upstream.ts';

/** Why a run is over, or why it never began. */
export interface RunEnd {
  readonly state: ReleaseState;
  readonly reason?: ReleaseReason;
  readonly detail?: string;
}

/** How long a release has to become ready when its contract does not say. */
const READY_WITHIN_MS = 15_000;
const PROBE_TIMEOUT_MS = 2_000;
const PROBE_STARTING_EVERY_MS = 100;
const PROBE_READY_EVERY_MS = 2_000;
// One lost answer is chance; three in a row are not.
const MISSES_MAX = 3;
const OUTPUT_LOOK_MS = 200;
const MEMORY_LOOK_MS = 1_000;
const DETAIL_LENGTH_MAX = 2_000;
// What a shell answers when it cannot start the command.
const CANNOT_START_CODES = [126, 127];

/** Watches one run until it ends, breaks a limit, loses its health or is to be stopped. */
export async function watchRun(keeping: Keeping, run: ReleaseRun): Promise<RunEnd> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, keeping.stopping.signal]);
  try {
    return await Promise.race([
      watchExit(keeping, run),
      watchOutput(keeping, signal),
      watchMemory(keeping, run.process, signal),
      watchHealth(keeping, run.address, signal),
    ]);
  } finally {
    over.abort();
  }
}

async function watchExit(keeping: Keeping, { process, sandbox }: ReleaseRun): Promise<RunEnd> {
  const { code, signal } = await process.exited;
  const early = keeping.state === 'starting';
  const how = signal === null ? `code ${code ?? 'unknown'}` : `signal ${signal}`;
  // The kernel stops a flood at the size limit, maybe before our next look: the cause is the flood, not the end.
  const flooded = keeping.output.trim(performance.now());
  const complaint = sandbox?.complaint() ?? '';
  const detail = `ended with ${how}\n${complaint || keeping.output.tail(DETAIL_LENGTH_MAX)}`;
  if (complaint !== '') return { state: 'exited', reason: 'start_failed', detail };
  if (sandbox?.ranOutOfMemory()) return { state: 'exited', reason: 'memory_exceeded', detail };
  if (early && code !== null && CANNOT_START_CODES.includes(code))
    return { state: 'exited', reason: 'start_failed', detail };
  if (flooded) return { state: 'exited', reason: 'output_flood', detail };
  return { state: 'exited', reason: early ? 'exited_early' : 'exited', detail };
}

async function watchOutput(keeping: Keeping, signal: AbortSignal): Promise<RunEnd> {
  while (await waits(OUTPUT_LOOK_MS, signal)) {
    if (keeping.output.trim(performance.now()))
      return { state: 'exited', reason: 'output_flood', detail: keeping.output.tail(DETAIL_LENGTH_MAX) };
  }
  return { state: 'stopped' };
}

async function watchMemory(keeping: Keeping, process: MarkedProcess, signal: AbortSignal): Promise<RunEnd> {
  while (await waits(MEMORY_LOOK_MS, signal)) {
    const limitMb = keeping.order.contract.memoryMbMax ?? Number.POSITIVE_INFINITY;
    const usedMb = residentMbOf(process);
    if (usedMb > limitMb) {
      const detail = `expected at most ${limitMb} MiB of memory, got ${Math.round(usedMb)}`;
      return { state: 'exited', reason: 'memory_exceeded', detail };
    }
  }
  return { state: 'stopped' };
}

async function watchHealth(keeping: Keeping, address: ReleaseAddress, signal: AbortSignal): Promise<RunEnd> {
  const { health, readyWithinMs = READY_WITHIN_MS } = keeping.order.contract;
  const probe = { path: health.path, timeoutMs: health.timeoutMs ?? PROBE_TIMEOUT_MS };
  const deadline = performance.now() + readyWithinMs;
  while (!(await probeHealth(address, probe))) {
    if (performance.now() > deadline) {
      const detail = `expected ${health.path} to answer below 400 within ${readyWithinMs} ms\n${keeping.output.tail(DETAIL_LENGTH_MAX)}`;
      return { state: 'unhealthy', reason: 'health_timeout', detail };
    }
    if (!(await waits(PROBE_STARTING_EVERY_MS, signal))) return { state: 'stopped' };
  }
  if (signal.aborted) return { state: 'stopped' };
  settle(keeping, 'ready');
  let misses = 0;
  while (await waits(PROBE_READY_EVERY_MS, signal)) {
    const healthy = await probeHealth(address, probe);
    if (signal.aborted) break;
    misses = healthy ? 0 : misses + 1;
    if (misses >= MISSES_MAX) {
      const lost = {
        state: 'unhealthy',
        reason: 'health_lost',
        detail: keeping.output.tail(DETAIL_LENGTH_MAX),
      } as const;
      if (keeping.duty === 'serving') return lost;
      // A canary that lost its health gets no traffic but stays, so that one can look at it, and may come back.
      settle(keeping, lost.state, lost.reason, lost.detail);
    } else if (healthy && keeping.state === 'unhealthy') {
      settle(keeping, 'ready');
    }
  }
  return { state: 'stopped' };
}

async function waits(durationMs: number, signal: AbortSignal): Promise<boolean> {
  // Rejects only when the run is over, which is the answer.
  return pause(durationMs, true, { signal, ref: false }).catch(() => false);
}
