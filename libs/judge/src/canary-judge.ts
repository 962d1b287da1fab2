import { logAboveObjective, logBelowObjective, type UnitTotals } from './absolute-test.ts';
import {
  emptyLabelEvidence,
  type LabelEvidence,
  type LabelledCounts,
  logLabelEvidence,
  observeLabels,
} from './label-evidence.ts';
import { logAdd } from './log-sum.ts';
import { type Look, type LookRefusalCode, refuseLook } from './look.ts';
import { addToStrata, type RateStratum } from './rate-ratio-interval.ts';
import { emptySafetyEvidence, logSafetyEvidence, observeSafety, type SafetyEvidence } from './safety-evidence.ts';
import { emptyShareEvidence, logShareEvidence, observeShare, type ShareEvidence } from './share-evidence.ts';

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
};

/** How the last look was taken: used, without traffic, without information on the arms' ratio, or refused. */
export type LookStanding = 'none' | 'counted' | 'empty' | 'gap' | LookRefusalCode;

/**
 * The judge's whole memory: a few dozen finite numbers that survive JSON bit for bit. It is stored beside each look, so
 * that a killed activity goes on from the stored state and never spends α twice. V8 computes ln and exp in software
 * (fdlibm), so a replay gives the same bits on any machine of the same Node release.
 */
export type JudgeState = {
  readonly version: 1;
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
  readonly shares: ShareEvidence;
  readonly safety: SafetyEvidence;
  readonly strata: readonly RateStratum[];
  /** Largest ln E so far: by Ville's inequality the bound α holds for the maximum, so a condemnation is never lost. */
  readonly logEvidenceMax: number;
};

/** ln of each part of the evidence, for the verdict's explanation. */
export type LogEvidence = {
  readonly labels: number;
  readonly shares: number;
  readonly joint: number;
  readonly safety: number;
  readonly aboveObjective: number;
  readonly belowObjective: number;
};

/** Opens a canary. A plan out of range is a bug of the caller, who has parsed the policy, and is not evidence. */
export function startJudge(plan: JudgePlan): JudgeState {
  if (!(plan.objective > 0 && plan.objective < 1)) {
    throw new RangeError(`expected objective strictly between 0 and 1, got ${plan.objective}`);
  }
  const { rateRatioTolerated, rateRatioMax } = plan;
  if (!(rateRatioTolerated > 0 && rateRatioMax > rateRatioTolerated && Number.isFinite(rateRatioMax))) {
    throw new RangeError(
      `expected 0 < rateRatioTolerated < rateRatioMax, got ${rateRatioTolerated} and ${rateRatioMax}`,
    );
  }
  return {
    version: 1,
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
    strata: [],
    logEvidenceMax: 0,
  };
}

/**
 * Takes one look; pure and total. A refused look changes nothing but `lastLook`, which keeps the verdict inconclusive
 * until a good look arrives.
 */
export function observe(state: JudgeState, look: Look): JudgeState {
  const { plan } = state;
  const refused = refuseLook(look, plan.firstRelease);
  if (refused !== undefined) return { ...state, lastLook: refused.code };
  const silent = silence(look, plan.firstRelease);
  const compares = !plan.firstRelease && silent !== 'both';
  const telling = look.canaryWeight > 0 && look.canaryWeight < 1;
  const evidence: Comparison = compares && telling ? compare(state, look, silent) : state;
  const canary = addUnits(state.canary, look.canaryUnits, look.canaryFirstBadUnits);
  const real = look.synthetic !== true;
  const next: JudgeState = {
    version: 1,
    plan,
    looks: state.looks + 1,
    emptyLooksInRow: silent === 'none' ? 0 : state.emptyLooksInRow + 1,
    lastLook: standingOf(silent, telling || plan.firstRelease),
    canary,
    stable: addUnits(state.stable, look.stableUnits, look.stableFirstBadUnits),
    canaryReal: real ? addUnits(state.canaryReal, look.canaryUnits, look.canaryFirstBadUnits) : state.canaryReal,
    badEvents: state.badEvents + look.canaryBadEvents + look.stableBadEvents,
    labels: evidence.labels,
    shares: evidence.shares,
    safety: evidence.safety,
    strata: evidence.strata,
    logEvidenceMax: state.logEvidenceMax,
  };
  const against = logAgainst(next);
  return against > state.logEvidenceMax ? { ...next, logEvidenceMax: against } : next;
}

