/** One line of a benchmark: what we did, what the peer did in the same run, and whether the goal is met. */
export interface BenchLine {
  readonly bench: string;
  readonly metric: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly peerName: string | null;
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean;
}

const keys = ['bench', 'metric', 'ours', 'peer', 'peerName', 'ratio', 'goal', 'met'] satisfies (keyof BenchLine)[];

/** The line for machines: always the same keys in the same order, however it was put together. */
export function jsonOf(line: BenchLine): string {
  return JSON.stringify(line, keys);
}

/** The middle of several rounds; machines are noisy, one round says little. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of the samples lies (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

/** Three significant digits: more would claim what a shared machine cannot tell. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
