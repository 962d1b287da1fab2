import type { CanaryRule, PaceKind } from '@proviso/domain';
import {
  type CumulativeSample,
  EMPTY_LOOKS_MAX,
  type JudgePlan,
  type JudgeState,
  type JudgeVerdict,
  type Look,
  type LookDifference,
  judge,
  lookDifference,
  observe,
  startJudge,
  unreadable,
} from '@proviso/judge';
import type { ArmTotals, CountsThen, LaneCounts } from '@proviso/targets';
import { arrivalsPerMinute, type Mark, withMark } from './arrivals.ts';
import { type UsedUp, takeReadings } from './metric-look.ts';
import { gapsInWords, type MetricReadings } from './metric-source.ts';

/**
 * Where a canary stands: the judge's memory, the last counters it has used up, and the share they were counted under. It
 * is stored with every look that reaches the journal and continued by whoever looks next. Looks in between that were
 * lost with a killed worker lose no evidence: counters are cumulative, so the next difference simply spans them.
 */
export interface Course {
  readonly v: 1;
  readonly judge: JudgeState;
  readonly sample: CourseSample | null;
  /** The same for each metric beside errors. */
  readonly usedUp: UsedUp;
  /** Why metrics had no values at the newest look, in words; absent before the first. */
  readonly gaps?: readonly string[];
  /** Since when this share has been served without a break; null while it is not. Values from before are of another. */
  readonly servedSince: number | null;
  /** The share as decided, in percent; 0 before the first. */
  readonly weight: number;
  readonly laneFence: number;
  /** When the edge was first seen serving this share; the dwell counts from here. */
  readonly weightSince: number | null;
  /** When counts of the share as decided last came, and values of all metrics with them; what people are told then. */
  readonly countedAt: number | null;
  /** Looks in a row in which nobody came, to either arm or to a closed door. */
  readonly idleLooks: number;
  /** Requests that the canary answered under this share. */
  readonly requestsAtWeight: number;
  readonly looks: number;
  /** When how many had come under this share, for nothing but telling people how much longer it takes; absent: none. */
  readonly marks?: readonly Mark[];
}

/** Counters as the edge gave them, with those that turned visitors away and how many were met on neither side before. */
export type CourseSample = CumulativeSample & { readonly turnedAway: number; readonly newcomers: number };

/** What a look leads to. Nothing here lowers a share step by step: condemning goes to 0 at once. */
export type Move =
  | { readonly kind: 'hold' }
  | { readonly kind: 'weigh'; readonly percent: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'condemn' }
  | { readonly kind: 'give_up' };

/** A course at its beginning. */
export function beginCourse(plan: JudgePlan, at: { readonly weight: number; readonly laneFence: number }): Course {
  return {
    v: 1,
    judge: startJudge(plan),
    sample: null,
    usedUp: {},
    servedSince: null,
    weight: at.weight,
    laneFence: at.laneFence,
    weightSince: null,
    countedAt: null,
    idleLooks: 0,
    requestsAtWeight: 0,
    looks: 0,
  };
}

/** The same course under another share: counters begin anew there, the judge's evidence goes on. */
export function turnCourse(course: Course, at: { readonly weight: number; readonly laneFence: number }): Course {
  if (course.laneFence === at.laneFence && course.weight === at.weight) return course;
  const anew = { sample: null, usedUp: {}, servedSince: null, weightSince: null, idleLooks: 0, requestsAtWeight: 0 };
  return { ...course, ...at, ...anew, marks: [] };
}

/**
 * Takes what the edge counted. Counts under another fence are not ours yet and change nothing; a share that is not served
 * as decided (parked, canary not up) is no look for the judge, but visitors who came are still seen.
 */
