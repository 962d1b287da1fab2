import { edgeBounds } from '@proviso/domain';

/** What a release itself knows of its answers, and nobody else does. */
export const reportedMetrics = ['score', 'cost'] as const;
/** One of them. */
export type ReportedMetric = (typeof reportedMetrics)[number];

/** One value, or several of one bucket without names. */
export interface ReportedValue {
  readonly metric: ReportedMetric;
  /** Of those of `edgeBounds`. */
  readonly bucket: number;
  readonly count: number;
  /** Whom the answer was for, as the release names its visitors; null when it does not say. */
  readonly unit: string | null;
}

/** What could be read of a report, and what could not. */
export interface ReportRead {
  readonly values: readonly ReportedValue[];
  readonly rejected: number;
  /** Why the first one was rejected. */
  readonly why: string | null;
}

/** A report that is no OTLP, in words for whoever wrote the exporter. */
export class BadReport extends Error {
  override readonly name = 'BadReport';
}

/**
 * OpenTelemetry's names: the score of an evaluation (semantic conventions for GenAI; an event there), and what an answer
 * cost as it is proposed for them.
 */
const metricByName: ReadonlyMap<unknown, ReportedMetric> = new Map([
  ['gen_ai.evaluation.score.value', 'score'],
  ['gen_ai.usage.cost.amount', 'cost'],
]);
const EVALUATION_EVENT = 'gen_ai.evaluation.result';
const SCORE_ATTRIBUTE = 'gen_ai.evaluation.score.value';
/** By which attribute a visitor is known, the first that is there. */
const unitAttributes = ['user.id', 'session.id', 'gen_ai.conversation.id'];
const UNIT_LENGTH_MAX = 256;
/** An exporter sends what came together within a minute or so; who has more sends more often. */
const VALUES_MAX = 1_000;
/** How OTLP spells it in JSON. */
const DELTA = 1;

/** Reads an OTLP request of metrics: gauges, and histograms of one value or in our buckets. Other names are left aside. */
export function readReportedMetrics(body: unknown): ReportRead {
  const tally = openTally();
  for (const resource of listAt(body, 'resourceMetrics'))
    for (const scope of listAt(resource, 'scopeMetrics'))
      for (const metric of listAt(scope, 'metrics')) readMetric(metric, tally);
  return tally;
}

/** Reads an OTLP request of logs: the events that tell the result of an evaluation. Other records are left aside. */
export function readReportedEvents(body: unknown): ReportRead {
  const tally = openTally();
  for (const resource of listAt(body, 'resourceLogs'))
    for (const scope of listAt(resource, 'scopeLogs'))
      for (const record of listAt(scope, 'logRecords')) {
        const attributes = attributesOf(record);
        const name = fieldOf(record, 'eventName') ?? attributes.get('event.name');
        if (name === EVALUATION_EVENT)
          take(tally, { metric: 'score', value: attributes.get(SCORE_ATTRIBUTE), attributes });
      }
  return tally;
}

interface Tally {
  readonly values: ReportedValue[];
  rejected: number;
  why: string | null;
}

function openTally(): Tally {
  return { values: [], rejected: 0, why: null };
}

function readMetric(metric: unknown, tally: Tally): void {
  const name = metricByName.get(fieldOf(metric, 'name'));
  if (name === undefined) return;
  const gauge = fieldOf(metric, 'gauge');
  const histogram = fieldOf(metric, 'histogram');
  if (gauge !== undefined)
    for (const point of listAt(gauge, 'dataPoints')) {
      const value = fieldOf(point, 'asDouble') ?? fieldOf(point, 'asInt');
      take(tally, { metric: name, value, attributes: attributesOf(point) });
    }
  else if (histogram !== undefined) {
    const isDelta = fieldOf(histogram, 'aggregationTemporality') === DELTA;
    for (const point of listAt(histogram, 'dataPoints'))
      if (isDelta) takeHistogram(tally, name, point);
      else reject(tally, 'expected delta temporality (1), got another');
  } else reject(tally, `expected a gauge or a histogram of ${name}, got another kind`);
}

/** A histogram loses where in a bucket its values were: one value is known by its sum, several only in our own buckets. */
function takeHistogram(tally: Tally, metric: ReportedMetric, point: unknown): void {
  const attributes = attributesOf(point);
  const count = numberOf(fieldOf(point, 'count'));
  if (count === 1) return take(tally, { metric, value: fieldOf(point, 'sum'), attributes });
  const bounds = listAt(point, 'explicitBounds').map(numberOf);
  const counts = listAt(point, 'bucketCounts').map(numberOf);
  const ours = edgeBounds[metric];
  const fits = bounds.length === ours.length && bounds.every((bound, index) => bound === ours[index]);
  const whole = counts.length === ours.length + 1 && counts.every((each) => Number.isSafeInteger(each) && each >= 0);
  if (!fits || !whole) return reject(tally, `expected one value, or buckets with the bounds ${ours.join(', ')}`);
  if (unitOf(attributes) !== null) return reject(tally, 'expected one value for a visitor, got several');
  for (const [bucket, each] of counts.entries()) if (each > 0) put(tally, { metric, bucket, count: each, unit: null });
}

function take(
  tally: Tally,
  { metric, value, attributes }: { metric: ReportedMetric; value: unknown; attributes: ReadonlyMap<string, unknown> },
): void {
  const number = numberOf(value);
  if (!Number.isFinite(number) || number < 0) return reject(tally, `expected a number of at least 0 as ${metric}`);
  // Nobody but the release knows its scale, and on another one the buckets would tell nothing apart.
  if (metric === 'score' && number > 1) return reject(tally, 'expected a score from 0 to 1, got more');
  const found = edgeBounds[metric].findIndex((bound) => number <= bound);
  const bucket = found === -1 ? edgeBounds[metric].length : found;
  put(tally, { metric, bucket, count: 1, unit: unitOf(attributes) });
}

function put(tally: Tally, value: ReportedValue): void {
  if (tally.values.length >= VALUES_MAX) throw new BadReport(`expected at most ${VALUES_MAX} values, got more`);
  tally.values.push(value);
}

function reject(tally: Tally, why: string): void {
  tally.rejected += 1;
  tally.why ??= why;
}

function unitOf(attributes: ReadonlyMap<string, unknown>): string | null {
  const name = unitAttributes.find((each) => attributes.has(each));
  const value = name === undefined ? undefined : attributes.get(name);
  // One that is cut off could be another's.
  return typeof value === 'string' && value !== '' && value.length <= UNIT_LENGTH_MAX ? value : null;
}

/** Attributes with their plain values; of the same name the first one counts. */
function attributesOf(holder: unknown): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const attribute of listAt(holder, 'attributes')) {
    const value = fieldOf(attribute, 'value');
    const plain = fieldOf(value, 'stringValue') ?? fieldOf(value, 'doubleValue') ?? fieldOf(value, 'intValue');
    const key = String(fieldOf(attribute, 'key'));
    if (!found.has(key)) found.set(key, plain);
  }
  return found;
}

/** JSON spells 64-bit numbers as text. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN;
}

function listAt(holder: unknown, name: string): readonly unknown[] {
  const list = fieldOf(holder, name) ?? [];
  if (!Array.isArray(list)) throw new BadReport(`${name}: expected a list`);
  return list;
}

function fieldOf(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) {
    if (holder === undefined) return undefined;
    throw new BadReport(`expected an object with ${name}`);
  }
  return Object.hasOwn(holder, name) ? (Reflect.get(holder, name) ?? undefined) : undefined;
}
