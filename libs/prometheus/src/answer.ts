import { scrapeMark } from './promql.ts';
import { type Reading, type UnreadReason, unread } from './reading.ts';

/** Scrapes come every minute at the slowest that is usual: two may be missed. */
const scrapeAgeMsMax = 150_000;

/** What the judge compares at most: 16 bounds and what is above them. */
const bucketsMax = 17;

/** Above this a double holds no exact count any more. */
const countMax = Number.MAX_SAFE_INTEGER;

/** Reads the answer to an instant query of `promqlOf`. What it says is a stranger's, so nothing in it is believed. */
export function readAnswer(body: unknown): Reading {
  const { status, data, warnings } = recordOf(body);
  if (status === 'error') return unread('query_refused');
  const { resultType, result } = recordOf(data);
  if (status !== 'success' || resultType !== 'vector' || !Array.isArray(result)) return unread('not_understood');
  // Behind some addresses stand many servers, and this is how one of them being away is told.
  if (warnings !== undefined && !(Array.isArray(warnings) && warnings.length === 0)) return unread('warned');
  const rows = result.map(rowOf);
  const unreadable = rows.find((row) => typeof row === 'string');
  return unreadable === undefined ? readRows(rows.filter((row) => typeof row !== 'string')) : unread(unreadable);
}

interface Row {
  readonly labels: Readonly<Record<string, unknown>>;
  /** When it was asked, in seconds, and what it is. */
  readonly at: number;
  readonly value: number;
}

function rowOf(given: unknown): Row | UnreadReason {
  const { metric, value, histogram } = recordOf(given);
  if (histogram !== undefined) return 'native_histogram';
  if (!Array.isArray(value) || value.length !== 2) return 'not_understood';
  const [at, text]: readonly unknown[] = value;
  if (typeof at !== 'number' || typeof text !== 'string') return 'not_understood';
  return { labels: recordOf(metric), at, value: numberOf(text) };
}

function readRows(rows: readonly Row[]): Reading {
  const marks = rows.filter(isMark);
  const buckets = rows.filter((row) => !isMark(row)).map(bucketOf);
  if (buckets.length === 0) return unread('empty');
  const bounds = buckets.map(({ bound }) => bound).toSorted((a, b) => a - b);
  if (new Set(bounds).size < bounds.length) return unread('several_series');
  if (buckets.some(({ count }) => !Number.isFinite(count))) return unread('not_a_number');
  if (buckets.some(({ count }) => !isCount(count))) return unread('not_a_count');
  const counts = countsOf(buckets);
  if (counts === null) return unread('not_a_histogram');
  const [mark] = marks;
  if (mark === undefined || marks.length > 1 || !(mark.value > 0)) return unread('not_understood');
  const [askedAtMs, scrapedAtMs] = [Math.round(mark.at * 1_000), Math.round(mark.value * 1_000)];
  // Both times are of the same clock, which need not be ours.
  if (askedAtMs - scrapedAtMs > scrapeAgeMsMax) return unread('stale');
  return { kind: 'read', askedAtMs, scrapedAtMs, bounds: bounds.slice(0, -1), counts };
}

function isMark({ labels }: Row): boolean {
  return labels[scrapeMark.label] === scrapeMark.value && Object.keys(labels).length === 1;
}

interface Bucket {
  readonly bound: number;
  /** Of all that is not above the bound. */
  readonly count: number;
}

function bucketOf({ labels, value }: Row): Bucket {
  const { le } = labels;
  return { bound: typeof le === 'string' ? numberOf(le) : Number.NaN, count: value };
}

/** How many are in each bucket alone; null when these are not the buckets of one histogram. */
function countsOf(buckets: readonly Bucket[]): readonly number[] | null {
  const rising = buckets.toSorted((a, b) => a.bound - b.bound);
  if (rising.length < 2 || rising.length > bucketsMax || rising.at(-1)?.bound !== Number.POSITIVE_INFINITY) return null;
  const counts = rising.map(({ count }, index) => count - (rising[index - 1]?.count ?? 0));
  const isWhole = rising.every(({ bound }) => !Number.isNaN(bound)) && counts.every((count) => count >= 0);
  return isWhole ? counts : null;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= countMax;
}

/** As Go writes numbers; anything else is none. */
function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
