import { setTimeout as pause } from 'node:timers/promises';
import { readMetricQuery } from '@proviso/domain';
import {
  type Exporter,
  findPrometheus,
  type RunningPrometheus,
  startExporter,
  startPrometheus,
} from '@proviso/testkit';
import { openPrometheus, type Prometheus } from './prometheus.ts';
import type { QuerySubject } from './promql.ts';
import type { Reading } from './reading.ts';

// A real Prometheus that scrapes a page of ours every 100 ms.

const program = findPrometheus();
const scrapeMs = 100;
const waitMsMax = 20_000;
const subject: QuerySubject = { prototype: 'desk', lane: 'lane_1', release: 'rel_1', version: '1', arm: 'canary' };

let exporter: Exporter;
let server: RunningPrometheus | undefined;
let prometheus: Prometheus | undefined;

if (program !== null) {
  beforeAll(async () => {
    exporter = await startExporter();
    server = await startPrometheus(program, { ports: [exporter.port], scrapeMs });
    prometheus = openPrometheus({ url: new URL(server.url), reach: 'private', readToken: null });
  }, waitMsMax + 30_000);
  afterAll(async () => {
    await prometheus?.close();
    await server?.stop();
    await exporter.close();
  });
}

/** A test that needs the program. Without it `findPrometheus` has said so, and in CI the file has failed. */
function withPrometheus(name: string, body: () => Promise<void>): void {
  test(name, async () => (program === null ? undefined : await body()), 60_000);
}

function page(
  series: readonly { readonly labels: string; readonly below: readonly (number | string)[] }[],
): () => string {
  const bounds = ['0.1', '1', '+Inf'];
  const lines = series.flatMap(({ labels, below }) =>
    below.map((count, index) => `x_bucket{${labels}${labels === '' ? '' : ','}le="${bounds[index]}"} ${count}\n`),
  );
  return () => `# TYPE x histogram\n${lines.join('')}`;
}

async function ask(written: string, more: Partial<QuerySubject> = {}): Promise<Reading> {
  const read = readMetricQuery(written);
  if (!read.ok || prometheus === undefined) throw new Error('expected a query, and somebody to ask');
  return await prometheus.ask(read.query, { ...subject, ...more });
}

/** Asks again until the answer is such; the last one when it never was. */
async function eventually(question: () => Promise<Reading>, is: (reading: Reading) => boolean): Promise<Reading> {
  const giveUpAt = Date.now() + waitMsMax;
  for (;;) {
    const reading = await question();
    if (is(reading) || Date.now() > giveUpAt) return reading;
    await pause(scrapeMs / 2);
  }
}

const isRead = ({ kind }: Reading): boolean => kind === 'read';
const because = (why: string) => (reading: Reading) => reading.kind === 'unread' && reading.why === why;

withPrometheus('a histogram is read with the time of its scrape, and grows with it', async () => {
  exporter.page = page([{ labels: 'arm="canary"', below: [5, 8, 12] }]);
  const first = await eventually(async () => await ask('x_bucket{arm="{{arm}}"}'), isRead);
  expect(first).toMatchObject({ kind: 'read', bounds: [0.1, 1], counts: [5, 3, 4] });
  exporter.page = page([{ labels: 'arm="canary"', below: [6, 9, 14] }]);
  const isGrown = (reading: Reading) => reading.kind === 'read' && reading.counts[2] === 5;
  const next = await eventually(async () => await ask('x_bucket{arm="{{arm}}"}'), isGrown);
  expect(next).toMatchObject({ counts: [6, 3, 5] });
  if (first.kind !== 'read' || next.kind !== 'read') throw new Error('expected two readings');
  expect(next.scrapedAtMs).toBeGreaterThan(first.scrapedAtMs);
  expect(Math.abs(Date.now() - next.scrapedAtMs)).toBeLessThan(waitMsMax);
});

withPrometheus('two series are one too many, unless the policy adds them up', async () => {
  exporter.page = page([
    { labels: 'arm="canary",path="/a"', below: [1, 2, 3] },
    { labels: 'arm="canary",path="/b"', below: [10, 20, 30] },
  ]);
  const several = await eventually(async () => await ask('x_bucket{arm="{{arm}}"}'), because('several_series'));
  expect(several).toEqual({ kind: 'unread', why: 'several_series' });
  expect(await ask('sum by (le) (x_bucket{arm="{{arm}}"})')).toMatchObject({ kind: 'read', counts: [11, 11, 11] });
  expect(await ask('x_bucket{arm="{{arm}}",path="/b"}')).toMatchObject({ kind: 'read', counts: [10, 10, 10] });
  expect(await ask('x_bucket{arm="{{arm}}",path="/c"}')).toEqual({ kind: 'unread', why: 'empty' });
});

