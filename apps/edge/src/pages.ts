import type { ServerResponse } from 'node:http';
import { PAGE_HEADER, type RequestHead } from './headers.ts';

/** Answers of the router itself; a release never speaks through them. */
export type Page =
  | 'unknown_host'
  | 'not_open'
  | 'closed'
  | 'preview_only'
  | 'starting'
  | 'unavailable'
  | 'release_failed'
  | 'release_slow'
  | 'too_large'
  | 'busy'
  | 'bad_request'
  | 'not_supported';

/** What happened, what a visitor can do, and what the builder can. */
interface PageText {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly visitor: string;
  readonly builder: string;
  readonly retryAfterSeconds?: number;
}

const STATUS_HINT = 'Run “proviso status” or look at the release in the console: it says why, with its last lines.';

const pages: Readonly<Record<Page, PageText>> = {
  unknown_host: {
    status: 404,
    title: 'Nothing here',
    text: 'Nothing is served under this name.',
    visitor: 'Check the address for a typing error.',
    builder: 'A prototype has an address from its first promotion on. “proviso status” shows it.',
  },
  not_open: {
    status: 503,
    title: 'Not open yet',
    text: 'This is being opened step by step, and it is not your turn yet.',
    visitor: 'Please try again a little later.',
    builder: 'The first release is shown to a growing share of users while it is being judged.',
    retryAfterSeconds: 30,
  },
  closed: {
    status: 503,
    title: 'Closed',
    text: 'This prototype is not being served at the moment.',
    visitor: 'Ask the people who run it when it will be back.',
    builder: 'No release is live: none was promoted yet, or the last one was taken back. “proviso status” tells which.',
    retryAfterSeconds: 60,
  },
  preview_only: {
    status: 401,
    title: 'A preview',
    text: 'This preview is for the people who decide.',
    visitor: 'Open it from the promotion: a link works once, and for five minutes.',
    builder: '“proviso preview <promotion>” gives a link to everybody who may read the promotion.',
  },
  starting: {
    status: 503,
    title: 'Starting',
    text: 'This prototype is being started.',
    visitor: 'It should be there in a few seconds: please try again.',
    builder: 'If it stays like this, its health address does not answer. “proviso status” shows the last lines.',
    retryAfterSeconds: 2,
  },
  unavailable: {
    status: 503,
    title: 'Not available',
    text: 'This prototype is not up: it ended, or it does not say that it is well.',
    visitor: 'It is tried again by itself. Please come back in a moment.',
    builder: STATUS_HINT,
    retryAfterSeconds: 5,
  },
  release_failed: {
    status: 502,
    title: 'No answer',
    text: 'The prototype did not answer: it ended the connection before its answer was there.',
    visitor: 'Please try again. If it happens again, tell the people who run it.',
    builder: 'Something in the code ended the request, or the whole process. Look at its output for this moment.',
  },
  release_slow: {
    status: 504,
    title: 'No answer in time',
    text: 'The prototype took too long to begin its answer.',
    visitor: 'Please try again a little later.',
    builder: 'An answer must begin within a minute. For longer work, begin with a first part and stream the rest.',
  },
  too_large: {
    status: 413,
    title: 'Too large',
    text: 'What was sent is larger than this address accepts.',
    visitor: 'Send less at once.',
    builder: 'A request may carry 10 MiB. Larger files are better sent in parts, or straight to a store.',
  },
  busy: {
    status: 503,
    title: 'Busy',
    text: 'Too many requests at once.',
    visitor: 'Please try again in a second.',
    builder: 'The edge serves what it has before it takes more. Answer faster, or run more edges.',
    retryAfterSeconds: 1,
  },
  bad_request: {
    status: 400,
    title: 'Not understood',
    text: 'This request is not well-formed HTTP for one address: exactly one Host, and a path that begins with “/”.',
    visitor: 'Open the address in a browser.',
    builder: 'Look at how the client builds its request.',
  },
  not_supported: {
    status: 501,
    title: 'Not supported',
    text: 'This kind of connection is not served here.',
    visitor: 'Open the address in a browser.',
    builder: 'HTTP, WebSocket and event streams are passed on; CONNECT and TRACE are not.',
  },
};

/** To whom an answer goes: the request's head says the form and the name, the cookie makes it a unit. */
export interface Addressee {
  readonly head: RequestHead | null;
  readonly cookie: string | null;
}

/** Answers with a page; does nothing when the head of another answer is already out. */
export function sendPage(response: ServerResponse, page: Page, { head, cookie }: Addressee): void {
  if (response.headersSent || response.destroyed) return;
  const { status, retryAfterSeconds } = pages[page];
  const isJson = wantsJson(head);
  const text = isJson ? jsonOf(page, head?.host ?? null) : htmlOf(page, head?.host ?? null);
  response.writeHead(status, {
    'content-type': isJson ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    [PAGE_HEADER]: page,
    vary: 'accept',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(cookie === null ? {} : { 'set-cookie': cookie }),
    // The rest of a body that was refused is not worth reading.
    ...(page === 'too_large' || page === 'bad_request' ? { connection: 'close' } : {}),
  });
  response.end(text);
}

/** To the top of the same host and nowhere else, whatever the link said; nothing of the link is told to the next page. */
export function sendHome(response: ServerResponse, cookie: string | null): void {
  response.writeHead(303, {
    location: '/',
    'content-length': 0,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    ...(cookie === null ? {} : { 'set-cookie': cookie }),
  });
  response.end();
}

/** The document of a page; the name that was asked for is all that comes from outside, and it is escaped. */
export function htmlOf(page: Page, host: string | null): string {
  const { title, text, visitor, builder } = pages[page];
  const forWhom = host === null ? '' : `<p class="host">${escapeHtml(host)}</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color:#1b1b1f;background:#fff}
.host,.builder{font-size:.9rem;opacity:.7;overflow-wrap:anywhere}@media (prefers-color-scheme:dark){body{color:#eee;background:#17171a}}</style></head>
<body><main>${forWhom}<h1>${title}</h1><p>${text} ${visitor}</p><p class="builder">If you built it: ${builder}</p></main></body></html>
`;
}

function jsonOf(page: Page, host: string | null): string {
  const { status, title, text, visitor, builder } = pages[page];
  return `${JSON.stringify({ status, code: page, title, message: text, host, visitor, builder })}\n`;
}

/** A page as bytes, for a socket that has left HTTP. */
export function rawPage(page: Page): string {
  const { status, title } = pages[page];
  return `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
}

/** JSON for those who ask for it and not for a page: browsers name text/html, programs do not. */
function wantsJson(head: RequestHead | null): boolean {
  const at = head?.kept.indexOf('accept') ?? -1;
  const accept = at === -1 ? '' : (head?.kept[at + 1] ?? '');
  return /\bjson\b/.test(accept) && !accept.includes('text/html');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? '');
}
