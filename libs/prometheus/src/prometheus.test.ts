import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readMetricQuery } from '@proviso/domain';
import { openPrometheus, type Prometheus, type PrometheusPlace } from './prometheus.ts';

// Servers that lie, stall and send people elsewhere, on real sockets. What a real Prometheus says is in the file beside.

const subject = { prototype: 'desk', lane: 'lane_1', release: 'rel_1', version: '1', arm: 'canary' };
const read = readMetricQuery('x_bucket{arm="{{arm}}"}');
if (!read.ok) throw new Error(read.message);
const { query } = read;

const good = JSON.stringify({
  status: 'success',
  data: {
    resultType: 'vector',
    result: [
      { metric: { le: '1' }, value: [1_000, '3'] },
      { metric: { le: '+Inf' }, value: [1_000, '4'] },
      { metric: { scraped: 'oldest' }, value: [1_000, '999'] },
    ],
  },
});
const goodReading = { kind: 'read', askedAtMs: 1_000_000, scrapedAtMs: 999_000, bounds: [1], counts: [3, 1] };

let answerWith: (request: IncomingMessage, answer: ServerResponse) => void = () => undefined;
const asked: { path: string; authorization: string | undefined; body: string; host: string | undefined }[] = [];
let server: Server;
let port: number;
let elsewhere: Server;
let visitsElsewhere = 0;
const opened: Prometheus[] = [];

beforeAll(async () => {
  server = createServer((request, answer) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part) => (body += part));
    request.on('end', () => {
      const { authorization, host } = request.headers;
      asked.push({ path: request.url ?? '', authorization, body, host });
      answerWith(request, answer);
    });
  });
  elsewhere = createServer((_request, answer) => {
    visitsElsewhere += 1;
    json(answer, good);
  });
  port = await listening(server);
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  for (const prometheus of opened) await prometheus.close();
  for (const each of [server, elsewhere]) {
    each.closeAllConnections();
    each.close();
  }
});

async function listening(on: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    on.listen(0, '127.0.0.1', resolve);
  });
  return (on.address() as AddressInfo).port;
}

function json(answer: ServerResponse, text: string, headers: Readonly<Record<string, string>> = {}): void {
  answer.writeHead(200, { 'content-type': 'application/json', ...headers });
  answer.end(text);
}

function open(more: Partial<Omit<PrometheusPlace, 'url'>> & { readonly at?: string } = {}): Prometheus {
  const { at = `http://127.0.0.1:${port}`, ...rest } = more;
  const prometheus = openPrometheus({ url: new URL(at), reach: 'private', readToken: null, ...rest });
  opened.push(prometheus);
  return prometheus;
}

const unread = (why: string) => ({ kind: 'unread', why });

test('the question goes below the address of the source, with its token, and the answer is read', async () => {
  answerWith = (_request, answer) => json(answer, good);
  const prometheus = open({ at: `http://127.0.0.1:${port}/inside/`, readToken: () => Promise.resolve('s3cret') });
  expect(await prometheus.ask(query, subject)).toEqual(goodReading);
  const [question] = asked;
  expect(question).toMatchObject({ path: '/inside/api/v1/query', authorization: 'Bearer s3cret' });
  expect(new URLSearchParams(question?.body).get('query')).toContain('x_bucket{arm="canary"}');
});

test.each([301, 302, 303, 307, 308])(
  'a %i to another host is not followed, and nothing is sent there',
  async (status) => {
    const other = elsewhere.listening ? (elsewhere.address() as AddressInfo).port : await listening(elsewhere);
    answerWith = (_request, answer) => {
      answer.writeHead(status, { location: `http://127.0.0.1:${other}/api/v1/query` });
      answer.end();
    };
    const prometheus = open({ readToken: () => Promise.resolve('s3cret') });
    expect(await prometheus.ask(query, subject)).toEqual(unread('redirected'));
    expect(visitsElsewhere).toBe(0);
  },
);

test.each([
  ['400', 400, 'query_refused'],
  ['422', 422, 'query_refused'],
  ['401', 401, 'not_let_in'],
  ['403', 403, 'not_let_in'],
  ['404', 404, 'not_understood'],
  ['429', 429, 'away'],
  ['503', 503, 'away'],
])('status %s is no reading, whatever its body says', async (_name, status, why) => {
  answerWith = (_request, answer) => {
    answer.writeHead(status, { 'content-type': 'application/json' });
    answer.end(good);
  };
  expect(await open().ask(query, subject)).toEqual(unread(why));
});

