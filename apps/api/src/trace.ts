import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** Where a request stands in its trace (W3C Trace Context). */
export interface Trace {
  readonly traceId: string;
  /** Our own part of it. */
  readonly spanId: string;
  /** Whether whoever began the trace records it; we pass that on and never turn it on ourselves. */
  readonly sampled: boolean;
}

/** Version, trace, parent and flags; a later version may be longer, ours may not. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Longer than any version will be for years; a header is a stranger's. */
const lettersMax = 200;

/** Goes on with the caller's trace, or begins one: a header that breaks the recommendation is as good as none. */
export function traceFrom(header: unknown, drawHex: (bytes: number) => string): Trace {
  const parent = typeof header === 'string' && header.length <= lettersMax ? parentIn(header) : null;
  const spanId = drawnId(8, drawHex);
  return parent === null ? { traceId: drawnId(16, drawHex), spanId, sampled: false } : { ...parent, spanId };
}

/** The trace as the answer tells it, in the form of `traceresponse` (Trace Context Level 2). */
export function traceText({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The id by which one request is found in the log. */
export function requestIdOf(uuid: string): string {
  return `req_${uuid.replaceAll('-', '')}`;
}

/** Random hexadecimal digits of this process. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

function parentIn(header: string): Pick<Trace, 'traceId' | 'sampled'> | null {
  const [, version, traceId = '', parentId = '', flags = '', rest] = form.exec(header) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (isZero(traceId) || isZero(parentId)) return null;
  return { traceId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** All zeros mean no id, however unlikely it is to draw them. */
function drawnId(bytes: number, drawHex: (bytes: number) => string): string {
  const id = drawHex(bytes);
  return isZero(id) ? `${id.slice(1)}1` : id;
}

function isZero(id: string): boolean {
  return /^0*$/.test(id);
}

/** A request that a parser refused before our first hook ran has none. */
const traces = new WeakMap<FastifyRequest, Trace>();

/** Remembers a request's trace for as long as it lives. */
export function attachTrace(request: FastifyRequest, trace: Trace): void {
  traces.set(request, trace);
}

/** What every line of the log about a request carries, so that a problem's `requestId` leads to the caller's trace. */
export function loggedAs(request: FastifyRequest): { readonly requestId: string; readonly traceId?: string } {
  const trace = traces.get(request);
  return { requestId: request.id, ...(trace === undefined ? {} : { traceId: trace.traceId, spanId: trace.spanId }) };
}
