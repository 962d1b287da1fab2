import type { SiteFile, StaticSite } from './static-site.ts';
import type { UpstreamCall } from './upstream.ts';

/** What will be answered, decided before anything is read. */
export interface StaticPlan {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** The bytes of a file, or null when `text` is all. */
  readonly file: { readonly path: string; readonly start: number; readonly end: number } | null;
  readonly text: string;
}

/** What is asked of a file, as far as it matters. */
interface Wish {
  readonly isHead: boolean;
  readonly range: string;
  readonly ifRange: string;
  readonly ifNoneMatch: string;
  readonly acceptEncoding: string;
}

/** Decides on an answer (RFC 9110): methods, conditions, ranges and encodings, without looking at the disk. */
export function planAnswer(site: StaticSite, call: UpstreamCall): StaticPlan {
  if (call.method !== 'GET' && call.method !== 'HEAD')
    return textPlan(405, `expected GET or HEAD, got ${call.method.slice(0, 20)}`, { allow: 'GET, HEAD' });
  const path = pathOf(call.path);
  if (path === null) return textPlan(400, 'expected a path with valid percent encoding', {});
  const heard = headersOf(call.headers);
  const found = site.find(path, { html: (heard.accept ?? '').includes('text/html') });
  if (found.kind === 'none') return textPlan(404, 'this prototype has no file at this address', {});
  // As it was asked for and not decoded, so that nothing new can appear in it.
  if (found.kind === 'folder') return textPlan(308, '', { location: call.path.replace(/(?=[?#]|$)/, '/') });
  return filePlan(found.file, {
    isHead: call.method === 'HEAD',
    range: heard.range ?? '',
    ifRange: heard['if-range'] ?? '',
    ifNoneMatch: heard['if-none-match'] ?? '',
    acceptEncoding: heard['accept-encoding'] ?? '',
  });
}

function filePlan(file: SiteFile, wish: Wish): StaticPlan {
  // A part is of the plain file: whoever asks for parts counts its bytes.
  const encoded =
    wish.range === '' ? file.encoded.find(({ encoding }) => accepts(wish.acceptEncoding, encoding)) : null;
  const { path, sizeBytes, etag } = encoded ?? file;
  const headers: Record<string, string> = {
    etag,
    'cache-control': file.cacheControl,
    ...(file.encoded.length > 0 && { vary: 'accept-encoding' }),
  };
  if (matches(wish.ifNoneMatch, etag)) return { status: 304, headers, file: null, text: '' };
  Object.assign(headers, {
    'content-type': file.type,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    ...(encoded && { 'content-encoding': encoded.encoding }),
  });
  const range = wish.ifRange === '' || wish.ifRange === etag ? rangeOf(wish.range, sizeBytes) : null;
  if (range === 'beyond')
    return textPlan(416, `expected a range within ${sizeBytes} bytes`, { 'content-range': `bytes */${sizeBytes}` });
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  headers['content-length'] = String(end - start);
  if (range !== null) headers['content-range'] = `bytes ${start}-${end - 1}/${sizeBytes}`;
  const status = range === null ? 200 : 206;
  return { status, headers, file: wish.isHead ? null : { path, start, end }, text: '' };
}

/** The asked path, decoded once; null when it cannot be. */
function pathOf(target: string): string | null {
  try {
    return decodeURIComponent(target.split(/[?#]/, 1)[0] ?? '/');
  } catch {
    return null;
  }
}

function headersOf(flat: readonly string[]): Partial<Record<string, string>> {
  const headers: Partial<Record<string, string>> = {};
  for (let at = 0; at < flat.length; at += 2) headers[(flat[at] ?? '').toLowerCase()] = flat[at + 1] ?? '';
  return headers;
}

/** One range of bytes, with `end` behind the last; null for none or for what we need not understand. */
function rangeOf(header: string, sizeBytes: number): { start: number; end: number } | 'beyond' | null {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < start) return null;
  return start >= end ? 'beyond' : { start, end };
}

function matches(header: string, etag: string): boolean {
  if (header === '') return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

function accepts(header: string, encoding: string): boolean {
  const found = header.split(',').find((word) => word.split(';')[0]?.trim().toLowerCase() === encoding);
  return found !== undefined && !/;\s*q=0(\.0*)?\s*$/.test(found);
}

function textPlan(status: number, sentence: string, headers: Record<string, string>): StaticPlan {
  const text = sentence === '' ? '' : `${sentence}\n`;
  const length = { 'content-length': String(Buffer.byteLength(text)) };
  return {
    status,
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache', ...length },
    file: null,
    text,
  };
}