test.each([
  ['a page', 'text/html', '<html></html>', {}],
  ['JSON that says it is a page', 'text/html', good, {}],
  ['half of an answer', 'application/json', good.slice(0, 40), {}],
  ['packed bytes that nobody asked for', 'application/json', good, { 'content-encoding': 'gzip' }],
])('%s is not understood', async (_what, type, body, headers) => {
  answerWith = (_request, answer) => json(answer, body, { 'content-type': type, ...headers });
  expect(await open().ask(query, subject)).toEqual(unread('not_understood'));
});

test('of an answer of 100 MB little is read, and the connection is given up', async () => {
  const part = Buffer.alloc(65_536, 'x');
  let sent = 0;
  const givenUp = new Promise<void>((resolve) => {
    answerWith = (_request, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      const pour = (): void => {
        while (sent < 100_000_000 && !answer.destroyed) {
          sent += part.length;
          if (!answer.write(part)) return void answer.once('drain', pour);
        }
        answer.end();
      };
      answer.on('close', resolve);
      pour();
    };
  });
  expect(await open().ask(query, subject)).toEqual(unread('too_large'));
  await givenUp;
  expect(sent).toBeLessThan(50_000_000);
});

test('a slow drip of bytes is given up after the same time as silence', async () => {
  answerWith = (_request, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => void answer.write(' '), 100);
    answer.on('close', () => clearInterval(drip));
  };
  const began = performance.now();
  expect(await open().ask(query, subject)).toEqual(unread('away'));
  expect(performance.now() - began).toBeLessThan(6_000);
});

test('nobody at the address, and a connection that breaks off, are the same as silence', async () => {
  answerWith = (request) => void request.socket.destroy();
  expect(await open().ask(query, subject)).toEqual(unread('away'));
  expect(await open({ at: 'http://127.0.0.1:9' }).ask(query, subject)).toEqual(unread('away'));
  const nowhere = open({ at: 'http://prometheus.example', resolve: () => Promise.reject(new Error('no such name')) });
  expect(await nowhere.ask(query, subject)).toEqual(unread('away'));
});

test('a token that cannot be read sends no question', async () => {
  const prometheus = open({ readToken: () => Promise.reject(new Error('no such file')) });
  expect(await prometheus.ask(query, subject)).toEqual(unread('token_unreadable'));
  expect(asked).toEqual([]);
});

test.each([
  ['public', '127.0.0.1', false],
  ['public', '10.1.2.3', false],
  ['public', '::1', false],
  ['public', 'fd12::1', false],
  ['private', '127.0.0.1', true],
  ['private', '169.254.169.254', false],
  ['private', '169.254.10.1', false],
  ['private', '100.100.100.200', false],
  ['private', '168.63.129.16', false],
  ['private', 'fd00:ec2::254', false],
  ['private', 'fe80::1', false],
  ['private', '::ffff:169.254.169.254', false],
  ['private', '0.0.0.0', false],
  ['private', '224.0.0.1', false],
] as const)('a %s source whose name leads to %s is asked: %s', async (reach, address, isAsked) => {
  answerWith = (_request, answer) => json(answer, good);
  const at = `http://prometheus.example:${port}`;
  const expected = isAsked ? goodReading : unread('address_refused');
  const named = open({ at, reach, resolve: () => Promise.resolve([address]) });
  expect(await named.ask(query, subject)).toEqual(expected);
  const among = open({ at, reach, resolve: () => Promise.resolve(['93.184.215.14', address]) });
  if (!isAsked) expect(await among.ask(query, subject)).toEqual(expected);
  const written = open({ at: `http://${address.includes(':') ? `[${address}]` : address}:${port}`, reach });
  expect(await written.ask(query, subject)).toEqual(expected);
  expect(asked).toHaveLength(isAsked ? 2 : 0);
});

test('a name is resolved once for a connection, which goes where it led then', async () => {
  answerWith = (_request, answer) => json(answer, good, { connection: 'close' });
  const names: string[] = [];
  const answers = ['127.0.0.1', '169.254.169.254'];
  const prometheus = open({
    at: `http://prometheus.example:${port}`,
    resolve: (name) => {
      names.push(name);
      return Promise.resolve([answers[names.length - 1] ?? '169.254.169.254']);
    },
  });
  expect(await prometheus.ask(query, subject)).toEqual(goodReading);
  expect(names).toEqual(['prometheus.example']);
  expect(await prometheus.ask(query, subject)).toEqual(unread('address_refused'));
  expect(asked.map(({ host }) => host)).toEqual([`prometheus.example:${port}`]);
});
