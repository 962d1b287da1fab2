import {
  type ArmSamples,
  decide,
  type Heat,
  type HOLD_PERCENT,
  type JudgePlan,
  type Look,
  nextWeight,
  observe,
  planRamp,
  startJudge,
  SUSPICION_E,
} from '@proviso/judge';
import { openHeats } from '../../apps/edge/src/heats.ts';
import type { Rule, RuleLook } from './rule.ts';
import type { Stretch } from './world.ts';

/** Bad requests that an operator is ready to bear in an outage. */
const BUDGET = 20;

/** In what form the judge gets latencies: in the edge's buckets and heats, in buckets alone, or each. */
export type LatencySeen = 'edge' | 'buckets' | 'values';

/** What is the operator's choice in a canary of ours. */
export interface JudgedRuleChoice {
  readonly name: string;
  readonly plan: JudgePlan;
  readonly lookSeconds: number;
  readonly requestsPerSecond: number;
  readonly hold: keyof typeof HOLD_PERCENT;
  /** False: the canary stays at its hold weight and is looked at until the horizon, as when a person holds it. */
  readonly advances: boolean;
  /** Latency as the edge counts it, that without its heats, or value by value. */
  readonly latency?: LatencySeen;
}

/** The bounds of the edge's histogram. */
export const EDGE_BOUNDS_MS: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

/** Our judge with our ramp: the product's own functions, at α 1 % and β 5 %, dwelling one look at each weight. */
export function judgedRule(choice: JudgedRuleChoice): Rule {
  const { lookSeconds, requestsPerSecond, advances } = choice;
  const harm = { badRequestsMax: BUDGET, requestsPerSecond, badShare: 1, lookSeconds, rollbackSeconds: 1 };
  const { weights: steps } = planRamp(harm, choice.hold);
  const rules = { alpha: 0.01, beta: 0.05, dwellMet: advances, deadlineReached: false, sampleStale: false };
  return {
    name: choice.name,
    lookSeconds,
    start: () => {
      let state = startJudge(choice.plan);
      return {
        share: (steps[0] ?? 1) / 100,
        look: (look) => {
          const current = Math.round(look.share * 100);
          // A look in which the share changed is counted from the change, as the worker does by what the edge tells.
          state = observe(state, lookOf({ ...look, ...look.sinceChange }, choice.latency));
          const { kind, reason } = decide(state, rules);
          const logEvidence = reason === 'suspicious' ? Math.log(SUSPICION_E) : 0;
          const next = nextWeight({ current, steps, evidence: { decision: kind, logEvidence, dwellMet: true } });
          if (next === 0) return 'rollback';
          return next === 100 ? 'promote' : { share: next / 100 };
        },
      };
    },
  };
}

function lookOf({ canary, stable, share, order }: RuleLook, seen: LatencySeen | undefined): Look {
  return {
    canaryWeight: share,
    canaryUnits: canary.requests - canary.badEvents + canary.firstBadUnits,
    stableUnits: stable.requests - stable.badEvents + stable.firstBadUnits,
    canaryRequests: canary.requests,
    stableRequests: stable.requests,
    canaryFirstBadUnits: canary.firstBadUnits,
    stableFirstBadUnits: stable.firstBadUnits,
    canaryBadEvents: canary.badEvents,
    stableBadEvents: stable.badEvents,
    ...(seen === undefined ? {} : { metrics: { latency: samplesOf({ canary, stable, order }, seen) } }),
  };
}

function samplesOf(stretch: Stretch, seen: LatencySeen): ArmSamples {
  const [canary, stable] = [stretch.canary.latenciesMs, stretch.stable.latenciesMs];
  if (seen === 'values') return { kind: 'values', canary, stable };
  const buckets = { kind: 'histogram', canary: bucketsOf(canary), stable: bucketsOf(stable) } as const;
  return seen === 'buckets' ? buckets : { ...buckets, heats: heatsOf(stretch) };
}

/** As the edge makes them, which keeps no more than that. */
function heatsOf({ canary, stable, order }: Stretch): readonly Heat[] {
  const heats = openHeats();
  let [ours, theirs] = [0, 0];
  for (const isCanary of order) {
    const [arm, latencyMs = 0] =
      isCanary === 1
        ? ['canary' as const, canary.latenciesMs[ours++]]
        : ['stable' as const, stable.latenciesMs[theirs++]];
    heats.add({ arm, latencyMs, share: heats.share() });
  }
  return heats.read().newest;
}

function bucketsOf(latenciesMs: readonly number[]): readonly number[] {
  const buckets = new Array<number>(EDGE_BOUNDS_MS.length + 1).fill(0);
  for (const latency of latenciesMs) {
    const found = EDGE_BOUNDS_MS.findIndex((bound) => latency <= bound);
    const bucket = found === -1 ? EDGE_BOUNDS_MS.length : found;
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  return buckets;
}
