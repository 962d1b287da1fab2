/** Random numbers that are the same for the same seed on every machine, so that a stream can be played again. */
export interface SeededRandom {
  /** Uniform, 0 ≤ u < 1. */
  readonly uniform: () => number;
  readonly normal: () => number;
  readonly poisson: (mean: number) => number;
}

/** Above this mean a count of good requests is drawn as a rounded normal: its exact tail decides nothing. */
const POISSON_MEAN_MAX = 300;

/** Small fast counter (sfc32; Doty-Humphrey, PractRand), seeded by two numbers and warmed up. */
export function seededRandom(seed: number, run: number): SeededRandom {
  let [a, b, c, counter] = [seed | 0, run | 0, 0x9e3779b9 | 0, 1];
  const uniform = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let warm = 0; warm < 16; warm += 1) uniform();
  // Box & Muller 1958; 1 − u is never 0.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number): number => {
    if (mean > POISSON_MEAN_MAX) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let [count, chance] = [0, Math.exp(-mean)];
    for (let left = uniform() - chance; left >= 0 && chance > 0; left -= chance) {
      count += 1;
      chance *= mean / count;
    }
    return count;
  };
  return { uniform, normal, poisson };
}