/** ln E against the canary: J = ½·E1 + ½·E3 with a stable arm, R without one. */
export function logAgainst(state: JudgeState): number {
  if (state.plan.firstRelease) return logAboveObjective(state.canary, state.plan.objective);
  return logAdd(logLabelEvidence(state.labels), logShareEvidence(state.shares)) - Math.LN2;
}

/** ln of the evidence for advancing: S for a first release or while nothing bad happened in either arm, else SAFE. */
export function logFor(state: JudgeState): number {
  return decidesByObjective(state)
    ? logBelowObjective(state.canaryReal, state.plan.objective)
    : logSafetyEvidence(state.safety);
}

/** Without any bad event there are no labels to compare, and only the objective can be asked. */
export function decidesByObjective(state: JudgeState): boolean {
  return state.plan.firstRelease || state.badEvents === 0;
}

/** All parts of the evidence at once. */
export function logEvidence(state: JudgeState): LogEvidence {
  return {
    labels: logLabelEvidence(state.labels),
    shares: logShareEvidence(state.shares),
    joint: logAdd(logLabelEvidence(state.labels), logShareEvidence(state.shares)) - Math.LN2,
    safety: logSafetyEvidence(state.safety),
    aboveObjective: logAboveObjective(state.canary, state.plan.objective),
    belowObjective: logBelowObjective(state.canaryReal, state.plan.objective),
  };
}

type SilentArm = 'none' | 'both' | 'canary' | 'stable';

/** An arm that should have had traffic with probability 1 − 10⁻⁶ and had none is not counting (it may hang). */
const LOG_SILENCE = Math.log(1e-6);

/** Which arm said nothing although, at this weight and load, it must have had something to say. */
function silence(look: Look, firstRelease: boolean): SilentArm {
  const total = look.canaryUnits + look.stableUnits;
  if (total === 0) return 'both';
  if (firstRelease) return 'none';
  const { canaryWeight: share } = look;
  if (look.canaryUnits === 0 && total * Math.log1p(-share) < LOG_SILENCE) return 'canary';
  if (look.stableUnits === 0 && share > 0 && total * Math.log(share) < LOG_SILENCE) return 'stable';
  return 'none';
}

function standingOf(silent: SilentArm, informative: boolean): LookStanding {
  if (silent !== 'none') return 'empty';
  return informative ? 'counted' : 'gap';
}

function addUnits(totals: UnitTotals, units: number, bad: number): UnitTotals {
  return { bad: totals.bad + bad, ok: totals.ok + (units - bad) };
}

type Comparison = Pick<JudgeState, 'labels' | 'shares' | 'safety' | 'strata'>;

/**
 * The comparison of the arms, for shares strictly between 0 and 1: at 0 or 1 the label of a bad event is certain and
 * says nothing. When an arm is silent, only the side that its silence would flatter is left out, so no bound is
 * weakened.
 */
function compare(state: JudgeState, look: Look, silent: SilentArm): Comparison {
  const { plan } = state;
  const share = look.canaryWeight;
  const units: LabelledCounts = { share, canary: look.canaryFirstBadUnits, stable: look.stableFirstBadUnits };
  const events: LabelledCounts = plan.sticky
    ? units
    : { share, canary: look.canaryBadEvents, stable: look.stableBadEvents };
  const condemns = silent !== 'stable';
  const advances = silent !== 'canary' && look.synthetic !== true;
  return {
    labels: condemns ? observeLabels(state.labels, units, plan.rateRatioTolerated) : state.labels,
    shares: condemns ? observeShare(state.shares, events, plan.rateRatioTolerated) : state.shares,
    safety: advances ? observeSafety(state.safety, units, plan.rateRatioMax) : state.safety,
    strata: silent === 'none' ? addToStrata(state.strata, units) : state.strata,
  };
}
