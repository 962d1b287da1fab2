import { type LabelledCounts, RATE_RATIO_FACTORS } from './label-evidence.ts';
import { logMeanExp } from './log-sum.ts';

/** First-bad units seen at one canary share. Given the share, E1 depends on these totals alone. */
export type RateStratum = LabelledCounts;

/** An interval for ρ that holds at all times at once; `high` is null when nothing bounds it from above. */
export type RateRatioInterval = { readonly low: number; readonly high: number | null };

/**
 * A ramp has at most six weights; the bound leaves room for manual ones. Units at further weights join no stratum,
 * which widens the interval and keeps it valid, because the shares are chosen before the units are seen.
 */
const STRATA_MAX = 12;

/** ρ is searched between e^−12 and e^12; outside, the interval is given as open. */
const LOG_RATE_RATIO_MAX = 12;

/** Halvings of the search range: the end points are right to about one in a million. */
const BISECTIONS_MAX = 24;

/** Adds the bad units of one look to the stratum of its share. */
export function addToStrata(strata: readonly RateStratum[], counts: LabelledCounts): readonly RateStratum[] {
  if (counts.canary + counts.stable === 0) return strata;
  const known = strata.findIndex((stratum) => stratum.share === counts.share);
  if (known < 0 && strata.length >= STRATA_MAX) return strata;
  // A first count is added to 0 like any later one, so that a −0 cannot enter the state and be lost in JSON.
  const before = strata[known] ?? { share: counts.share, canary: 0, stable: 0 };
  const after = {
    share: before.share,
    canary: before.canary + counts.canary,
    stable: before.stable + counts.stable,
  };
  return known < 0 ? [...strata, after] : strata.with(known, after);
}

/**
 * E1 inverted over ρ0 (canary.md, "Explain each verdict"): all ρ0 that neither E1 against ρ ≤ ρ0 nor its mirror against
 * ρ ≥ ρ0 has rejected, each at half of `error`. ln E1 falls in ρ0, because every look's log-likelihood is concave in
 * ln ρ; so each end is one bisection.
 */
export function rateRatioInterval(strata: readonly RateStratum[], error: number): RateRatioInterval {
  const threshold = Math.log(2 / error);
  const below = crossing((logRate) => mixture(strata, logRate, 1) < threshold);
  const above = crossing((logRate) => mixture(strata, logRate, -1) >= threshold);
  return {
    low: below <= -LOG_RATE_RATIO_MAX ? 0 : Math.exp(below),
    high: above >= LOG_RATE_RATIO_MAX ? null : Math.exp(above),
  };
}

/** The smallest ln ρ0 at which a condition that stays true once it is true holds. */
function crossing(holds: (logRate: number) => boolean): number {
  let low = -LOG_RATE_RATIO_MAX;
  let high = LOG_RATE_RATIO_MAX;
  if (holds(low)) return low;
  for (let step = 0; step < BISECTIONS_MAX; step += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** ln E1 against ρ0, with alternatives above it (direction 1) or below it (direction −1). */
function mixture(strata: readonly RateStratum[], logRate: number, direction: 1 | -1): number {
  const base = logLikelihood(strata, Math.exp(logRate));
  return logMeanExp(
    RATE_RATIO_FACTORS.map((factor) => logLikelihood(strata, Math.exp(logRate) * factor ** direction) - base),
  );
}

/** Σ c·ln q(ρ) + s·ln(1−q(ρ)) over the strata, without the parts that do not depend on ρ. */
function logLikelihood(strata: readonly RateStratum[], rate: number): number {
  let sum = 0;
  for (const { share, canary, stable } of strata) {
    sum += canary * Math.log(rate) - (canary + stable) * Math.log(1 - share + share * rate);
  }
  return sum;
}
