import { setTimeout as pause } from 'node:timers/promises';
import type { CanaryRule, PromotionId } from '@proviso/domain';
import { openPrometheus, type Prometheus } from '@proviso/prometheus';
import {
  type Exporter,
  findPrometheus,
  type RunningPrometheus,
  startExporter,
  startPrometheus,
} from '@proviso/testkit';
import type { PromotionSubject } from '@proviso/workflow';
import type { WorkerPorts } from './ports.ts';
import { freezePrototype } from './prototype-folder.contract.ts';
import { openWorld, type World } from './world.contract.ts';

// A canary whose latency a real Prometheus knows, each version scraped from a process of its own. The clock is the wall's,
// since Prometheus has no other.

const program = findPrometheus();
const testMsMax = 120_000;
const scrapeMs = 100;
/** Answers between two scrapes. */
const answersPerScrape = 30;

let world: World;
let server: RunningPrometheus;
let known: ReadonlyMap<string, Prometheus>;
const pages: Exporter[] = [];
/** The share of slow answers of each arm. */
const slow = { canary: 0.1, stable: 0.1 };

if (program !== null) {
  beforeAll(async () => {
    world = await openWorld();
    for (const arm of ['canary', 'stable'] as const) pages.push(await exporterOf(arm));
    server = await startPrometheus(program, { ports: pages.map(({ port }) => port), scrapeMs });
    known = new Map([['main', openPrometheus({ url: new URL(server.url), reach: 'private', readToken: null })]]);
  }, testMsMax);
  afterAll(async () => {
    for (const prometheus of known.values()) await prometheus.close();
    await server.stop();
    for (const page of pages) await page.close();
    await world.close();
  });
}

function withPrometheus(name: string, body: () => Promise<void>): void {
  test(name, async () => (program === null ? undefined : await body()), testMsMax);
}

async function exporterOf(arm: 'canary' | 'stable'): Promise<Exporter> {
  const exporter = await startExporter();
  let [fast, late] = [0, 0];
  exporter.page = () => {
    late += Math.round(answersPerScrape * slow[arm]);
    fast += Math.round(answersPerScrape * (1 - slow[arm]));
    const row = (le: string, count: number) => `seconds_bucket{arm="${arm}",le="${le}"} ${count}\n`;
    return `# TYPE seconds histogram\n${row('0.1', fast)}${row('+Inf', fast + late)}`;
  };
  return exporter;
}

const wallClock: WorkerPorts['clock'] = {
  now: () => Date.now(),
  pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
};

const judged: Partial<CanaryRule> = {
  metrics: { latency: { portion: 0.2, from: 'prometheus/main', query: 'seconds_bucket{arm="{{arm}}"}' } },
};

let versions = 0;
async function approved(prototype: `pro_${string}`, rule: Partial<CanaryRule>): Promise<PromotionSubject> {
  versions += 1;
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `${versions}\n` });
  const subject = await world.promote(prototype, artifact, rule);
  const onward = await world.run(subject);
  const { gates } = (await world.view(subject.promotion)).state;
  expect([onward, gates.find(({ status }) => status === 'inconclusive')]).toMatchObject([
    { why: 'waiting_for_human' },
    undefined,
  ]);
  await world.approve(subject.promotion);
  return subject;
}

/** A second version of a prototype whose first is live. */
async function secondVersion(rule: Partial<CanaryRule>): Promise<PromotionSubject> {
  const prototype = await world.openPrototype();
  const first = await approved(prototype, {});
  expect(await world.carry(first, 'canary')).toEqual({ kind: 'end', outcome: 'live' });
  return await approved(prototype, { ...judged, ...rule });
}

async function lookUntil(promotion: PromotionId, is: (reason: string) => boolean): Promise<void> {
  const giveUpAt = Date.now() + testMsMax / 2;
  for (;;) {
    const { lastLook } = await world.view(promotion);
    if (lastLook !== null && is(lastLook.reason)) return;
    if (Date.now() > giveUpAt) throw new Error(`expected another look, got one with ${lastLook?.reason}`);
    await pause(scrapeMs);
  }
}

/** How many values of the canary the judge has used, as last told. */
async function samplesOf({ workspace, promotion }: PromotionSubject): Promise<number> {
  const [look] = await world.journal.reads(workspace).looks(promotion, 1);
  const { course } = (look?.body ?? {}) as { course?: { judge: { metrics: { samples: { canary: number } }[] } } };
  return course?.judge.metrics[0]?.samples.canary ?? 0;
}

