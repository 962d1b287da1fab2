import { type Contract, type Digest, type ReleaseId, runOrderOf } from '@proviso/domain';
import { type LaneReport, type ReleaseReport, TargetFailure } from '@proviso/targets';
import type { Clock, Edge } from './ports.ts';
import { type Acted, StepBreakage, quoted, refusing } from './step-outcome.ts';

/** How often an edge is asked while something starts: quick enough for a demo, slow enough for a small machine. */
export const startPollMs = 250;
/** Fetching a large artifact and hashing it come before the contract's own time to get ready. */
export const fetchMsMax = 30_000;

/** What became of a start: it is up, or there is something to tell about the candidate. */
export type Started =
  | { readonly kind: 'ready'; readonly release: ReleaseReport }
  | { readonly kind: 'not'; readonly acted: Acted };

/** What a builder has to do where a machine can neither isolate a prototype nor is told to trust it. */
export const notIsolated: Acted = refusing('inconclusive', {
  code: 'not_isolated',
  message:
    'the machine that should run or read this prototype cannot isolate it, and no operator has vouched for it; ask an operator to install bubblewrap there or to trust the prototype, then run this check again',
});

/**
 * What a report means: up, a no about the candidate, or not yet (null). Only what the edge has given up is a no; a digest
 * or a fetch that fails says nothing about the prototype and is a breakage.
 */
export function startOf(release: ReleaseReport, within: StartBounds & { readonly late: boolean }): Started | null {
  if (release.state === 'ready') return { kind: 'ready', release };
  if (release.reason === 'not_isolated') return { kind: 'not', acted: notIsolated };
  if (release.reason === 'digest_mismatch' || release.reason === 'bad_manifest') throw breakage(release.reason);
  const secret = secretReasons[release.reason ?? ''];
  if (secret !== undefined) {
    const said = quoted(release.detail, within.withheld);
    return {
      kind: 'not',
      acted: refusing('inconclusive', { code: release.reason ?? '', message: `${secret}; ${said}` }),
    };
  }
  if (!release.final && !within.late) return null;
  if (release.reason === 'fetch_failed' || release.state === 'fetching') throw breakage('fetch_failed');
  return { kind: 'not', acted: refusing('fail', reasonOf(release, within)) };
}

/** What an operator has to mend at the lane before the candidate can be started at all. */
const secretReasons: Readonly<Record<string, string>> = {
  secret_missing:
    'a secret that the prototype needs has no value where the lane says it lies; an operator puts it there',
  secret_unreadable: 'a secret of the lane cannot be read where the lane says it lies; an operator mends the place',
  secret_shared: 'a secret of the lane has the value of one in another lane; an operator gives each lane its own',
};

/** What a contract says about a start. */
export interface StartBounds {
  readonly readyMs: number;
  /** Values of the environment, which last words may repeat and we may not. */
  readonly withheld: readonly string[];
}

/** Read from the contract of the candidate. */
export function startBoundsOf(contract: Contract): StartBounds {
  const { readyWithinMs, environment } = runOrderOf(contract);
  return { readyMs: readyWithinMs, withheld: Object.values(environment) };
}

/** What a lane is waited for. */
export interface Awaited extends StartBounds {
  readonly lane: string;
  readonly laneFence: number;
  readonly release: ReleaseId;
  readonly artifact: Digest;
}

/** Waits until the edge runs this release, with these very bytes, under this fence or a newer one. */
export async function awaitRelease(
  { edge, clock, signal }: { readonly edge: Edge; readonly clock: Clock; readonly signal: AbortSignal },
  awaited: Awaited,
): Promise<Started> {
  const deadline = clock.now() + awaited.readyMs + fetchMsMax;
  for (;;) {
    const late = clock.now() >= deadline;
    const report = await observed(edge, awaited.lane, late);
    const served = report !== null && report.fence.counter >= awaited.laneFence ? report : null;
    const release = served?.releases.find((each) => each.release === awaited.release);
    const started = release === undefined ? null : startOf(release, { ...awaited, late });
    if (started?.kind === 'not') return started;
    if (started !== null && release?.treeDigest === awaited.artifact) return started;
    if (started !== null && release?.treeDigest !== undefined) throw breakage('digest_mismatch');
    if (late) throw new StepBreakage('edge_behind');
    await clock.pause(startPollMs, signal);
  }
}

/** A lane as the edge has it; null while the edge or the lane is not there yet, unless time is up. */
export async function observed(edge: Edge, lane: string, late: boolean): Promise<LaneReport | null> {
  try {
    return await edge.observe(lane);
  } catch (error) {
    const passing = error instanceof TargetFailure && (error.retryable || error.code === 'not_found');
    if (late || !passing) throw error;
    return null;
  }
}

function breakage(code: 'digest_mismatch' | 'bad_manifest' | 'fetch_failed'): TargetFailure {
  return new TargetFailure(code, `expected the edge to run the artifact, got ${code}`, { retryable: true });
}

/** Why a prototype is not up, in plain words with what to look at. */
export function reasonOf(
  release: ReleaseReport,
  { readyMs, withheld }: StartBounds,
): { readonly code: string; readonly message: string } {
  const said = quoted(release.detail, withheld);
  switch (release.reason) {
    case 'exited_early':
    case 'exited':
      return { code: 'exited_early', message: `the prototype ended by itself instead of serving; ${said}` };
    case 'start_failed':
      return { code: 'start_failed', message: `the prototype could not be started, look at run.start; ${said}` };
    case 'memory_exceeded':
      return {
        code: 'memory_exceeded',
        message: `the prototype used more memory than run.memoryMbMax allows; ${said}`,
      };
    case 'output_flood':
      return { code: 'output_flood', message: `the prototype wrote more output than can be kept; ${said}` };
    default: {
      const seconds = Math.round(readyMs / 1_000);
      const message = `the prototype did not answer its health check within ${seconds} s after its start; ${said}`;
      return { code: 'never_ready', message };
    }
  }
}
