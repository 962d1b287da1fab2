import { type CanaryMetric, type CanaryRule, type RampRule, rampHolds } from './canary-rule.ts';
import type { GateRule } from './policy.ts';
import type { ShapeProblem } from './shape-reading.ts';
import { type Of, about, choice, duration, group, integer, list, number, preset, text } from './shape.ts';

const portion = about(
  number({ min: 0, max: 1, exclusive: true }),
  'the part of the suspicion that is put on it; errors have the rest',
);
const source = {
  from: about(
    text({ pattern: '^prometheus/[a-z][a-z0-9-]{0,62}$', meaning: 'prometheus/ and a name that an operator gave' }),
    'who has the values; the edge when absent',
  ),
  query: about(text({ min: 1, max: 2_000 }), 'which buckets, with {{arm}}, {{release}} or {{version}} in a label'),
};
const bounded = group(
  { portion },
  { bounds: about(list(number({ min: 0 }), { min: 1, max: 16 }), 'buckets to judge in; all when absent'), ...source },
);

const metrics = group({}, {
  latency: about(bounded, 'how long the first answer to each visitor takes; bounds in milliseconds'),
  score: about(group({ portion }, source), 'how well its answers score, as the release reports it'),
  cost: about(bounded, 'what its answers cost, as the release reports it'),
} satisfies Record<CanaryMetric, unknown>);

const ramp = group(
  {
    budget: group(
      {
        badRequests: about(integer({ min: 1, max: 1_000_000 }), 'bad answers that the first share may cost'),
        requestsPerSecond: about(number({ min: 0.01, max: 1_000_000 }), 'of all users together'),
      },
      { badShare: preset(about(number({ min: 0.001, max: 1 }), 'how bad it may be; 1 is an outage'), 1) },
    ),
  },
  { hold: preset(about(choice(rampHolds), 'where it waits for proof: 10, 20 or 50 percent of users'), 'usual') },
);

const attempts = about(integer({ min: 1, max: 10 }), 'breakages after which the gate is inconclusive');

/** The canary gate as it is written. */
export const canaryShape = group(
  {},
  {
    attemptsMax: preset(attempts, 3),
    weights: about(
      list(integer({ min: 1, max: 100 }), { min: 1, max: 10 }),
      'percent of users, growing; either these or a ramp',
    ),
    ramp: about(ramp, 'a budget from which the weights are planned'),
    metrics: about(metrics, 'what is judged beside errors'),
    channels: about(
      list(choice(['rest', 'slack']), { min: 1, max: 2 }),
      'where a person may bring it to its next share early; all when absent',
    ),
    look: preset(about(duration({ minMs: 200, maxMs: 60_000 }), 'how often the judge looks'), '10s'),
    dwell: preset(about(duration({ minMs: 0, maxMs: 86_400_000 }), 'how long each weight lasts at least'), '30s'),
    deadline: preset(about(duration({ minMs: 1_000, maxMs: 7 * 86_400_000 }), 'after this a person is asked'), '24h'),
    alpha: preset(number({ min: 0.0001, max: 0.2 }), 0.01),
    beta: preset(number({ min: 0.0001, max: 0.2 }), 0.05),
    rateRatioMax: preset(number({ min: 1.1, max: 20 }), 2),
  },
);

type CanaryDocument = Of<typeof canaryShape>;

/**
 * Plans weights from a budget. The statistics are a room of their own, which this one must not know; whoever reads a
 * policy has both.
 */
export type PlanRamp = (
  ramp: RampRule,
  lookMs: number,
) => {
  readonly weights: readonly number[];
  /** Bad answers to reckon with at the first share, and whether that is within the budget. */
  readonly badRequests: number;
  readonly withinBudget: boolean;
};

/** From the words and units of the file to those of the product. */
export function canaryRuleFrom(
  document: CanaryDocument,
  planRamp: PlanRamp,
): CanaryRule & Pick<Extract<GateRule, { gate: 'canary' }>, 'attemptsMax'> {
  const { look, dwell, deadline, weights, ...rest } = document;
  const planned = rest.ramp === undefined ? [] : planRamp(rest.ramp, look).weights;
  return { ...rest, weights: weights ?? planned, lookMs: look, dwellMs: dwell, deadlineMs: deadline };
}

/**
 * What is wrong with how a document asks for its weights; nothing else of it makes sense before. A budget that the least
 * share of all breaks is refused: a policy that promises 50 bad answers and then risks 500 would say what is not true.
 */
export function rampProblem(
  document: CanaryDocument,
  planRamp: PlanRamp,
): Pick<ShapeProblem, 'path' | 'message'> | null {
  const { weights, ramp: asked, look } = document;
  if (asked === undefined)
    return weights === undefined ? { path: [], message: 'expected weights or a ramp, got neither' } : null;
  if (weights !== undefined) return { path: ['ramp'], message: 'expected weights or a ramp, got both' };
  const { withinBudget, badRequests } = planRamp(asked, look);
  if (withinBudget) return null;
  const needed = Math.ceil(badRequests);
  const message = `expected a budget of at least ${needed} bad requests, which is what 1 % of users costs until it is found, got ${asked.budget.badRequests}`;
  return { path: ['ramp', 'budget', 'badRequests'], message };
}
