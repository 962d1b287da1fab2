import { type MetricName, type MetricPlan, impossibleSamples } from './metric-evidence.ts';
import type { ArmSamples } from './rank-evidence.ts';

/** What both arms did between two samplings of the edge, at one weight. All counts are of this look only. */
export type Look = {
  /** The canary's share of the units, 0..1, as the edge really applied it. */
  readonly canaryWeight: number;
  /**
   * A unit is a request or, with sticky routing, a sticky key that was met on this side for the first time. Each counts
   * once in a canary, so that those who fail are a part of those who came; it may fail looks after it came.
   */
  readonly canaryUnits: number;
  readonly stableUnits: number;
  readonly canaryRequests: number;
  readonly stableRequests: number;
  /** Units whose *first* bad event of the release fell in this look. */
  readonly canaryFirstBadUnits: number;
  readonly stableFirstBadUnits: number;
  readonly canaryBadEvents: number;
  readonly stableBadEvents: number;
  /** Traffic made by us: it may condemn a canary, never promote it. */
  readonly synthetic?: boolean;
  /**
   * What else is judged, by metric. One that the plan does not name is left alone; one that it names may be missing. With
   * sticky units only each unit's first value belongs here: which units are on the canary is drawn once, so values of a
   * unit that was seen before are no fresh draw, and a few slow users condemn a healthy canary.
   */
  readonly metrics?: Readonly<Partial<Record<MetricName, ArmSamples>>>;
  /**
   * Metrics whose source has collected nothing newer since the last look: neither evidence nor silence. Whoever says so
   * bounds how long, since a judge knows no clock.
   */
  readonly waiting?: readonly MetricName[];
};

/** Why a look cannot be evidence. A refused look is never skipped in silence: the verdict after it is inconclusive. */
export type LookRefusalCode =
  | 'not_a_share'
  | 'not_a_count'
  | 'first_bad_exceeds_bad_events'
  | 'units_exceed_requests'
  | 'bad_events_exceed_requests'
  | 'unexpected_stable_arm'
  | 'impossible_samples'
  | 'several_series';

/** A typed "no" to a look, with what was expected and what was got. */
export type LookRefusal = { readonly kind: 'refused'; readonly code: LookRefusalCode; readonly message: string };

/** Counts above this are a broken counter, not traffic; the bound also keeps all totals exact in a double. */
const LOOK_COUNT_MAX = 1e12;

/** Checks a look that came from outside: the refusal, or undefined when its numbers are possible. */
export function refuseLook(
  look: Look,
  firstRelease: boolean,
  metrics: readonly MetricPlan[] = [],
): LookRefusal | undefined {
  if (!(look.canaryWeight >= 0 && look.canaryWeight <= 1)) {
    return refusal('not_a_share', `expected canaryWeight between 0 and 1, got ${look.canaryWeight}`);
  }
  if (firstRelease && look.stableUnits + look.stableRequests + look.stableBadEvents > 0) {
    return refusal('unexpected_stable_arm', `expected no stable arm in a first release, got ${look.stableUnits} units`);
  }
  const canary: ArmCounts = {
    arm: 'canary',
    units: look.canaryUnits,
    requests: look.canaryRequests,
    firstBad: look.canaryFirstBadUnits,
    badEvents: look.canaryBadEvents,
  };
  const stable: ArmCounts = {
    arm: 'stable',
    units: look.stableUnits,
    requests: look.stableRequests,
    firstBad: look.stableFirstBadUnits,
    badEvents: look.stableBadEvents,
  };
  return refuseArm(canary) ?? refuseArm(stable) ?? refuseMetrics(look, metrics);
}

/** Samples of a metric that is judged must be numbers of its kind; what is not judged cannot spoil a look. */
function refuseMetrics({ metrics }: Look, plans: readonly MetricPlan[]): LookRefusal | undefined {
  if (metrics === undefined) return undefined;
  for (const plan of plans) {
    const samples = metrics[plan.metric];
    if (samples !== undefined && impossibleSamples(samples, plan)) {
      const expected = samples.kind === 'values' ? 'finite values' : `counts in ${plan.bounds.length + 1} buckets`;
      return refusal('impossible_samples', `expected ${expected} of ${plan.metric} in both arms, got something else`);
    }
  }
  return undefined;
}

type ArmCounts = {
  readonly arm: 'canary' | 'stable';
  readonly units: number;
  readonly requests: number;
  readonly firstBad: number;
  readonly badEvents: number;
};

/** Counts must be whole, and a part may not exceed its whole; both arms obey the same rules. A unit may fail later. */
function refuseArm({ arm, units, requests, firstBad, badEvents }: ArmCounts): LookRefusal | undefined {
  if (!isCount(units) || !isCount(requests) || !isCount(firstBad) || !isCount(badEvents)) {
    return refusal('not_a_count', `expected counts of the ${arm} arm, got ${[units, requests, firstBad, badEvents]}`);
  }
  if (firstBad > badEvents) return excess('first_bad_exceeds_bad_events', arm, firstBad, badEvents);
  if (units > requests) return excess('units_exceed_requests', arm, units, requests);
  if (badEvents > requests) return excess('bad_events_exceed_requests', arm, badEvents, requests);
  return undefined;
}

function isCount(count: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= LOOK_COUNT_MAX;
}

function excess(code: LookRefusalCode, arm: ArmCounts['arm'], part: number, whole: number): LookRefusal {
  return refusal(code, `expected at most ${whole} in the ${arm} arm, got ${part}`);
}

function refusal(code: LookRefusalCode, message: string): LookRefusal {
  return { kind: 'refused', code, message };
}
