import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findPrometheus, type RunningPrometheus, startExporter, startPrometheus } from '@proviso/testkit';
import { eventually } from '../eventually.ts';
import { climb, type Climb, type Desk, type Ground, metAt, shown } from './climb.ts';
import { recordsOf, type StoredLook } from './records.ts';
import type { Testimony } from './witnesses.ts';

/** A real Prometheus that counts what visitors tell. */
export interface MetricSource {
  readonly prometheus: RunningPrometheus;
  /** Whose answers it counts from now on. */
  readonly count: (told: () => readonly Testimony[]) => void;
  /** Where the worker reads that it is `prometheus/main`. */
  readonly placesFile: string;
}

/** What came of a canary one of whose metrics fell silent while its visitors were served as before. */
export interface Muted {
  /** The sentence that people read while it was silent. */
  readonly headline: string;
  /** From its end until that was said, and from its next start until the version was live. */
  readonly saidMs: number;
  readonly liveMs: number | null;
  readonly violations: readonly string[];
}

/** Of the one step of the policy `metered`: much longer than the four looks after which a silent source holds it. */
export const meteredDwellMs = 12_000;
/** What the policy asks for each of the two versions. */
export const meteredQuery = 'answer_seconds_bucket{version="{{version}}"}';

const scrapeMs = 250;
const firstPercent = 25;
const usersPerSecond = 60;
const watchMs = 250;

/** Plays with one that is there before the deployment asks it; with null where the program is missing, an error in CI. */
export async function onMetricSource<T>(folder: string, play: (source: MetricSource | null) => Promise<T>): Promise<T> {
  const program = findPrometheus();
  if (program === null) return await play(null);
  const exporter = await startExporter();
  const prometheus = await startPrometheus(program, { ports: [exporter.port], scrapeMs });
  const placesFile = join(folder, 'prometheus.json');
  writeFileSync(placesFile, JSON.stringify({ main: { url: prometheus.url, private: true } }));
  const count = (told: () => readonly Testimony[]): void => {
    exporter.page = () => pageOf(told());
  };
  try {
    return await play({ prometheus, count, placesFile });
  } finally {
    await prometheus.stop();
    await exporter.close();
  }
}

/** A bound that no answer here comes near: a process that is still cold must not be condemned for being slower. */
const boundSeconds = 5;

function pageOf(told: readonly Testimony[]): string {
  const versions = new Set(told.flatMap(({ version }) => version ?? []));
  const rows = [...versions].flatMap((name) => {
    const seconds = told.flatMap(({ version, sentAt, endedAt }) =>
      version === name ? (endedAt - sentAt) / 1_000 : [],
    );
    const row = (le: string, count: number): string => `answer_seconds_bucket{version="${name}",le="${le}"} ${count}\n`;
    return [
      row(String(boundSeconds), seconds.filter((each) => each <= boundSeconds).length),
      row('+Inf', seconds.length),
    ];
  });
  return `# TYPE answer_seconds histogram\n${rows.join('')}`;
}

/** Kills the source in the middle of a step: the step is held and nobody rolled back; with it back, the canary goes on. */
export async function mutedSource(ground: Ground, desk: Desk, source: MetricSource): Promise<Muted> {
  const { doors, witnesses } = ground;
  source.count(() => witnesses.told(desk.host));
  witnesses.send(desk.host, usersPerSecond);
  const climbing = await climb(ground, desk, { version: 'v1', badShare: 0, policy: 'metered' });
  await metAt(ground, climbing, firstPercent);
  const { valuesUsed: before } = await eventually('values of the canary to be used', async () => {
    const look = await newestLook(ground, climbing);
    return look !== undefined && look.valuesUsed > 0 ? look : null;
  });
  await source.prometheus.kill();
  const silentAt = Date.now();
  const headline = await eventually('words about the silence', async () => {
    const said = (await shown(doors.bea, climbing.promotion)).headline;
    return said.startsWith('Metrics are missing since') ? said : null;
  });
  const saidMs = Date.now() - silentAt;
  const wrong = await whileSilent(ground, climbing, silentAt + meteredDwellMs + slackMs);
  const backAt = Date.now();
  await source.prometheus.startAgain();
  const isLive = async () => (await shown(doors.bea, climbing.promotion)).outcome === 'live';
  const liveMs = await eventually('the canary to go on', isLive).then(
    () => Date.now() - backAt,
    () => null,
  );
  const after = (await newestLook(ground, climbing))?.valuesUsed ?? 0;
  witnesses.send(desk.host, 0);
  const violations = [
    ...wrong,
    ...(headline.includes('(latency: prometheus/main, asked for') ? [] : [`expected words about it, got ${headline}`]),
    ...(headline.includes('not counted as healthy, step is held') ? [] : [`expected a held step, got ${headline}`]),
    ...(liveMs === null ? ['it did not go on when its source was back'] : []),
    ...(after > before ? [] : [`expected more than ${before} values in the end, got ${after}`]),
  ];
  return { headline, saidMs, liveMs, violations };
}

/** A few looks more than the step takes. */
const slackMs = 2_000;

/** Watches for longer than the step takes: with its source it would be live by then. */
async function whileSilent(
  ground: Ground,
  { desk, promotion, version }: Climb,
  until: number,
): Promise<readonly string[]> {
  const { driver, doors, witnesses } = ground;
  const records = recordsOf(driver.stage);
  const from = Date.now();
  const shares = new Set<number>();
  while (Date.now() < until) {
    shares.add(await records.weight(desk.lane));
    await pause(watchMs);
  }
  const { outcome, lane } = await shown(doors.bea, promotion);
  const met = witnesses.told(desk.host).filter((one) => one.version === version && one.sentAt > from).length;
  return [
    ...(String([...shares]) === String(firstPercent) ? [] : [`expected ${firstPercent} %, got ${[...shares]} %`]),
    ...(outcome === null && lane?.held !== true ? [] : [`taken back: ${outcome}, lane held ${lane?.held}`]),
    ...(met > 0 ? [] : ['nobody met it while its source was silent']),
  ];
}

async function newestLook({ driver }: Ground, { promotion }: Climb): Promise<StoredLook | undefined> {
  return (await recordsOf(driver.stage).looks(promotion)).at(-1);
}
