import { type AnswerHeaders, GATE_HEADER } from '@proviso/targets';

/** The cookie that makes a visitor a unit. */
export const UNIT_COOKIE = 'proviso_unit';
/** The header by which a client names its own unit. */
export const UNIT_HEADER = 'x-proviso-unit';
/** The cookie of a person who may look at staging. */
export const PREVIEW_COOKIE = 'proviso_preview';
/** Names the page when an answer is the router's own; a release cannot say it. */
export const PAGE_HEADER = 'x-proviso-page';

// They belong to one connection, not to the message (RFC 9110, 7.6.1).
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

// Only this router may say where a request came from, and only it reads the unit and a gate's pass.
const ours = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-real-ip',
  'expect',
  UNIT_HEADER,
  GATE_HEADER,
]);

// All cookies with names like ours are ours: none reaches a release, and no release sets one.
const OUR_COOKIE_START = 'proviso_';
const unitCookie = new RegExp(`(?:^|;\\s*)${UNIT_COOKIE}=([A-Za-z0-9-]{8,64})(?:;|$)`);
const previewCookie = new RegExp(`(?:^|;\\s*)${PREVIEW_COOKIE}=([A-Za-z0-9._~-]{1,600})(?:;|$)`);
const UNIT_HEADER_LENGTH_MAX = 128;

/** A request's head, read once from front to back. */
export interface RequestHead {
  /** The Host header as it came; null when there is none or more than one. */
  readonly host: string | null;
  /** What the visitor calls itself, in a cookie of ours or a header of theirs; null when nothing worth reading. */
  readonly unit: string | null;
  /** What a person who may look at staging, and a gate, show to prove it; null when there is nothing. */
  readonly preview: string | null;
  readonly gate: string | null;
  /** The declared length of the body, `chunked` for one of unknown length, 0 for none. */
  readonly body: number | 'chunked';
  /** What may reach a release, names in lower case and values in turn; host, length and origin are not among them. */
  readonly kept: readonly string[];
}

/** Reads the fields of a request in the flat form in which Node has them: names and values in turn. */
export function readHead(raw: readonly string[]): RequestHead {
  const kept: string[] = [];
  let [host, hosts, unit, cookieUnit]: [string | null, number, string | null, string | null] = [null, 0, null, null];
  let [preview, gate]: [string | null, string | null] = [null, null];
  let body: RequestHead['body'] = 0;
  let dropped: Set<string> | null = null;
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const value = raw[at + 1] ?? '';
    if (name === 'host') {
      host = value;
      hosts += 1;
    } else if (name === 'cookie') {
      if (!value.includes(OUR_COOKIE_START)) kept.push(name, value);
      else {
        cookieUnit ??= unitCookie.exec(value)?.[1] ?? null;
        preview ??= previewCookie.exec(value)?.[1] ?? null;
        const others = withoutOurCookies(value);
        if (others !== '') kept.push(name, others);
      }
    } else if (name === 'content-length') {
      if (body === 0) body = Number(value);
    } else if (name === 'transfer-encoding') body = 'chunked';
    else if (name === UNIT_HEADER) unit ??= isUnit(value) ? value : null;
    else if (name === GATE_HEADER) gate = value;
    else if (name === 'connection') dropped = namedBy(value, dropped);
    else if (!isBetweenNeighbours(name)) kept.push(name, value);
  }
  return {
    host: hosts === 1 ? host : null,
    unit: unit === null ? cookieUnit && `cookie ${cookieUnit}` : `header ${unit}`,
    preview,
    gate,
    body,
    kept: dropped === null ? kept : without(kept, dropped),
  };
}

/** A Host header without its port, in lower case and without a final dot. */
export function hostOf(header: string): string {
  return header.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

/** The fields a release gets: what was kept, and the true origin as only this router can tell it. */
export function releaseHeadersOf(head: RequestHead, remoteAddress: string | undefined): string[] {
  const host = head.host ?? '';
  const address = remoteAddress?.replace('::ffff:', '') ?? 'unknown';
  const node = address.includes(':') ? `"[${address}]"` : address;
  const headers = [...head.kept, 'host', host, 'x-forwarded-for', address, 'x-forwarded-proto', 'http'];
  headers.push('x-forwarded-host', host, 'forwarded', `for=${node};host="${host}";proto=http`);
  if (typeof head.body === 'number' && head.body > 0) headers.push('content-length', String(head.body));
  return headers;
}

/**
 * The fields a visitor gets, names and values in turn; a release cannot set the unit cookie and so choose its visitors,
 * nor speak as the router.
 */
export function visitorHeadersOf(headers: AnswerHeaders, cookie: string | null): string[] {
  const kept: string[] = [];
  const { connection } = headers;
  const dropped = connection === undefined ? null : namedBy([connection].flat().join(','), null);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || name === PAGE_HEADER || dropped?.has(name)) continue;
    // An answer with both is cut by its chunks: the length could lie to the next reader.
    if (name === 'content-length' && headers['transfer-encoding'] !== undefined) continue;
    if (typeof value === 'string') pushUnlessOurs(kept, name, value);
    else for (const each of value) pushUnlessOurs(kept, name, each);
  }
  if (cookie !== null) kept.push('set-cookie', cookie);
  return kept;
}

/** Sets the unit for a month: longer than a ramp, shorter than a habit. */
export function unitCookieOf(id: string): string {
  return `${UNIT_COOKIE}=${id}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax`;
}

function pushUnlessOurs(kept: string[], name: string, value: string): void {
  if (name !== 'set-cookie' || !value.trimStart().startsWith(OUR_COOKIE_START)) kept.push(name, value);
}

function isUnit(value: string): boolean {
  return value.length > 0 && value.length <= UNIT_HEADER_LENGTH_MAX;
}

/** Many servers read `a_b` and `a-b` as one name, so a forged one may be spelt either way. */
function isBetweenNeighbours(name: string): boolean {
  const spelt = name.includes('_') ? name.replaceAll('_', '-') : name;
  return hopByHop.has(spelt) || ours.has(spelt);
}

function withoutOurCookies(header: string): string {
  const kept = header.split(';').filter((text) => !text.trim().startsWith(OUR_COOKIE_START));
  return kept.join(';').trim();
}

function namedBy(connection: string, before: Set<string> | null): Set<string> | null {
  // What nearly everybody says names no field.
  if (connection === 'keep-alive' || connection === 'close') return before;
  const names = before ?? new Set<string>();
  for (const name of connection.split(',')) names.add(name.trim().toLowerCase());
  return names;
}

function without(flat: readonly string[], dropped: ReadonlySet<string>): readonly string[] {
  return flat.filter((_, at) => !dropped.has(flat[at - (at % 2)] ?? ''));
}
