import { type Heat, type Look, type MetricPlan, observe, startJudge } from '@proviso/judge';
import { EDGE_BOUNDS_MS } from './canary/judged-rule.ts';
import { type SeededRandom, seededRandom } from './canary/seeded-random.ts';
import { compareVectors } from './judge/vector-file.ts';
import { type BenchLine, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';

/**
 * The judge's own cost: nanoseconds of processor time per look and metric, how they grow with the number of looks, and
 * the size of its memory. With a file of vectors: how far our values are from those of an independent implementation.
 */
export async function run(options: BenchOptions): Promise<readonly BenchLine[]> {
  const { vectors } = options.inputs;
  if (vectors !== undefined) {
    return (await compareVectors(vectors)).map(({ column, difference, values }) =>
      lineOf(`max_abs_difference_${column}`, Number(difference.toExponential(2)), {
        goal: `<= 1e-9 over ${values} values`,
        met: difference <= 1e-9 && values > 0,
      }),
    );
  }
  const looks = options.quick ? 2_000 : 200_000;
  // Machines warm up: what is measured first would look slow.
  for (const { metrics, heats } of charges) nanosecondsPerLook(metrics, Math.min(looks, 50_000), heats);
  const costs = charges.map(({ name, metrics, heats }) => {
    const rounds = Array.from({ length: options.rounds }, () => nanosecondsPerLook(metrics, looks, heats));
    // Other work on the machine only ever adds.
    const ns = Math.min(...rounds) / (metrics.length + 1);
    return lineOf(`ns_per_look_and_metric_${name}`, rounded(ns), { goal: '<= 1000', met: ns <= 1_000 });
  });
  return [...costs, ...growth(options.quick ? [1e2, 1e3] : [1e3, 1e4, 1e5, 1e6]), memorySize()];
}

const latency: MetricPlan = { metric: 'latency', portion: 0.3, bounds: EDGE_BOUNDS_MS };
const cost: MetricPlan = { metric: 'cost', portion: 0.1, bounds: [] };
const score: MetricPlan = { metric: 'score', portion: 0.1, bounds: [] };

interface Charge {
  readonly name: string;
  readonly metrics: readonly MetricPlan[];
  /** Of latency, in each look. */
  readonly heats?: number;
}

/** What one canary is asked to judge; five heats are a second of a hundred visitors. */
const charges: readonly Charge[] = [
  { name: 'errors', metrics: [] },
  { name: 'errors_latency', metrics: [latency] },
  { name: 'errors_latency_in_5_heats', metrics: [latency], heats: 5 },
  { name: 'errors_latency_score_cost', metrics: [latency, score, cost] },
];

const plan = { objective: 0.01, firstRelease: false, sticky: true, rateRatioTolerated: 1, rateRatioMax: 2 };

/** As many different looks as keep the processor from learning them by heart. */
const LOOKS_KEPT = 1_024;

function nanosecondsPerLook(metrics: readonly MetricPlan[], looks: number, heats?: number): number {
  const random = seededRandom(1, metrics.length);
  const kept = Array.from({ length: LOOKS_KEPT }, () => anyLook(random, heats));
  let state = startJudge({ ...plan, metrics });
  // Processor time, not the clock's: other work on the machine is not the judge's.
  const before = process.cpuUsage();
  for (let look = 0; look < looks; look += 1) state = observe(state, kept[look % LOOKS_KEPT] as Look);
  const { user, system } = process.cpuUsage(before);
  if (state.looks !== looks) throw new Error(`expected ${looks} looks, got ${state.looks}`);
  return ((user + system) * 1_000) / looks;
}

/** Flat means: a look after the last of many costs what one of the first costs. */
function growth(lengths: readonly number[]): readonly BenchLine[] {
  const most = lengths.at(-1) ?? 1;
  const costs = lengths.map((looks) => {
    // The same number of looks in all, in canaries of different length.
    const rounds = Array.from({ length: Math.min(200, most / looks) }, () => nanosecondsPerLook([], looks));
    return rounds.reduce((sum, each) => sum + each, 0) / rounds.length;
  });
  const [first = 1] = costs;
  return costs.map((ns, index) =>
    lineOf(`ns_per_look_after_${lengths[index]}_looks`, rounded(ns), {
      goal: '<= 1.5 times that of the shortest',
      met: ns <= 1.5 * first,
    }),
  );
}

function memorySize(): BenchLine {
  const random = seededRandom(2, 1);
  let state = startJudge({ ...plan, metrics: [latency] });
  for (let look = 0; look < 10_000; look += 1) state = observe(state, anyLook(random));
  const bytes = JSON.stringify(state).length;
  return lineOf('state_bytes_errors_latency', bytes, { goal: '<= 8192', met: bytes <= 8_192 });
}

function anyLook(random: SeededRandom, heats?: number): Look {
  const share = 0.2;
  const [canaryUnits, stableUnits] = [60 + random.poisson(140), 600 + random.poisson(200)];
  const [canaryBad, stableBad] = [random.poisson(1), random.poisson(4)];
  const buckets = () => [...EDGE_BOUNDS_MS, 0].map((_, index) => random.poisson(index < 9 ? 20 : 0.2));
  const heat = (): Heat => [4, 16, Math.floor(128 * random.uniform())];
  const latency = {
    kind: 'histogram' as const,
    ...{ canary: buckets(), stable: buckets() },
    ...(heats !== undefined && { heats: Array.from({ length: heats }, heat) }),
  };
  const one = { kind: 'values', canary: [random.uniform()], stable: [random.uniform(), random.uniform()] } as const;
  return {
    canaryWeight: share,
    ...{ canaryUnits, stableUnits, canaryRequests: canaryUnits, stableRequests: stableUnits },
    ...{ canaryFirstBadUnits: canaryBad, stableFirstBadUnits: stableBad },
    ...{ canaryBadEvents: canaryBad, stableBadEvents: stableBad },
    metrics: { latency, score: one, cost: one },
  };
}

function lineOf(
  metric: string,
  ours: number,
  { goal, met }: { readonly goal: string; readonly met: boolean },
): BenchLine {
  return { bench: 'judge', metric, ours, peer: null, peerName: null, ratio: null, goal, met };
}
