/** Discordant pairs: cases that only the live release passes, and cases that only the candidate passes. */
export type DiscordantPairs = { readonly onlyLive: number; readonly onlyCandidate: number };

/** Φ⁻¹(0.95), for one-sided 95 % bounds. */
const NORMAL_ONE_SIDED_95 = 1.6448536269514722;

/**
 * One-sided exact p-value of "the candidate is no worse", from pairs of the same case: P(X ≥ b) for X ~ Bin(b+c, ½).
 * Source: McNemar 1947, in its exact binomial form.
 */
export function mcNemarExact({ onlyLive, onlyCandidate }: DiscordantPairs): number {
  const pairs = onlyLive + onlyCandidate;
  let logChance = -pairs * Math.LN2;
  let tail = 0;
  // From X = pairs downwards: C(n, x−1) = C(n, x)·x/(n−x+1). In logs, so that thousands of pairs do not underflow.
  for (let x = pairs; x >= onlyLive; x -= 1) {
    tail += Math.exp(logChance);
    logChance += Math.log(x) - Math.log(pairs - x + 1);
  }
  return Math.min(1, tail);
}

/** The change of the pass rate, candidate minus live, with a one-sided 95 % lower bound for non-inferiority. */
export type PairedDifference = { readonly difference: number; readonly error: number; readonly lower: number };

/** Paired Wald difference: δ = (c−b)/n, SE = √(b+c−(c−b)²/n)/n. Source: Fleiss, Levin & Paik 2003, 13.1. */
export function pairedDifference(cases: number, { onlyLive, onlyCandidate }: DiscordantPairs): PairedDifference {
  if (!(cases > 0)) throw new RangeError(`expected at least 1 case, got ${cases}`);
  const change = onlyCandidate - onlyLive;
  const error = Math.sqrt(onlyLive + onlyCandidate - change ** 2 / cases) / cases;
  const difference = change / cases;
  return { difference, error, lower: difference - NORMAL_ONE_SIDED_95 * error };
}

/** Holm's step-down adjustment of p-values for many metrics, in the order given. Source: Holm 1979. */
export function holmAdjusted(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  order.forEach((position, rank) => {
    largest = Math.max(largest, (pValues.length - rank) * (pValues[position] as number));
    adjusted[position] = Math.min(1, largest);
  });
  return adjusted;
}

/**
 * Standard error of the mean of all trials when trials of one case hang together: √(Σ over cases of (Σ residuals)²)/N.
 * Source: Liang & Zeger 1986; for evaluations Miller 2024, "Adding Error Bars to Evals".
 */
export function clusteredError(cases: readonly { readonly passes: number; readonly trials: number }[]): number {
  const trials = cases.reduce((sum, each) => sum + each.trials, 0);
  const passes = cases.reduce((sum, each) => sum + each.passes, 0);
  if (trials === 0) return 0;
  const rate = passes / trials;
  const squares = cases.reduce((sum, each) => sum + (each.passes - rate * each.trials) ** 2, 0);
  return Math.sqrt(squares) / trials;
}
