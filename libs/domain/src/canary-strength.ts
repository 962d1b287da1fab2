import {
  type CanaryMetrics,
  type CanaryRule,
  type MetricRule,
  type RampRule,
  errorsPortion,
  metricNames,
  rampHolds,
} from './canary-rule.ts';
import { doorsField } from './door-strength.ts';
import type { Judged, Strength } from './policy-strength.ts';

/** Which way the fields point that a canary gate may do without. */
export const optionalCanaryFields: {
  readonly [Field in 'ramp' | 'metrics' | 'channels']-?: Judged<CanaryRule[Field]>;
} = {
  ramp: { name: 'ramp', judge: compareRamps, say: sayRamp },
  metrics: { name: 'metrics', judge: compareMetrics, say: sayMetrics },
  channels: doorsField,
};

/** Where weights were written on one side they say what differs; of two budgets the smaller one exposes fewer people. */
function compareRamps(from: RampRule | undefined, to: RampRule | undefined): Strength {
  if (from === undefined || to === undefined) return 'neutral';
  const holdOf = ({ hold }: RampRule): number => rampHolds.indexOf(hold);
  const looser =
    to.budget.badRequests > from.budget.badRequests ||
    to.budget.requestsPerSecond < from.budget.requestsPerSecond ||
    to.budget.badShare < from.budget.badShare ||
    holdOf(to) > holdOf(from);
  return looser ? 'weaker' : 'stronger';
}

function sayRamp(ramp: RampRule | undefined): string {
  if (ramp === undefined) return 'as written';
  const { badRequests, requestsPerSecond, badShare } = ramp.budget;
  return `${badRequests} bad requests at ${requestsPerSecond} a second, ${badShare} of them bad; ${ramp.hold}`;
}

/** Errors keep at least so much of the capital where more metrics count as stronger. */
const errorsPortionMin = 0.5;

/**
 * More metrics see more, and what errors lose by it is a logarithm: a regression is found a little later. Portions that
 * trade one metric for another cannot be compared, and neither can one that leaves little to errors.
 */
function compareMetrics(from: CanaryMetrics = {}, to: CanaryMetrics = {}): Strength {
  const kept = metricNames.every((name) => {
    const [before, after] = [from[name], to[name]];
    if (before === undefined) return true;
    return after !== undefined && after.portion === before.portion && sayHow(before) === sayHow(after);
  });
  const rest = errorsPortion(to);
  return kept && rest >= Math.min(errorsPortionMin, errorsPortion(from)) ? 'stronger' : 'weaker';
}

function sayMetrics(metrics: CanaryMetrics | undefined): string {
  const named = metricNames.flatMap((name) => {
    const rule = metrics?.[name];
    return rule === undefined ? [] : [`${name} ${rule.portion}${sayHow(rule)}`];
  });
  return ['errors', ...named].join(', ');
}

function sayHow({ bounds, from, query }: MetricRule): string {
  const counted = bounds === undefined ? '' : ` in ${bounds.join('/')}`;
  return from === undefined ? counted : `${counted} from ${from} ${query}`;
}
