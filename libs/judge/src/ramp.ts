import { type JudgeDecision, SUSPICION_E } from './canary-verdict.ts';

/** History of a promotion is bounded: at most this many weights, 100 included (architecture.md, Temporal). */
export const WEIGHT_STEPS_MAX = 6;

/** A doubling that would stop just short of the hold weight goes there at once instead of spending a step on it. */
const LAST_FACTOR_MAX = 2.5;

/** What a first weight may cost at most, should the canary be as bad as it can be. */
export type HarmBudget = {
  readonly badRequestsMax: number;
  readonly requestsPerSecond: number;
  /** Share of bad answers to reckon with, 1 for an outage. */
  readonly badShare: number;
  readonly lookSeconds: number;
  readonly rollbackSeconds: number;
};

/**
 * Where the ramp waits for SAFE. Up to 10 or 20 % the harm until a regression is found hardly depends on the weight;
 * half of all users is for when time matters more (canary.md, Ramp).
 */
export const HOLD_PERCENT = { careful: 10, usual: 20, fast: 50 } as const;

/** A ramp as planned before the first request. */
export type RampPlan = {
  /** Whole percents, rising: the first, its doublings, the hold weight, 100. */
  readonly weights: readonly number[];
  /** Bad requests to reckon with at the first weight, from its first request until everybody is back on stable. */
  readonly badRequests: number;
  /** False when even 1 %, the least weight there is, costs more than the budget: a person should know before. */
  readonly withinBudget: boolean;
};

/**
 * The ramp for a budget: w1 ≤ budget/(λ·p_bad·(look + time to roll back)), doubling up to the hold weight, then 100.
 * A budget that allows more than the hold weight starts there. Source: canary.md, Ramp.
 */
export function planRamp(budget: HarmBudget, hold: keyof typeof HOLD_PERCENT): RampPlan {
  for (const [name, value] of Object.entries(budget)) {
    if (!(value >= 0 && Number.isFinite(value))) throw new RangeError(`expected ${name} from 0, got ${value}`);
  }
  const holdPercent = HOLD_PERCENT[hold];
  const allowed = firstPercentMax(budget);
  const firstPercent = Math.min(holdPercent, Math.max(1, Math.floor(allowed)));
  const badRequests = (exposedRequests(budget) * firstPercent) / 100;
  const weights = climbingWeights({ firstPercent, holdPercent });
  return { weights, badRequests, withinBudget: allowed >= 1 };
}

/** w1 ≤ budget/(λ·p_bad·(look + time to roll back)), as a percentage between 0 and 100 (canary.md, Ramp). */
export function firstPercentMax(budget: HarmBudget): number {
  const exposed = exposedRequests(budget);
  return exposed > 0 ? Math.min(100, (100 * budget.badRequestsMax) / exposed) : 100;
}

/** Where a climb begins and where it waits for SAFE; whole percents, 1 ≤ first ≤ hold < 100. */
export type Climb = { readonly firstPercent: number; readonly holdPercent: number };

/**
 * The weights of a climb: doubling up to the hold weight, then 100. When doubling would take more steps than allowed,
 * the same number of steps is spread evenly in ratio.
 */
export function climbingWeights({ firstPercent, holdPercent }: Climb): readonly number[] {
  const whole = Number.isInteger(firstPercent) && Number.isInteger(holdPercent);
  if (!whole || firstPercent < 1 || holdPercent < firstPercent || holdPercent >= 100) {
    throw new RangeError(`expected 1 <= firstPercent <= holdPercent < 100, got ${firstPercent} and ${holdPercent}`);
  }
  const doubled = doubling(firstPercent, holdPercent);
  const climb = doubled.length < WEIGHT_STEPS_MAX ? doubled : spread(firstPercent, holdPercent);
  return [...climb, 100];
}

/** What the ramp needs to know of the judge and of the clock. */
export type RampEvidence = {
  readonly decision: JudgeDecision['kind'];
  /** ln E against the canary, as the verdict explains it. */
  readonly logEvidence: number;
  readonly dwellMet: boolean;
};

/**
 * The weight to ask for next. Evidence decides about 0 and 100; between them the ramp climbs one step at a time while
 * E < 2, and an inconclusive judge leaves the weight where it is. Only an advance reaches 100.
 */
export function nextWeight(ramp: {
  readonly current: number;
  readonly evidence: RampEvidence;
  readonly steps: readonly number[];
}): number {
  const { current, evidence, steps } = ramp;
  switch (evidence.decision) {
    case 'rollback':
      return 0;
    case 'advance':
      return 100;
    case 'inconclusive':
      return current;
    case 'hold': {
      const calm = evidence.logEvidence < Math.log(SUSPICION_E);
      if (!calm || !evidence.dwellMet) return current;
      return steps.find((step) => step > current && step < 100) ?? current;
    }
  }
}

/** Bad requests of an arm that had all traffic, until the first look has found them and the way back is done. */
function exposedRequests({ requestsPerSecond, badShare, lookSeconds, rollbackSeconds }: HarmBudget): number {
  return requestsPerSecond * badShare * (lookSeconds + rollbackSeconds);
}

function doubling(first: number, hold: number): readonly number[] {
  const weights = [first];
  for (let weight = first; weight < hold; weights.push(weight)) {
    weight = weight * LAST_FACTOR_MAX >= hold ? hold : weight * 2;
  }
  return weights;
}

function spread(first: number, hold: number): readonly number[] {
  const count = WEIGHT_STEPS_MAX - 1;
  const weights = Array.from({ length: count }, (_, index) =>
    Math.round(first * (hold / first) ** (index / (count - 1))),
  );
  return [...new Set(weights)];
}