export function takeCounts(
  course: Course,
  counts: LaneCounts,
  { now, readings }: { readonly now: number; readonly readings: MetricReadings },
): Course {
  if (counts.fence.counter !== course.laneFence) return course;
  const upTo = takeEnded(course, counts);
  const { firstRelease, metrics: plans = [] } = course.judge.plan;
  const sample = sampleOf(counts, firstRelease);
  const served = sample.weight === course.weight;
  const before = upTo.sample;
  const difference = before === null ? null : lookDifference(before, sample);
  const unbroken = served && difference?.kind === 'look' && course.servedSince !== null;
  const since = unbroken ? course.servedSince : now;
  const newcomers = before !== null && sample.newcomers > before.newcomers;
  const fromBeginning = served && countsFromBeginning(difference);
  const beside = takeReadings(unbroken ? course.usedUp : {}, readings, { plans, since, newcomers, fromBeginning });
  const next: Course = {
    ...upTo,
    sample,
    usedUp: served ? beside.usedUp : {},
    gaps: gapsInWords(readings),
    servedSince: served ? since : null,
    looks: course.looks + 1,
    weightSince: course.weightSince ?? (served ? now : null),
    countedAt: served ? now : course.countedAt,
    idleLooks: idleAfter(course, sample),
  };
  const look = lookSince(difference, { counts, sample, firstRelease });
  if (look === null || !served) return next;
  const { metrics, waiting, fault } = beside;
  const observed = observe(upTo.judge, { ...look, metrics, waiting });
  return {
    ...next,
    // Errors are counted all the same: a source in disorder must not hide an outage.
    judge: fault === null ? observed : unreadable(observed, fault),
    marks: withMark(course.marks ?? [], { at: now, visitors: visitorsJudged(observed) }),
    countedAt: fault === null && !observed.metrics.some(isMissing) ? now : course.countedAt,
    requestsAtWeight: upTo.requestsAtWeight + look.canaryRequests,
  };
}

/**
 * What a change of the share cut short: visitors who met the canary after the last look and before the lease lapsed, say.
 * Left out, a canary that had turned bad in the meantime would be given users again before it is condemned. Values beside
 * errors are not kept with it, so they wait.
 */
function takeEnded(course: Course, counts: LaneCounts): Course {
  const { ended } = counts;
  if (ended === undefined) return course;
  const { firstRelease, metrics: plans = [] } = course.judge.plan;
  const sample = sampleOf({ ...counts, ...ended }, firstRelease);
  const isNext = course.sample === null || course.sample.fence === sample.fence;
  const difference = course.sample === null ? null : lookDifference(course.sample, sample);
  const look = lookSince(difference, { counts: { ...counts, ...ended }, sample, firstRelease });
  const came = look === null ? 0 : look.canaryRequests + look.stableRequests;
  if (!isNext || look === null || came === 0 || sample.weight !== course.weight) return course;
  const waiting = plans.map(({ metric }) => metric);
  const requestsAtWeight = course.requestsAtWeight + look.canaryRequests;
  return { ...course, sample, requestsAtWeight, judge: observe(course.judge, { ...look, waiting }) };
}

type Counted = Omit<LaneCounts, 'canary' | 'stable'> & CountsThen;

/** The look since the last one, or since this share began where there was none under it. */
function lookSince(
  difference: LookDifference | null,
  seen: { readonly counts: Counted; readonly sample: CourseSample; readonly firstRelease: boolean },
): Look | null {
  if (difference?.kind === 'look') return difference.look;
  const { counts, sample, firstRelease } = seen;
  if (!countsFromBeginning(difference) || counts.began === undefined) return null;
  const whole = lookDifference(sampleOf({ ...counts, ...counts.began }, firstRelease), sample);
  return whole.kind === 'look' ? whole.look : null;
}

/** True for the first look under a share. Counters in disorder are none: what was used of them would be used again. */
function countsFromBeginning(difference: LookDifference | null): boolean {
  return difference === null || (difference.kind === 'dropped' && /^(source|fence)_changed$/.test(difference.reason));
}

function idleAfter({ sample: before, idleLooks }: Course, sample: CourseSample): number {
  if (before === null) return idleLooks;
  return before.source === sample.source && visitorsOf(sample) === visitorsOf(before) ? idleLooks + 1 : 0;
}

function isMissing({ missingLooksInRow }: JudgeState['metrics'][number]): boolean {
  return missingLooksInRow > 0;
}

/** True when the judge sees: only then may the lease be renewed. A night without visitors parks the canary. */
export function sees(course: Course): boolean {
  return course.sample !== null && course.idleLooks < EMPTY_LOOKS_MAX;
}

/**
 * How many visitors of the canary come in a minute, under the share of now: both arms' together by its part of them, which
 * at a small share is told by far more visitors than its own.
 */
