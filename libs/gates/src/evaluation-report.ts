import { createHash } from 'node:crypto';
import type { EvaluationVerdict } from '@proviso/judge';
import type { Contract } from '@proviso/domain';
import { type ExchangeRequest, requestText } from './exchange.ts';
import { type Control, type GateReason, missedControls } from './outcome.ts';
import { excerpt } from './redaction.ts';

/** All runs of one case; `mismatch` is the first thing that went wrong. */
export interface CaseResult {
  readonly id: string;
  readonly slice?: string;
  readonly request: ExchangeRequest;
  readonly passes: number;
  readonly trials: number;
  readonly mismatch: string | null;
}

/** One evaluation with all that its report tells. */
export interface EvaluationRun {
  readonly contract: Contract;
  readonly bar: number;
  readonly repeats: number;
  readonly bytes: Uint8Array;
  readonly results: readonly CaseResult[];
  readonly controls: readonly Control[];
  readonly judged: EvaluationVerdict;
}

/** The worst cases are where a person starts; the report lists all. */
const worstShownMax = 5;

/** The verdict in words: the count against the bar first, then the worst cases with what was expected and got. */
export function evaluationReasons(
  run: Pick<EvaluationRun, 'bar' | 'results' | 'judged' | 'controls'>,
): readonly GateReason[] {
  const { bar, results, judged, controls } = run;
  const missed = missedControls(controls);
  const summary = summaryReason(judged, bar);
  const failing = results.filter((result) => result.passes < result.trials);
  const worst = failing.toSorted((a, b) => a.passes / a.trials - b.passes / b.trials).slice(0, worstShownMax);
  return [...missed, summary, ...worst.map(caseReason)];
}

/** The stored report: everything that the verdict was computed from, without secrets. */
export function evaluationDocument(run: EvaluationRun): object {
  const { contract, bar, repeats, bytes, results, controls, judged } = run;
  return {
    kind: 'evaluation_report',
    v: 1,
    casesFile: excerpt(contract.evaluation.cases),
    casesDigest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    bar,
    repeats,
    verdict: judged.verdict,
    because: judged.reasons,
    stats: judged.stats,
    display: judged.display,
    slices: judged.slices,
    moreTrials: judged.moreTrials,
    controls,
    cases: results.map(({ id, slice, request, passes, trials, mismatch }) => ({
      id,
      slice: slice === undefined ? null : excerpt(slice),
      request: requestText(request),
      passes,
      trials,
      mismatch,
    })),
  };
}

function summaryReason(judged: EvaluationVerdict, bar: number): GateReason {
  const { n, k, lower, upper, confidence } = judged.stats;
  const counts = `${k} of ${n} test questions were answered right every time`;
  const sure = `with ${percent(confidence)} confidence`;
  switch (judged.verdict) {
    case 'pass':
      return {
        code: 'bar_met',
        message: `${counts}; ${sure} at least ${percent(lower)} are right, and the bar is ${percent(bar)}`,
      };
    case 'fail':
      return {
        code: 'bar_missed',
        message: `${counts}; ${sure} at most ${percent(upper)} are right, and the bar is ${percent(bar)}; mend the answers that were wrong`,
      };
    case 'inconclusive': {
      const more = judged.moreTrials.newCases;
      const fix =
        typeof more === 'number' && more > 0 ? `; add ${more} more questions that are answered right to decide it` : '';
      const known = judged.reasons
        .filter((reason) => reason !== 'undecided')
        .map((reason) => reason.replaceAll('_', ' '));
      const why = known.length === 0 ? '' : ` (${known.join(', ')})`;
      const code = judged.reasons.includes('undecided') && k === n ? 'cases_too_few' : 'bar_undecided';
      const sofar = `${counts}, which shows at least ${percent(lower)} where the bar is ${percent(bar)}`;
      return { code, message: `this cannot be decided yet${why}: ${sofar}${fix}` };
    }
  }
}

function caseReason(result: CaseResult): GateReason {
  const slice = result.slice === undefined ? '' : ` (${excerpt(result.slice, 40)})`;
  const failed = `${result.trials - result.passes} of ${result.trials} times`;
  const message = `${result.id}${slice} failed ${failed}: asked ${requestText(result.request)}; ${result.mismatch ?? ''}`;
  return { code: 'case_failed', message };
}

/** One decimal, rounded down, so that a bound is never shown better than it is. */
function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}
