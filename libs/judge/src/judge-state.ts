import type { UnitTotals } from './absolute-test.ts';
import { type Capital, capitalOfLogs } from './capital.ts';
import { emptyLabelEvidence, type LabelEvidence } from './label-evidence.ts';
import type { LookRefusalCode } from './look.ts';
import {
  emptyMetricEvidence,
  type MetricEvidence,
  type MetricName,
  type MetricPlan,
  metricPlanFault,
} from './metric-evidence.ts';
import type { RateStratum } from './rate-ratio-interval.ts';
import { emptySafetyEvidence } from './safety-evidence.ts';
import { emptyShareEvidence } from './share-evidence.ts';

/**
 * What is fixed before the first look; changing it in flight would void every error bound, so it lives in the state.
 */
export type JudgePlan = {
  /** p_slo: the share of bad units that the contract allows, strictly between 0 and 1. */
  readonly objective: number;
  /** True when no stable release exists: then only the absolute test decides. */
  readonly firstRelease: boolean;
  /** True when a unit is a sticky key: its events hang together, so first-bad units are used in both halves of J. */
  readonly sticky: boolean;
  /** ρ0: the rate ratio canary/stable that is still fine. */
  readonly rateRatioTolerated: number;
  /** ρmax: the rate ratio that must be ruled out before advancing. */
  readonly rateRatioMax: number;
  /** What is compared beside errors; a first release has nothing to compare with and is judged by its objective. */
  readonly metrics?: readonly MetricPlan[];
};

/** How the last look was taken: used, without traffic, without information on the arms' ratio, or refused. */
export type LookStanding = 'none' | 'counted' | 'empty' | 'gap' | LookRefusalCode;

/** Whose evidence weighs most. */
export type JudgedMetric = 'errors' | MetricName;

/**
 * The judge's whole memory: a few dozen finite numbers (twelve more for each bound of a metric) that survive JSON bit
 * for bit. It is stored beside each look, so that a killed activity goes on from the stored state and never spends α
 * twice. V8 computes ln and exp in software (fdlibm), so a replay gives the same bits on any machine of the same Node
 * release.
 */
export type JudgeState = {
  readonly version: 2;
  readonly plan: JudgePlan;
  readonly looks: number;
  readonly emptyLooksInRow: number;
  readonly lastLook: LookStanding;
  readonly canary: UnitTotals;
  readonly stable: UnitTotals;
  /** Canary units of real traffic alone; synthetic traffic never speaks for advancing. */
  readonly canaryReal: UnitTotals;
  /** Bad events of both arms; 0 opens the absolute test's way to advance. */
  readonly badEvents: number;
  readonly labels: LabelEvidence;
  readonly shares: Capital;
  readonly safety: Capital;
  /** As the plan orders them. */
  readonly metrics: readonly MetricEvidence[];
  readonly strata: readonly RateStratum[];
  /** Largest ln E so far: by Ville's inequality the bound α holds for the maximum, so a condemnation is never lost. */
  readonly logEvidenceMax: number;
  /** Which metric had the largest part of that maximum. */
  readonly worstMetric: JudgedMetric;
};

/** The first version: errors alone, and logarithms of the capitals. Canaries under way at an upgrade have it. */
export type FirstJudgeState = Omit<JudgeState, 'version' | 'shares' | 'safety' | 'metrics' | 'worstMetric'> & {
  readonly version: 1;
  readonly shares: { readonly looks: number; readonly logs: readonly number[]; readonly lateLogs: readonly number[] };
  readonly safety: readonly number[];
};

/** What may be found in the journal. */
export type StoredState = JudgeState | FirstJudgeState;

/** Opens a canary. A plan out of range is a bug of the caller, who has parsed the policy, and is not evidence. */
export function startJudge(plan: JudgePlan): JudgeState {
  const { objective, rateRatioTolerated, rateRatioMax, metrics = [] } = plan;
  if (!(objective > 0 && objective < 1)) {
    throw new RangeError(`expected objective strictly between 0 and 1, got ${objective}`);
  }
  if (!(rateRatioTolerated > 0 && rateRatioMax > rateRatioTolerated && Number.isFinite(rateRatioMax))) {
    throw new RangeError(
      `expected 0 < rateRatioTolerated < rateRatioMax, got ${rateRatioTolerated} and ${rateRatioMax}`,
    );
  }
  const fault = metricPlanFault(metrics);
  if (fault !== undefined) throw new RangeError(fault);
  return {
    version: 2,
    plan,
    looks: 0,
    emptyLooksInRow: 0,
    lastLook: 'none',
    canary: { bad: 0, ok: 0 },
    stable: { bad: 0, ok: 0 },
    canaryReal: { bad: 0, ok: 0 },
    badEvents: 0,
    labels: emptyLabelEvidence(),
    shares: emptyShareEvidence(),
    safety: emptySafetyEvidence(),
    metrics: metrics.map(emptyMetricEvidence),
    strata: [],
    logEvidenceMax: 0,
    worstMetric: 'errors',
  };
}

/** The memory in today's form, so that a canary begun by the version before goes on with all its evidence. */
export function currentState(stored: StoredState): JudgeState {
  switch (stored.version) {
    case 2:
      return stored;
    case 1:
      return {
        ...stored,
        version: 2,
        shares: capitalOfLogs(stored.shares),
        // Without a late start nobody asks how many looks were bet on.
        safety: capitalOfLogs({ looks: stored.looks, logs: stored.safety, lateLogs: [] }),
        metrics: [],
        worstMetric: 'errors',
      };
    default: {
      const { version } = stored as { readonly version: unknown };
      // Older code must not go on with newer memory: it would drop evidence that it does not know.
      throw new RangeError(`expected a judge's state of version 1 or 2, got ${String(version)}`);
    }
  }
}
