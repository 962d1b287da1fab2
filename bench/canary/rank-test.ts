/** One-sided p-value of "the first sample is not larger", by the normal approximation with ties (Mann & Whitney 1947). */
export function mannWhitney(first: readonly number[], second: readonly number[]): number {
  const [n, m] = [first.length, second.length];
  const all = [...first.map((value) => ({ value, ours: 1 })), ...second.map((value) => ({ value, ours: 0 }))];
  all.sort((a, b) => a.value - b.value);
  let [rankSum, ties] = [0, 0];
  for (let from = 0; from < all.length; ) {
    let [to, ours] = [from, 0];
    while (to < all.length && all[to]?.value === all[from]?.value) {
      ours += all[to]?.ours ?? 0;
      to += 1;
    }
    const size = to - from;
    rankSum += ours * ((from + 1 + to) / 2);
    ties += size ** 3 - size;
    from = to;
  }
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  const u = rankSum - (n * (n + 1)) / 2;
  return upperTail((u - (n * m) / 2 - 0.5) / Math.sqrt(variance));
}

/**
 * The Hodges–Lehmann shift of the first sample against the second and the lower end of its two-sided interval, from the
 * ordered differences (Bauer 1972), with the normal approximation of the quantile that R's wilcox.test refines.
 */
export function shiftInterval(
  first: readonly number[],
  second: readonly number[],
  confidence: number,
): { readonly lower: number; readonly estimate: number } {
  const differences = first.flatMap((ours) => second.map((theirs) => ours - theirs)).sort((a, b) => a - b);
  const [n, m] = [first.length, second.length];
  const spread = Math.sqrt((n * m * (n + m + 1)) / 12);
  const rank = Math.max(0, Math.floor((n * m) / 2 - quantileOf((1 + confidence) / 2) * spread - 0.5));
  const middle = differences.length / 2;
  const estimate = ((differences[Math.ceil(middle) - 1] ?? 0) + (differences[Math.floor(middle)] ?? 0)) / 2;
  return { lower: differences[rank] ?? Number.NEGATIVE_INFINITY, estimate };
}

/** P(Z ≥ z), by the continued fraction in the tail and by series near the middle (Abramowitz & Stegun 26.2.17). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = polynomial.reduceRight((inner, each) => t * (each + inner), 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/** Φ⁻¹ by bisection of the tail. */
function quantileOf(chance: number): number {
  let [low, high] = [-10, 10];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (1 - upperTail(middle) < chance) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
