import {
  type ArmSamples,
  decide,
  type HOLD_PERCENT,
  type JudgePlan,
  type Look,
  nextWeight,
  observe,
  planRamp,
  startJudge,
  SUSPICION_E,
} from '@proviso/judge';
import type { Rule, RuleLook } from './rule.ts';

/** Bad requests that an operator is ready to bear in an outage. */
const BUDGET = 20;

/** What is the operator's choice in a canary of ours. */
export interface JudgedRuleChoice {
  readonly name: string;
  readonly plan: JudgePlan;
  readonly lookSeconds: number;
  readonly requestsPerSecond: number;
  readonly hold: keyof typeof HOLD_PERCENT;
  /** False: the canary stays at its hold weight and is looked at until the horizon, as when a person holds it. */
  readonly advances: boolean;
  /** Latency as the edge counts it, or value by value. */
  readonly latency?: ArmSamples['kind'];
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

function lookOf({ canary, stable, share }: RuleLook, kind: ArmSamples['kind'] | undefined): Look {
  const samples = (latenciesMs: readonly number[]) => (kind === 'values' ? latenciesMs : bucketsOf(latenciesMs));
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
    ...(kind === undefined
      ? {}
      : { metrics: { latency: { kind, canary: samples(canary.latenciesMs), stable: samples(stable.latenciesMs) } } }),
  };
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
