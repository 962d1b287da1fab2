import type { Look } from './look.ts';

/** Counters of one arm since the edge started. They only grow while the edge lives. */
export type ArmCounters = {
  readonly units: number;
  readonly requests: number;
  readonly firstBadUnits: number;
  readonly badEvents: number;
};

/** One sampling of the edge: who counted, under which lane fence and weight, and the counters so far. */
export type CumulativeSample = {
  /** Boot id of the edge: counters of another incarnation cannot be subtracted. */
  readonly source: string;
  readonly fence: string;
  /** The canary's share in percent, 0..100. */
  readonly weight: number;
  readonly canary: ArmCounters;
  readonly stable: ArmCounters;
};

/** Why two samplings give no look. A dropped look is a gap and contributes a factor of 1. */
export type DroppedReason = 'source_changed' | 'fence_changed' | 'weight_changed' | 'counter_went_back';

/** One look, or the reason why there is none. */
export type LookDifference =
  | { readonly kind: 'look'; readonly look: Look }
  | { readonly kind: 'dropped'; readonly reason: DroppedReason };

/**
 * The look between two samplings. A look across a change of weight is dropped, because the chance that a bad event is
 * the canary's would be unknown in it. Numbers that are no counts (NaN) pass through here and are refused by the judge.
 */
export function lookDifference(before: CumulativeSample, after: CumulativeSample): LookDifference {
  if (before.source !== after.source) return dropped('source_changed');
  if (before.fence !== after.fence) return dropped('fence_changed');
  if (!Object.is(before.weight, after.weight)) return dropped('weight_changed');
  const canary = subtract(before.canary, after.canary);
  const stable = subtract(before.stable, after.stable);
  if (wentBack(canary) || wentBack(stable)) return dropped('counter_went_back');
  return {
    kind: 'look',
    look: {
      canaryWeight: after.weight / 100,
      canaryUnits: canary.units,
      stableUnits: stable.units,
      canaryRequests: canary.requests,
      stableRequests: stable.requests,
      canaryFirstBadUnits: canary.firstBadUnits,
      stableFirstBadUnits: stable.firstBadUnits,
      canaryBadEvents: canary.badEvents,
      stableBadEvents: stable.badEvents,
    },
  };
}

function subtract(before: ArmCounters, after: ArmCounters): ArmCounters {
  return {
    units: after.units - before.units,
    requests: after.requests - before.requests,
    firstBadUnits: after.firstBadUnits - before.firstBadUnits,
    badEvents: after.badEvents - before.badEvents,
  };
}

function wentBack(difference: ArmCounters): boolean {
  return Object.values(difference).some((count) => count < 0);
}

function dropped(reason: DroppedReason): LookDifference {
  return { kind: 'dropped', reason };
}
