import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { LaneOrder } from '@proviso/targets';
import type { LaneTable } from './lane-table.ts';
import { BadReport, type ReportRead, readReportedEvents, readReportedMetrics } from './reported-values.ts';
import { type Arm, placeOf } from './split.ts';

/** Who hears what releases report of their answers: one listener for each release, on its own way out. */
export type ReportReceiver = (place: string, release: string) => RequestListener;

const BODY_BYTES_MAX = 256 * 1024;
/** Reading costs processor time that belongs to visitors; a report costs its bytes and at least this. */
const REPORT_BYTES_MIN = 4 * 1024;
const BYTES_PER_SECOND = 256 * 1024;
const BYTES_AT_ONCE = 1024 * 1024;

const readers: ReadonlyMap<string, { read: (body: unknown) => ReportRead; rejected: string }> = new Map([
  ['/v1/metrics', { read: readReportedMetrics, rejected: 'rejectedDataPoints' }],
  ['/v1/logs', { read: readReportedEvents, rejected: 'rejectedLogRecords' }],
]);

/** What is answered: OTLP's own statuses, so that exporters know what to send again. */
interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Opens the receiver of an edge. Which release speaks is known from the socket it speaks through, so nothing in a report
 * says it; values of a release that is in neither arm of a lane, such as a trial, are taken and count nowhere.
 */
export function openReportReceiver({ table, nowMs }: { table: LaneTable; nowMs: () => number }): ReportReceiver {
  return (place, release) => {
    const allowance = openAllowance(nowMs);
    const count = (read: ReportRead): void => {
      const lane = table.get(place);
      const arm = lane === null ? null : armOf(lane.order, release);
      if (lane === null || arm === null) return;
      for (const { unit, ...value } of read.values)
        lane.counter.report(arm, { ...value, unit: unit === null ? null : placeOf(unit, release) });
    };
    return (incoming, answer) => {
      void answerOf(incoming, allowance, count)
        .catch((error: unknown) => faultOf(error))
        .then((told) => send(answer, told));
    };
  };
}

function armOf({ canary, stable }: LaneOrder, release: string): Arm | null {
  if (canary?.release === release) return 'canary';
  return stable?.release === release ? 'stable' : null;
}

async function answerOf(
  incoming: IncomingMessage,
  allowance: Allowance,
  count: (read: ReportRead) => void,
): Promise<Answer> {
  const [path = ''] = (incoming.url ?? '').split('?');
  const reader = readers.get(path);
  if (reader === undefined) return said(404, `expected ${[...readers.keys()].join(' or ')}`);
  if (incoming.method !== 'POST') return said(405, 'expected POST');
  const type = incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    return said(415, 'expected application/json: set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json');
  if (incoming.headers['content-encoding'] !== undefined) return said(415, 'expected no content encoding');
  const waitSeconds = allowance.take(REPORT_BYTES_MIN);
  if (waitSeconds > 0) return tooMany(waitSeconds);
  const text = await bodyOf(incoming);
  allowance.charge(Math.max(0, Buffer.byteLength(text) - REPORT_BYTES_MIN));
  const read = reader.read(parsed(text));
  count(read);
  const partial = { [reader.rejected]: String(read.rejected), errorMessage: read.why ?? '' };
  return { status: 200, body: read.rejected === 0 ? {} : { partialSuccess: partial } };
}

class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  // Kept open when we stop in the middle: the reason has yet to go back on it.
  for await (const part of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > BODY_BYTES_MAX) throw new BodyTooLarge(`expected at most ${BODY_BYTES_MAX} bytes, got more`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // Said below, as for any other text.
  }
  throw new BadReport('expected an OTLP request in JSON');
}

interface Allowance {
  /** Seconds to wait, 0 when so much was there and is taken. */
  readonly take: (bytes: number) => number;
  /** Takes what turned out to be more; it may leave a debt that the next one waits for. */
  readonly charge: (bytes: number) => void;
}

function openAllowance(nowMs: () => number): Allowance {
  let [left, countedMs] = [BYTES_AT_ONCE, nowMs()];
  return {
    take: (bytes) => {
      const now = nowMs();
      left = Math.min(BYTES_AT_ONCE, left + ((now - countedMs) * BYTES_PER_SECOND) / 1_000);
      countedMs = now;
      if (left < bytes) return (bytes - left) / BYTES_PER_SECOND;
      left -= bytes;
      return 0;
    },
    charge: (bytes) => {
      left -= bytes;
    },
  };
}

function tooMany(waitSeconds: number): Answer {
  const headers = { 'retry-after': String(Math.ceil(waitSeconds)) };
  return { ...said(429, 'expected fewer reports: send several values together'), headers };
}

function faultOf(error: unknown): Answer {
  if (error instanceof BadReport) return said(400, error.message);
  if (error instanceof BodyTooLarge) return said(413, error.message);
  // The release went away while it spoke; nobody hears this.
  return said(400, 'expected a whole request');
}

function said(status: number, message: string): Answer {
  return { status, body: { message } };
}

function send(answer: ServerResponse, { status, body, headers }: Answer): void {
  const text = JSON.stringify(body);
  // What was not read of a body that is too large must not be taken for the next request.
  const last = status === 413 ? { connection: 'close' } : {};
  const length = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  answer.writeHead(status, { ...length, ...headers, ...last });
  answer.end(text);
}
