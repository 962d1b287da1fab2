/** Whoever was away for a weekend gets everything all the same. */
export const retryForMs = 72 * 3_600_000;

/** The first pauses between tries; from then on it is an hour. */
const pausesMs = [5_000, 30_000, 120_000, 600_000, 1_800_000];
const pauseMsMax = 3_600_000;

/**
 * How long to wait before the next try. Drawn from the upper half, so that receivers that failed together are not tried
 * again together. What the other side asks for counts when it is longer, up to the longest pause.
 */
export function retryDelayMs(
  attempt: number,
  { random, askedMs }: { readonly random: number; readonly askedMs: number | null },
): number {
  const pause = pausesMs[attempt - 1] ?? pauseMsMax;
  const drawn = Math.round(pause * (0.5 + random / 2));
  return Math.min(pauseMsMax, Math.max(drawn, askedMs ?? 0));
}
