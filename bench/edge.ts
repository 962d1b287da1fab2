import { join } from 'node:path';
import { openLaneCounter } from '../apps/edge/src/counts.ts';
import { choose, placeOf } from '../apps/edge/src/split.ts';
import { type Child, processorMsOf, startScript } from './edge/child.ts';
import { closedLoop } from './edge/closed-loop.ts';
import { startHaproxy } from './edge/haproxy.ts';
import { startupLines } from './edge/startup.ts';
import { type BenchLine, median, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';

const SHARE_PERCENT = 25;
// Enough to keep a proxy at work, few enough that what is measured is its time and not its queue.
const CONNECTIONS = 8;
// More than asked, and dropped: caches are cold and the compiler is at work.
const WARM_ROUNDS = 2;
const CPU_RATIO_MAX = 3;
const ADDED_MS_MAX = 1;
const UNITS = 1_000_000;
const UNITS_MB_MAX = 64;
const UNITS_ERROR_PERCENT_MAX = 0.1;

/**
 * The router with counting on against HAProxy with the same split on the same backend, round by round in turn: processor
 * time of the proxy's process for each request, and how much later the middle answer comes than without any proxy.
 */
export async function run(options: BenchOptions): Promise<readonly BenchLine[]> {
  const here = import.meta.dirname;
  const backend = await startScript(join(here, 'edge/backend.ts'), []);
  const [stablePort = 0, canaryPort = 0] = backend.ports;
  const haproxy = await startHaproxy({ stablePort, canaryPort, sharePercent: SHARE_PERCENT });
  const router = await startScript(join(here, 'edge/router-process.ts'), [
    ...[stablePort, canaryPort, SHARE_PERCENT].map(String),
  ]);
  try {
    process.stderr.write(`peer: ${haproxy.version}\n`);
    const lines = await compare({ options, haproxy, router, directPort: stablePort });
    return [...lines, ...unitLines(), ...(await startupLines(options))];
  } finally {
    process.stderr.write(`the router counted: ${await router.end()}\n`);
    await haproxy.end();
    await backend.end();
  }
}

interface Contest {
  readonly options: BenchOptions;
  readonly haproxy: { readonly pid: number; readonly port: number };
  readonly router: Child;
  readonly directPort: number;
}

interface Measure {
  readonly cpuUs: number[];
  readonly addedMs: number[];
}

async function compare({ options, haproxy, router, directPort }: Contest): Promise<readonly BenchLine[]> {
  const requests = options.quick ? 4_000 : 40_000;
  const [ours, theirs]: [Measure, Measure] = [newMeasure(), newMeasure()];
  for (let round = -WARM_ROUNDS; round < options.rounds; round += 1) {
    const direct = await closedLoop({ port: directPort, connections: CONNECTIONS, requests });
    const ourPlace = { pid: router.child.pid ?? 0, port: router.ports[0] ?? 0 };
    const [our, their] = [round < 0 ? newMeasure() : ours, round < 0 ? newMeasure() : theirs];
    await measure({ place: ourPlace, requests, directMs: direct.p50Ms, into: our, name: 'router' });
    await measure({ place: haproxy, requests, directMs: direct.p50Ms, into: their, name: 'haproxy' });
  }
  const [our, their] = [median(ours.cpuUs), median(theirs.cpuUs)];
  const [added, theirAdded] = [median(ours.addedMs), median(theirs.addedMs)];
  return [
    lineOf('cpu_us_per_request', [our, their], {
      goal: `ratio <= ${CPU_RATIO_MAX}`,
      met: our / their <= CPU_RATIO_MAX,
    }),
    lineOf('added_p50_ms', [added, theirAdded], { goal: `<= ${ADDED_MS_MAX} ms`, met: added <= ADDED_MS_MAX }),
  ];
}

function newMeasure(): Measure {
  return { cpuUs: [], addedMs: [] };
}

async function measure(one: {
  place: { pid: number; port: number };
  requests: number;
  directMs: number;
  into: Measure;
  name: string;
}): Promise<void> {
  const { place, requests, directMs, into, name } = one;
  const before = processorMsOf(place.pid);
  const round = await closedLoop({ port: place.port, connections: CONNECTIONS, requests });
  const cpuUs = ((processorMsOf(place.pid) - before) * 1_000) / round.requests;
  into.cpuUs.push(cpuUs);
  into.addedMs.push(round.p50Ms - directMs);
  const share = rounded(round.canaryShare * 100);
  process.stderr.write(
    `${name}: ${rounded(cpuUs)} us, p50 ${rounded(round.p50Ms)} ms, direct ${rounded(directMs)} ms, canary ${share} %\n`,
  );
}

/** A million sticky units through the router's own split and counter, the worst case: each fails once. */
function unitLines(): readonly BenchLine[] {
  const counter = openLaneCounter();
  const before = memoryBytes();
  for (let index = 0; index < UNITS; index += 1) {
    const unit = placeOf(`cookie ${index}`, 'rel_canary');
    const choice = choose({
      ...{ closed: false, hasStable: true, stableReady: true, hasCanary: true, canaryReady: true },
      ...{ leasedShare: SHARE_PERCENT / 100, unit },
    });
    if (choice.kind === 'arm') counter.visit(choice.arm, unit).bad();
  }
  const usedMb = (memoryBytes() - before) / 1024 ** 2;
  const { canary, stable } = counter.read();
  const counted = canary.firstBadUnits + stable.firstBadUnits;
  const errorPercent = (Math.abs(UNITS - counted) / UNITS) * 100;
  return [
    lineOf('million_units_mb', [usedMb, null], { goal: `<= ${UNITS_MB_MAX} MB`, met: usedMb <= UNITS_MB_MAX }),
    lineOf('million_units_error_percent', [errorPercent, null], {
      goal: `<= ${UNITS_ERROR_PERCENT_MAX} %`,
      met: errorPercent <= UNITS_ERROR_PERCENT_MAX,
    }),
  ];
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function lineOf(
  metric: string,
  [ours, peer]: readonly [number, number | null],
  verdict: { goal: string; met: boolean },
): BenchLine {
  return {
    bench: 'edge',
    metric,
    ours: rounded(ours),
    peer: peer === null ? null : rounded(peer),
    peerName: peer === null ? null : 'haproxy',
    ratio: peer === null ? null : rounded(ours / peer),
    ...verdict,
  };
}
