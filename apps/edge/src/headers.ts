import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** The cookie that makes a visitor a unit. */
export const UNIT_COOKIE = 'proviso_unit';
/** The header by which a client names its own unit. */
export const UNIT_HEADER = 'x-proviso-unit';

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

// Only this router may say where a request came from, and only it reads the unit.
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
]);

/** A Host header without its port, in lower case and without a final dot. */
export function hostOf(header: string | undefined): string {
  return (header ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

/** The headers a release gets: hop-by-hop ones and forged origins are gone, the true origin is added. */
export function requestHeadersOf(request: IncomingMessage, hasBody: boolean): Record<string, string | string[]> {
  const { headers } = request;
  const dropped = namedByConnection(headers);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || ours.has(name) || dropped.has(name)) continue;
    if (name === 'content-length' && !hasBody) continue;
    kept[name] = value;
  }
  const cookies = withoutUnitCookie(headers.cookie);
  if (cookies === null) delete kept.cookie;
  else kept.cookie = cookies;
  kept['x-forwarded-for'] = request.socket.remoteAddress ?? 'unknown';
  kept['x-forwarded-proto'] = 'http';
  if (headers.host !== undefined) kept['x-forwarded-host'] = headers.host;
  return kept;
}

/** The headers a visitor gets; a release cannot set the unit cookie and so choose its visitors. */
export function responseHeadersOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  cookie: string | null,
): Record<string, string | string[]> {
  const dropped = namedByConnection(headers);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || dropped.has(name) || name === 'set-cookie') continue;
    kept[name] = value;
  }
  const cookies = [headers['set-cookie'] ?? []]
    .flat()
    .filter((text) => !text.trimStart().startsWith(`${UNIT_COOKIE}=`));
  if (cookie !== null) cookies.push(cookie);
  if (cookies.length > 0) kept['set-cookie'] = cookies;
  return kept;
}

/** The unit that a visitor names, in a cookie of ours or a header of theirs; null when there is none worth reading. */
export function unitOf(headers: IncomingHttpHeaders): string | null {
  const header = headers[UNIT_HEADER];
  if (typeof header === 'string' && header.length > 0 && header.length <= 128) return `header ${header}`;
  const found = new RegExp(`(?:^|;\\s*)${UNIT_COOKIE}=([A-Za-z0-9-]{8,64})(?:;|$)`).exec(headers.cookie ?? '');
  return found === null ? null : `cookie ${found[1]}`;
}

/** Sets the unit for a month: longer than a ramp, shorter than a habit. */
export function unitCookieOf(id: string): string {
  return `${UNIT_COOKIE}=${id}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax`;
}

function withoutUnitCookie(header: string | undefined): string | null {
  const kept = (header ?? '').split(';').filter((text) => !text.trim().startsWith(`${UNIT_COOKIE}=`));
  return kept.join(';').trim() || null;
}

function namedByConnection(headers: Readonly<Record<string, string | string[] | undefined>>): Set<string> {
  const text = [headers.connection ?? []].flat().join(',');
  return new Set(text.split(',').map((name) => name.trim().toLowerCase()));
}
