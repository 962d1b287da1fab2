import type { JudgedMetric, JudgeReason, JudgeVerdict } from '@proviso/judge';
import type { GateOutcome, ReasonCode } from './outcome.ts';

/** What each of the judge's reasons means to a person. */
const plainReasons: Readonly<Record<Exclude<JudgeReason, 'worse_by_metric'>, string>> = {
  worse_than_stable: 'the new version fails more often than the one before',
  objective_breached: 'the new version fails more often than its contract allows',
  safe_against_stable: 'the new version is proven not to be much worse than the one before',
  objective_met: 'the new version keeps what its contract promises',
  collecting: 'there is not enough traffic yet to decide',
  dwell_unmet: 'it looks good, and the time at this share has not passed yet',
  suspicious: 'there are signs that it is worse, not enough to decide',
  look_refused: 'the latest counts make no sense and were not used',
  stale_sample: 'the latest counts are too old',
  metric_silent: 'visitors came and the values of a metric that the policy asks for did not',
  blind: 'no traffic was seen for several looks in a row',
  deadline_reached: 'the time for a decision has passed without one',
  rules_refused: 'the policy of this canary makes no sense',
  state_damaged: 'what was gathered so far cannot be used',
};

/** In what a canary is worse, once that is certain. */
const worseIn: Readonly<Record<JudgedMetric, string>> = {
  errors: plainReasons.worse_than_stable,
  latency: 'the new version is slower than the one before (latency)',
  score: 'the answers of the new version score lower than those of the one before (score)',
  cost: 'the new version costs more than the one before (cost)',
};

/**
 * The judge's answer in the normal form, or null while it is still collecting. `advance` is a pass of the gate only
 * after the last weight; the caller knows which weight it is at.
 */
export function canaryOutcome(judged: JudgeVerdict): Omit<GateOutcome, 'evidence' | 'controls'> | null {
  switch (judged.kind) {
    case 'hold':
      return null;
    case 'rollback':
      return { verdict: 'fail', reasons: [reason('canary_worse', judged)], ...statsOf(judged) };
    case 'advance':
      return { verdict: 'pass', reasons: [reason('canary_healthy', judged)], ...statsOf(judged) };
    case 'inconclusive':
      return { verdict: 'inconclusive', reasons: [reason('canary_undecided', judged)], ...statsOf(judged) };
  }
}

/** One sentence with its numbers, for every surface that shows a canary, also while it is collecting. */
export function canaryWords(judged: JudgeVerdict): string {
  const { samples, anytimeP, rateRatioInterval, needed, metrics } = judged.explanation;
  const parts = [`${plainReasonOf(judged)}: ${armText('new', samples.canary)}`];
  if (rateRatioInterval !== null) {
    parts.push(armText('before', samples.stable));
    const { low, high } = rateRatioInterval;
    const range = high === null ? `at least ${low.toPrecision(2)}` : `${low.toPrecision(2)} to ${high.toPrecision(2)}`;
    parts.push(`errors ${range} times as frequent`);
  }
  for (const { metric, samples: values, logEvidence } of metrics)
    parts.push(`${metric} of ${values.canary} new and ${values.stable} before (log E ${logEvidence.toFixed(1)})`);
  parts.push(`chance of this if it were no worse at most ${anytimeP.toPrecision(2)}`);
  if (judged.kind === 'hold' && needed.canaryUnits !== null && needed.canaryUnits > 0) {
    parts.push(`about ${needed.canaryUnits} more users of the new version decide it`);
  }
  return parts.join('; ');
}

function plainReasonOf({ reason: why, explanation }: JudgeVerdict): string {
  return why === 'worse_by_metric' ? worseIn[explanation.worst] : plainReasons[why];
}

function reason(code: ReasonCode, judged: JudgeVerdict): { readonly code: ReasonCode; readonly message: string } {
  return { code, message: canaryWords(judged) };
}

function armText(name: string, units: { readonly bad: number; readonly ok: number }): string {
  return `${name} ${units.bad} of ${units.bad + units.ok} failed`;
}

/** The interval of the rate ratio; without an upper end there is nothing to show as a number. */
function statsOf(judged: JudgeVerdict): Pick<GateOutcome, 'stats'> {
  const { samples, rateRatioInterval } = judged.explanation;
  if (rateRatioInterval === null || rateRatioInterval.high === null) return {};
  const { bad, ok } = samples.canary;
  const method = 'rate ratio canary/stable, 95 % at any time';
  return { stats: { n: bad + ok, k: bad, lower: rateRatioInterval.low, upper: rateRatioInterval.high, method } };
}