export function canaryPerMinute({ judge: state, marks = [], weight }: Course, now: number): number | null {
  const perMinute = arrivalsPerMinute(marks, { at: now, visitors: visitorsJudged(state) });
  if (perMinute === null) return null;
  return state.plan.firstRelease ? perMinute : (perMinute * weight) / 100;
}

function visitorsJudged({ canary, stable }: JudgeState): number {
  return canary.bad + canary.ok + stable.bad + stable.ok;
}

/**
 * What to do after a look, and the verdict that says why. `stale` says that this look brought no counts of the share as
 * decided: then nothing goes up, whatever was known before.
 */
export function nextMove(
  course: Course,
  rule: CanaryRule,
  at: { readonly now: number; readonly deadline: number; readonly stale: boolean; readonly pace?: PaceKind },
): { readonly move: Move; readonly judged: JudgeVerdict } {
  const dwellMet = course.weightSince !== null && at.now - course.weightSince >= dwellMsAt(rule, at.pace);
  const deadlineReached = at.now >= at.deadline;
  const { alpha, beta } = rule;
  const judged = judge(course.judge, { alpha, beta, dwellMet, deadlineReached, sampleStale: at.stale });
  return { judged, move: moveOf(course, rule, { judged, dwellMet, deadlineReached }) };
}

/** A person's hand is on the clock alone: what is paused has never dwelt long enough, what is hastened always has. */
function dwellMsAt({ dwellMs }: CanaryRule, pace: PaceKind = 'usual'): number {
  switch (pace) {
    case 'usual':
      return dwellMs;
    case 'paused':
      return Number.POSITIVE_INFINITY;
    case 'hastened':
      return 0;
  }
}

function moveOf(
  course: Course,
  rule: CanaryRule,
  at: { readonly judged: JudgeVerdict; readonly dwellMet: boolean; readonly deadlineReached: boolean },
): Move {
  const { judged, dwellMet, deadlineReached } = at;
  if (judged.kind === 'rollback') return { kind: 'condemn' };
  const proven = judged.kind === 'advance';
  const higher = rule.weights.find((weight) => weight > course.weight);
  if (proven && higher === undefined) return { kind: 'settle' };
  if (deadlineReached && !proven) return { kind: 'give_up' };
  if (higher === undefined || !dwellMet || !sees(course) || course.requestsAtWeight === 0) return { kind: 'hold' };
  // At 100 there is no other arm left to compare with, so only a proven canary goes there.
  const mayClimb = proven || (higher < 100 && isCalm(judged));
  return mayClimb ? { kind: 'weigh', percent: higher } : { kind: 'hold' };
}

/** E < 2 on good looks, and each metric was seen once: a source that collects now and then may have told nothing yet. */
function isCalm({ kind, explanation }: JudgeVerdict): boolean {
  const { logEvidence, rateRatioInterval, metrics } = explanation;
  const against = rateRatioInterval === null ? logEvidence.aboveObjective : logEvidence.joint;
  const heard = metrics.every(({ samples }) => samples.canary > 0 && samples.stable > 0);
  return kind === 'hold' && heard && against < Math.LN2;
}

function visitorsOf({ canary, stable, turnedAway }: CourseSample): number {
  return canary.requests + stable.requests + turnedAway;
}

const nobody = { units: 0, requests: 0, firstBadUnits: 0, badEvents: 0 } as const;

function sampleOf(counts: Counted, firstRelease: boolean): CourseSample {
  const { incarnation, counter } = counts.fence;
  return {
    source: counts.boot,
    // The epoch grows with each change of the served share, whatever caused it: no look may span one.
    fence: `${incarnation}.${counter}.${counts.epoch}`,
    weight: Math.round(counts.weightPercent),
    canary: armOf(counts.canary),
    stable: firstRelease ? nobody : armOf(counts.stable),
    turnedAway: counts.turnedAway,
    newcomers: newcomersOf(counts.canary) + newcomersOf(counts.stable),
  };
}

/** An edge of a version before counts units of each side alone. */
function newcomersOf({ firstUnits, units }: Pick<LaneCounts['canary'], 'firstUnits' | 'units'>): number {
  return firstUnits ?? units;
}

function armOf({ units, requests, firstBadUnits, badEvents }: ArmTotals): CumulativeSample['canary'] {
  return { units, requests, firstBadUnits, badEvents };
}
