import { betterRates, logRateLikelihood } from './absolute-test.ts';
import { decidesByObjective, logFor } from './canary-judge.ts';
import { logBet } from './capital.ts';
import type { JudgeState } from './judge-state.ts';
import { canaryLabelShare } from './label-evidence.ts';
import { SAFETY_STAKES } from './safety-evidence.ts';

/**
 * How much more the judge needs if things go on as they are and the canary is healthy: an estimate for people, never an
 * input of a decision. Null when no amount of such traffic would do, or nothing was seen yet to estimate from.
 */
export type Forecast = { readonly canaryUnits: number | null; readonly looks: number | null };

/** A forecast beyond this is told as "not at this traffic" (null) rather than as a number nobody can plan with. */
const FORECAST_UNITS_MAX = 1e9;

/** Estimates the canary units and looks that are missing until the evidence for advancing reaches 1/β. */
export function forecast(state: JudgeState, beta: number): Forecast {
  if (logFor(state) >= -Math.log(beta)) return { canaryUnits: 0, looks: 0 };
  const seen = state.canary.bad + state.canary.ok;
  const unitsPerLook = state.looks > 0 ? seen / state.looks : 0;
  if (decidesByObjective(state)) return inLooks(unitsUntilObjective(state, beta), unitsPerLook);
  const looks = looksUntilSafe(state, beta);
  if (looks === null || looks * unitsPerLook > FORECAST_UNITS_MAX) return { canaryUnits: null, looks: null };
  return { canaryUnits: Math.ceil(looks * unitsPerLook), looks };
}

function inLooks(units: number | null, unitsPerLook: number): Forecast {
  if (units === null) return { canaryUnits: null, looks: null };
  return { canaryUnits: units, looks: unitsPerLook > 0 ? Math.ceil(units / unitsPerLook) : null };
}

/**
 * S alone: one alternative p1 must gain ln(1/β) and its share of the mixture, at the mean gain per unit that the share
 * of bad units so far gives (Wald 1945, expected sample size).
 */
function unitsUntilObjective(state: JudgeState, beta: number): number | null {
  const { objective } = state.plan;
  const totals = state.canaryReal;
  const seen = totals.bad + totals.ok;
  const badShare = seen > 0 ? totals.bad / seen : 0;
  const rates = betterRates(objective);
  const goal = Math.log(rates.length / beta);
  const needs = rates.map((rate) => {
    const gain = logRateLikelihood({ bad: badShare, ok: 1 - badShare }, objective, rate);
    return steps(goal - logRateLikelihood(totals, objective, rate), gain);
  });
  return smallest(needs);
}

/**
 * SAFE: with ρ = 1 a look without bad units gains nothing, a look with one gains by its label, a look with many gains
 * by a share near w. The first two are averaged, the last is taken as exact.
 */
function looksUntilSafe(state: JudgeState, beta: number): number | null {
  const last = state.strata.at(-1);
  if (last === undefined || state.looks === 0) return null;
  const { share } = last;
  const badPerLook = (state.canary.bad + state.stable.bad) / state.looks;
  const mirrored = 1 / (1 - canaryLabelShare(share, state.plan.rateRatioMax));
  const goal = Math.log(SAFETY_STAKES.length / beta);
  const needs = SAFETY_STAKES.map((stake, index) => {
    const byLabel = share * Math.log1p(-stake) + (1 - share) * Math.log1p(stake * (mirrored - 1));
    const byShare = Math.log1p(stake * ((1 - share) * mirrored - 1));
    const gain = badPerLook <= 1 ? badPerLook * byLabel : byShare - (byShare - byLabel) / badPerLook;
    return steps(goal - logBet(state.safety, index), gain);
  });
  return smallest(needs);
}

/** Whole steps until a goal at a mean gain, or null when the gain leads away from it. */
function steps(missing: number, gain: number): number | null {
  if (missing <= 0) return 0;
  const count = Math.ceil(missing / gain);
  return gain > 0 && count <= FORECAST_UNITS_MAX ? count : null;
}

function smallest(needs: readonly (number | null)[]): number | null {
  const known = needs.filter((need) => need !== null);
  return known.length > 0 ? Math.min(...known) : null;
}
