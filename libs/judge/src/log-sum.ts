/** The logarithm of nothing as a finite number: a difference of two of them is 0 and not NaN. */
const LOG_OF_NOTHING = -Number.MAX_VALUE;

/** ln(e^a + e^b) without overflow: the larger one is taken out first (log-sum-exp). */
export function logAdd(a: number, b: number): number {
  const larger = Math.max(a, b);
  return larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}

/** Below this a term is less than half a unit in the last place of a sum that starts at 1: it cannot change the sum. */
const LOG_NEGLIGIBLE = -37;

/**
 * ln of the mean of e^x. A mean of e-values is an e-value, so every mixture over a grid of stakes goes through here.
 */
export function logMeanExp(logs: readonly number[]): number {
  let largest = LOG_OF_NOTHING;
  let largestIndex = 0;
  for (let index = 0; index < logs.length; index += 1) {
    const log = logs[index] as number;
    if (Number.isNaN(log)) return log;
    if (log <= largest) continue;
    largest = log;
    largestIndex = index;
  }
  let sum = 1;
  for (let index = 0; index < logs.length; index += 1) {
    const below = (logs[index] as number) - largest;
    if (index !== largestIndex && below > LOG_NEGLIGIBLE) sum += Math.exp(below);
  }
  return largest + Math.log(sum / logs.length);
}