withPrometheus('a value that is no number, or no count, is no reading', async () => {
  const question = async () => await ask('x_bucket{arm="{{arm}}"}');
  exporter.page = page([{ labels: 'arm="canary"', below: [1, 'NaN', 3] }]);
  expect(await eventually(question, because('not_a_number'))).toEqual({ kind: 'unread', why: 'not_a_number' });
  exporter.page = page([{ labels: 'arm="canary"', below: [1, 1.5, 3] }]);
  expect(await eventually(question, because('not_a_count'))).toEqual({ kind: 'unread', why: 'not_a_count' });
});

withPrometheus('a name with quotes, backslashes and newlines finds its own series and no other', async () => {
  const names = ['"} or vector(1) or x{a="', 'back\\slash\\', 'two\nlines', '.*', 'a|b', '{{arm}}', 'Ünï𝄞\ufffd', "'"];
  const escaped = names.map((name) => name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n'));
  exporter.page = page(escaped.map((name, index) => ({ labels: `release="${name}"`, below: [index, index, index] })));
  // On a busy machine a scrape is late now and then, and its values are too old for a moment.
  const read = async (written: string, release: string) =>
    await eventually(async () => await ask(written, { release }), isRead);
  await read('x_bucket{release="{{release}}"}', names.at(-1) ?? '');
  for (const [index, release] of names.entries()) {
    const found = { kind: 'read', counts: [index, 0, 0] };
    expect([release, await read('x_bucket{release="{{release}}"}', release)]).toMatchObject([release, found]);
    expect([release, await read('x_bucket{release=~"{{release}}"}', release)]).toMatchObject([release, found]);
    expect(await ask('x_bucket{release=~"no-{{release}}"}', { release })).toEqual({ kind: 'unread', why: 'empty' });
  }
});

withPrometheus('a query that Prometheus does not take is refused there, and said to be', async () => {
  expect(await ask('x_bucket{a=~"(",b="{{arm}}"}')).toEqual({ kind: 'unread', why: 'query_refused' });
});

withPrometheus('a process that is gone has no series any more, and the same one comes back', async () => {
  exporter.page = page([{ labels: 'arm="canary"', below: [5, 8, 12] }]);
  const question = async () => await ask('x_bucket{arm="{{arm}}"}');
  await eventually(question, isRead);
  await exporter.close();
  expect(await eventually(question, because('empty'))).toEqual({ kind: 'unread', why: 'empty' });
  exporter = await startExporter(exporter.port);
  exporter.page = page([{ labels: 'arm="canary"', below: [1, 1, 1] }]);
  expect(await eventually(question, isRead)).toMatchObject({ kind: 'read', counts: [1, 0, 0] });
});

withPrometheus('killed it is away, comes back with what it had, and says how old that is', async () => {
  exporter.page = page([{ labels: 'arm="canary"', below: [5, 8, 12] }]);
  const question = async () => await ask('x_bucket{arm="{{arm}}"}');
  const before = await eventually(question, (reading) => reading.kind === 'read' && reading.counts[0] === 5);
  await server?.kill();
  expect(await question()).toEqual({ kind: 'unread', why: 'away' });
  // With nobody to scrape its newest values stay what they are, and Prometheus dates them by the question.
  await exporter.close();
  await server?.startAgain();
  const old = await eventually(question, isRead);
  const isLater = (reading: Reading) =>
    reading.kind === 'read' && old.kind === 'read' && reading.askedAtMs > old.askedAtMs + 3 * scrapeMs;
  const later = await eventually(question, isLater);
  if (before.kind !== 'read' || old.kind !== 'read' || later.kind !== 'read') throw new Error('expected readings');
  expect(later.counts).toEqual(before.counts);
  expect(later.scrapedAtMs).toBe(old.scrapedAtMs);
  expect(later.askedAtMs).toBeGreaterThan(old.askedAtMs);
});
