import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Answers of the router itself; a release never speaks through them. */
export type Page =
  | 'unknown_host'
  | 'not_open'
  | 'closed'
  | 'unavailable'
  | 'release_failed'
  | 'release_slow'
  | 'too_large'
  | 'busy'
  | 'bad_request'
  | 'not_supported';

interface PageText {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly retryAfterSeconds?: number;
}

const pages: Readonly<Record<Page, PageText>> = {
  unknown_host: { status: 404, title: 'Nothing here', text: 'No prototype is served under this address.' },
  not_open: {
    status: 503,
    title: 'Not open yet',
    text: 'This is being opened step by step, and it is not your turn yet. Please try again a little later.',
    retryAfterSeconds: 30,
  },
  closed: {
    status: 503,
    title: 'Closed',
    text: 'This prototype is not being served at the moment.',
    retryAfterSeconds: 60,
  },
  unavailable: {
    status: 503,
    title: 'Not available',
    text: 'This prototype is not up. It is being looked after.',
    retryAfterSeconds: 5,
  },
  release_failed: { status: 502, title: 'No answer', text: 'The prototype did not answer properly.' },
  release_slow: { status: 504, title: 'No answer in time', text: 'The prototype did not answer in time.' },
  too_large: { status: 413, title: 'Too large', text: 'What was sent is larger than this address accepts.' },
  busy: { status: 503, title: 'Busy', text: 'Too many requests at once. Please try again.', retryAfterSeconds: 1 },
  bad_request: { status: 400, title: 'Not understood', text: 'This request cannot be served.' },
  not_supported: { status: 501, title: 'Not supported', text: 'This kind of connection is not supported.' },
};

/** The document of a page, without anything from outside in it. */
export function htmlOf(page: Page): string {
  const { title, text } = pages[page];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem;color:#1b1b1f;background:#fff}
@media (prefers-color-scheme:dark){body{color:#eee;background:#17171a}}</style></head>
<body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`;
}

/** Answers with a page; does nothing when the head of another answer is already out. */
export function sendPage(response: ServerResponse, page: Page, cookie: string | null): void {
  if (response.headersSent || response.destroyed) return;
  const { status, retryAfterSeconds } = pages[page];
  const html = htmlOf(page);
  const headers: OutgoingHttpHeaders = {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'cache-control': 'no-store',
    'x-proviso-page': page,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(cookie === null ? {} : { 'set-cookie': cookie }),
    // The rest of a body that was refused is not worth reading.
    ...(page === 'too_large' || page === 'bad_request' ? { connection: 'close' } : {}),
  };
  response.writeHead(status, headers);
  response.end(html);
}

/** A page as bytes, for a socket that has left HTTP. */
export function rawPage(page: Page): string {
  const { status, title } = pages[page];
  return `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
}
