import type { PolicyProblem } from './policy.ts';
import { durationText } from './shape.ts';

/**
 * What is looked at while a release is live, in the order of one round: what needs nobody's answer comes first, and the
 * drift reads the report that the evaluation before it has left.
 */
export const watchChecks = ['owner', 'review', 'cost', 'errorBudget', 'scan', 'evaluation', 'drift'] as const;
/** One of them. */
export type WatchCheck = (typeof watchChecks)[number];

/** What a policy may order when a check is breached, from least to most. */
export const watchActions = ['note', 'hold', 'demote', 'rollback'] as const;
/** One of them. */
export type WatchAction = (typeof watchActions)[number];

interface Ordered {
  readonly do: WatchAction;
}

/** How a policy wants a live release to be watched: a check without a row is not made. */
export interface WatchRule {
  readonly everyMs: number;
  /** Breached when whoever answers for the prototype has been shut out. */
  readonly owner?: Ordered;
  /** Breached when it has been live for so long. */
  readonly review?: Ordered & { readonly afterMs: number };
  /** Breached when a day costs more, in the currency of the reports. */
  readonly cost?: Ordered & { readonly capPerDay: number };
  /** Breached when errors surely come this many times as fast as the contract's objective allows. */
  readonly errorBudget?: Ordered & { readonly burnMax: number };
  /** Breached by whatever was not found when the release was let through. */
  readonly scan?: Ordered;
  /** Breached when the share of right answers is surely below this. */
  readonly evaluation?: Ordered & { readonly below: number };
  /** Breached when the scores have moved this far from those of the promotion (population stability index). */
  readonly drift?: Ordered & { readonly psiMax: number };
}

/** What does not make sense in it beside the gates; null: it does. */
export function watchProblem(watch: WatchRule | undefined, gates: readonly string[]): PolicyProblem | null {
  if (watch === undefined) return null;
  if (!gates.includes('canary'))
    return { path: ['watch'], message: 'expected a canary among the gates: without one nothing goes live' };
  if (watchChecks.every((check) => watch[check] === undefined))
    return { path: ['watch'], message: `expected at least one of ${watchChecks.join(', ')}, got none` };
  if (watch.evaluation !== undefined && !gates.includes('evaluation'))
    return { path: ['watch', 'evaluation'], message: 'expected an evaluation among the gates, got none' };
  if (watch.drift !== undefined && watch.evaluation === undefined)
    return { path: ['watch', 'drift'], message: 'expected evaluation beside it: drift compares its reports' };
  return null;
}

type Bounds = {
  readonly [Check in WatchCheck]: {
    readonly isBreached: (figure: number, rule: NonNullable<WatchRule[Check]>) => boolean;
    readonly words: (figure: number, rule: NonNullable<WatchRule[Check]>) => string;
  };
};

const rounded = (figure: number): string => String(Math.round(figure * 1_000) / 1_000);
const percent = (share: number): string => `${Math.floor(share * 1_000) / 10} %`;

/** What each figure means against its row. A closed table: a check without a row does not compile. */
const bounds: Bounds = {
  owner: {
    isBreached: (shutOut) => shutOut > 0,
    words: (shutOut) => (shutOut > 0 ? 'nobody answers for it: its owner was shut out' : 'somebody answers for it'),
  },
  review: {
    isBreached: (liveMs, { afterMs }) => liveMs >= afterMs,
    words: (liveMs, { afterMs }) =>
      `it has been live for ${daysOf(liveMs)} days, and a review is due after ${durationText(afterMs)}`,
  },
  cost: {
    isBreached: (perDay, { capPerDay }) => perDay > capPerDay,
    words: (perDay, { capPerDay }) => `a day costs ${rounded(perDay)}, and the cap is ${capPerDay}`,
  },
  errorBudget: {
    isBreached: (burn, { burnMax }) => burn > burnMax,
    words: (burn, { burnMax }) =>
      `errors come at least ${rounded(burn)} times as fast as its objective allows, and the bound is ${burnMax}`,
  },
  scan: {
    isBreached: (findings) => findings > 0,
    words: (findings) => `${findings} ${findings === 1 ? 'finding' : 'findings'} since it was let through`,
  },
  evaluation: {
    isBreached: (upper, { below }) => upper < below,
    words: (upper, { below }) => `at most ${percent(upper)} of its answers are right, and the bar is ${percent(below)}`,
  },
  drift: {
    isBreached: (psi, { psiMax }) => psi > psiMax,
    words: (psi, { psiMax }) => `its scores have drifted by ${rounded(psi)} (PSI), and the bound is ${psiMax}`,
  },
};

/** A figure against the rule, with the sentence about both. The rule must have the check. */
export function judgeWatch(
  rule: WatchRule,
  check: WatchCheck,
  figure: number,
): { readonly breached: boolean; readonly words: string } {
  // The table pairs each check with its own row; the compiler cannot follow that pairing through a variable.
  const { isBreached, words } = bounds[check] as Bounds['scan'];
  const row = rule[check] as NonNullable<WatchRule['scan']>;
  return { breached: isBreached(figure, row), words: words(figure, row) };
}

const dayMs = 24 * 3_600_000;

function daysOf(ms: number): number {
  return Math.floor(ms / dayMs);
}
