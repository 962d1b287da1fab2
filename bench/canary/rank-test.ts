/** One-sided p-value of "the first sample is not larger", by the normal approximation with ties (Mann & Whitney 1947). */
export function mannWhitney(first: readonly number[], second: readonly number[]): number {
  const [n, m] = [first.length, second.length];
  const [ours, theirs] = [Float64Array.from(first).sort(), Float64Array.from(second).sort()];
  let [u, ties, i, j] = [0, 0, 0, 0];
  while (i < n || j < m) {
    const value = Math.min(ours[i] ?? Infinity, theirs[j] ?? Infinity);
    const [fromOurs, fromTheirs] = [i, j];
    while (ours[i] === value) i += 1;
    while (theirs[j] === value) j += 1;
    u += (i - fromOurs) * (fromTheirs + (j - fromTheirs) / 2);
    const size = i - fromOurs + j - fromTheirs;
    ties += size ** 3 - size;
  }
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
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
  const [n, m] = [first.length, second.length];
  const differences = new Float64Array(n * m);
  for (const [row, ours] of first.entries()) {
    for (const [column, theirs] of second.entries()) differences[row * m + column] = ours - theirs;
  }
  differences.sort();
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
