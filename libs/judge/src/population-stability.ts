/**
 * The population stability index of two distributions over the same classes: Σ (a − e)·ln(a/e), after Siddiqi, Credit Risk
 * Scorecards (2006), where 0.1 is a small shift and 0.25 a large one. It is symmetric, and 0 for the same shares.
 */
export function populationStability(expected: readonly number[], actual: readonly number[]): number {
  if (expected.length !== actual.length || expected.length === 0) return Number.NaN;
  const [before, now] = [sharesOf(expected), sharesOf(actual)];
  return before.reduce((sum, share, index) => {
    const other = now[index] ?? Number.NaN;
    return sum + (other - share) * Math.log(other / share);
  }, 0);
}

/**
 * The least share of a class. An empty one would make the index infinite, whatever its other half is; at this floor a
 * class that came or went with a tenth of all scores counts 0.69.
 */
const shareMin = 0.000_1;

function sharesOf(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => Math.max(shareMin, count / total));
}

/** Scores from 0 to 1 in classes of the same width; 1 itself is in the last one. */
export function scoreClasses(scores: readonly number[], classes: number): readonly number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const score of scores) {
    const at = Math.min(classes - 1, Math.floor(score * classes));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}
