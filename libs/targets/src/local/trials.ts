import { TargetFailure } from './failure.ts';
import { TRIAL_LEASE_MS_MAX } from './orders.ts';
import type { TrialOrder, TrialState } from './protocol.ts';
import type { Supervisor } from './supervisor.ts';

/** Short-lived releases outside any lane: a worker evaluates a candidate in them. */
export interface Trials {
  /** Starts a trial or renews its lease; a second artifact under one id is refused as a conflict. */
  readonly put: (id: string, order: TrialOrder) => TrialState;
  readonly get: (id: string) => TrialState | null;
  /** True when there was one; settles when its processes are gone. */
  readonly stop: (id: string) => Promise<boolean>;
  readonly list: () => readonly TrialState[];
  /** The place under which the supervisor keeps it, and its release, for the router. */
  readonly find: (id: string) => { place: string; release: string } | null;
  /** Ends what was not renewed in time; called by the edge's clock. */
  readonly expire: () => Promise<void>;
}

// Each is a whole process; more at once would starve the lanes.
const TRIALS_MAX = 16;

/** Opens the trials of an edge; `nowMs` is monotonic. */
export function openTrials(options: { supervisor: Supervisor; nowMs: () => number }): Trials {
  const { supervisor, nowMs } = options;
  const trials = new Map<string, { order: TrialOrder; expiresMs: number }>();
  const stateOf = (id: string): TrialState | null => {
    const trial = trials.get(id);
    const [release] = supervisor.reports(placeOf(id));
    if (trial === undefined || release === undefined) return null;
    const leaseRemainingMs = Math.max(0, Math.round(trial.expiresMs - nowMs()));
    return { id, host: hostOf(id), leaseRemainingMs, release };
  };
  const stop = async (id: string): Promise<boolean> => {
    const existed = trials.delete(id);
    await supervisor.giveUp(placeOf(id));
    return existed;
  };
  return {
    put: (id, order) => {
      assertPossible(id, order, trials);
      const leaseMs = Math.min(order.leaseMs, TRIAL_LEASE_MS_MAX);
      trials.set(id, { order, expiresMs: nowMs() + leaseMs });
      supervisor.tryOut(placeOf(id), order);
      const state = stateOf(id);
      if (state === null) throw new TargetFailure('not_found', `expected trial ${id} to exist`, { retryable: true });
      return state;
    },
    get: stateOf,
    stop,
    list: () => [...trials.keys()].flatMap((id) => stateOf(id) ?? []),
    find: (id) => {
      const trial = trials.get(id);
      return trial === undefined ? null : { place: placeOf(id), release: trial.order.release };
    },
    expire: async () => {
      const late = [...trials].filter(([, trial]) => trial.expiresMs <= nowMs());
      await Promise.all(late.map(([id]) => stop(id)));
    },
  };
}

function assertPossible(id: string, order: TrialOrder, trials: Map<string, { order: TrialOrder }>): void {
  if (!isTrialId(id))
    throw new TargetFailure('bad_request', 'trial: expected a-z, 0-9 and -, at most 48', { retryable: false });
  const known = trials.get(id);
  if (known === undefined && trials.size >= TRIALS_MAX) {
    throw new TargetFailure('too_many', `expected at most ${TRIALS_MAX} trials`, { retryable: true });
  }
  const same = known?.order.artifactDigest === order.artifactDigest && known.order.release === order.release;
  if (known !== undefined && !same) {
    throw new TargetFailure('conflict', `expected trial ${id} to keep its release`, { retryable: false });
  }
}

/** A trial's id is part of a host name. */
export function isTrialId(id: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,47}$/.test(id);
}

function hostOf(id: string): string {
  return `trial-${id}.localhost`;
}

function placeOf(id: string): string {
  // No lane's id has a line break, so a trial never meets a lane.
  return `trial\n${id}`;
}