async function documentOf(digest: string): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(await world.ports.evidence.get(digest)));
}

withPrometheus('as fast as the one before, a canary goes live', async () => {
  Object.assign(slow, { canary: 0.1, stable: 0.1 });
  const subject = await secondVersion({});
  const ports = { clock: wallClock, prometheus: known };
  expect(await world.carry(subject, 'canary', ports)).toEqual({ kind: 'end', outcome: 'live' });
  const { state } = await world.view(subject.promotion);
  const [report] = state.gates.find(({ name }) => name === 'canary')?.evidence ?? [];
  const { course } = await documentOf(report?.digest ?? '');
  expect(course).toMatchObject({ judge: { metrics: [{ samples: { canary: expect.any(Number) } }] }, gaps: [] });
  const { judge } = course as { judge: { metrics: { samples: { canary: number } }[] } };
  expect(judge.metrics[0]?.samples.canary).toBeGreaterThan(0);
});

withPrometheus('only slower, it is rolled back, and the reason names latency', async () => {
  Object.assign(slow, { canary: 0.8, stable: 0.1 });
  const subject = await secondVersion({ dwellMs: 600_000 });
  const ports = { clock: wallClock, prometheus: known };
  expect(await world.carry(subject, 'canary', ports)).toEqual({ kind: 'run', step: 'undo' });
  const { state, production } = await world.view(subject.promotion);
  expect(production?.state.weight).toBe(0);
  const snapshot = await documentOf(state.snapshot ?? '');
  expect(snapshot).toMatchObject({ verdict: { reason: 'worse_by_metric' } });
  expect(JSON.stringify(snapshot['reasons'])).toContain('slower than the one before (latency)');
});

withPrometheus('with Prometheus killed it is held where it is, and goes on with its evidence afterwards', async () => {
  Object.assign(slow, { canary: 0.1, stable: 0.1 });
  const subject = await secondVersion({ dwellMs: 600_000, deadlineMs: 600_000 });
  const ports = { clock: wallClock, prometheus: known };
  const going = world.carry(subject, 'canary', ports);
  await lookUntil(subject.promotion, (reason) => reason === 'dwell_unmet');
  await server.kill();
  await lookUntil(subject.promotion, (reason) => reason === 'metric_silent');
  const held = await world.view(subject.promotion);
  expect(held.production?.state).toMatchObject({ weight: 10, hold: null });
  expect(held.lastLook?.gaps?.join()).toContain('it does not answer in time');
  const before = await samplesOf(subject);
  expect(before).toBeGreaterThan(0);
  await server.startAgain();
  await lookUntil(subject.promotion, (reason) => reason === 'dwell_unmet');
  Object.assign(slow, { canary: 0.8 });
  expect(await going).toEqual({ kind: 'run', step: 'undo' });
  const { state } = await world.view(subject.promotion);
  expect(await documentOf(state.snapshot ?? '')).toMatchObject({ verdict: { reason: 'worse_by_metric' } });
  expect(await samplesOf(subject)).toBeGreaterThan(before);
  expect(world.lines.filter((line) => line.startsWith('canary.gaps')).join()).toContain('it does not answer in time');
});

/** A canary of which nothing but errors is seen until its deadline: what its gate is left with. */
async function leftAlone(prometheus: WorkerPorts['prometheus']) {
  const subject = await secondVersion({ dwellMs: 600_000, deadlineMs: 3_000 });
  await world.carry(subject, 'canary', { clock: wallClock, prometheus });
  const { gates } = (await world.view(subject.promotion)).state;
  const gate = gates.find(({ name }) => name === 'canary');
  return { status: gate?.status, words: gate?.reasons[0]?.message };
}

withPrometheus('with a source that no operator has named, a person is asked and told so', async () => {
  const words = expect.stringContaining('prometheus/main is no source that the operator of this deployment has named');
  expect(await leftAlone(new Map())).toEqual({ status: 'inconclusive', words });
});

withPrometheus('with a source that does not come back, a person is asked and told what is in the way', async () => {
  await server.kill();
  const words = expect.stringContaining('prometheus/main, asked for the new version: it does not answer in time');
  expect(await leftAlone(known)).toEqual({ status: 'inconclusive', words });
});
