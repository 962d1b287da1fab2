import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { addressProblem } from './address.ts';
import { answerBytesMax, answerMsMax, type PostRules, post } from './post.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer;
const seen: { method: string; host: string; headers: IncomingMessage['headers']; body: string }[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => (body += part));
  request.on('end', () => {
    const { method = '', headers } = request;
    seen.push({ method, host: headers.host ?? '', headers, body });
    answer(request, response);
  });
});
let port: number;

beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

beforeEach(() => {
  seen.length = 0;
  answer = (_request, response) => void response.writeHead(200).end();
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

const own: PostRules = { reach: 'private' };

async function posted(rules: PostRules = own, host = '127.0.0.1') {
  const address = new URL(`http://${host}:${port}/hook?a=1`);
  const signal = new AbortController().signal;
  return await post(rules, { address, headers: { 'webhook-id': 'evt_1' }, body: '{"a":"ü"}', signal });
}

const answering = (status: number, headers: Record<string, string> = {}): Answer => {
  return (_request, response) => void response.writeHead(status, headers).end('x');
};

describe('an event is posted', () => {
  it('once, as JSON of CloudEvents, and taken by any answer of success', async () => {
    for (const status of [200, 201, 202, 204]) {
      answer = (_request, response) => void response.writeHead(status).end();
      expect(await posted()).toMatchObject({ kind: 'taken', status, failure: null });
    }
    expect(seen).toHaveLength(4);
    expect(seen[0]).toMatchObject({ method: 'POST', body: '{"a":"ü"}' });
    expect(seen[0]?.headers).toMatchObject({
      'webhook-id': 'evt_1',
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'content-length': '10',
    });
  });

  it.each([
    ['a redirect, which is not followed', 302, { location: '/elsewhere' }, { kind: 'failed', failure: 'redirected' }],
    ['a no', 400, {}, { kind: 'failed', failure: 'answered' }],
    ['a breakage', 500, {}, { kind: 'failed', failure: 'answered', retryAfterMs: null }],
    ['a wish for a pause', 429, { 'retry-after': '7' }, { kind: 'failed', retryAfterMs: 7_000 }],
    ['a date that we do not read', 503, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }, { retryAfterMs: null }],
    ['the word that nobody is there any more', 410, {}, { kind: 'gone', status: 410 }],
  ])('and answered with %s', async (_what, status, headers, told) => {
    answer = answering(status, headers);
    expect(await posted()).toMatchObject({ status, ...told });
    expect(seen).toHaveLength(1);
  });

  it('to somebody who drips an answer, and is left after five seconds', async () => {
    answer = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 100);
      response.on('close', () => clearInterval(drip));
    };
    const began = performance.now();
    expect(await posted()).toMatchObject({ kind: 'failed', failure: 'timeout' });
    expect(performance.now() - began).toBeLessThan(answerMsMax + 2_000);
  }, 15_000);

  it('to somebody who answers without end, and is left after a megabyte', async () => {
    answer = (_request, response) => {
      response.writeHead(200);
      const part = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(part));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await posted()).toMatchObject({ kind: 'failed', failure: 'too_large' });
    expect(answerBytesMax).toBe(1_048_576);
  });

  it('to somebody who breaks the line in the middle of an answer', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('x');
      setImmediate(() => response.destroy());
    };
    expect(await posted()).toMatchObject({ kind: 'failed', failure: 'unreachable' });
  });

  it.each([
    [
      'wants to speak another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    ],
    ['speaks no HTTP', 'SSH-2.0-OpenSSH\r\n'],
    ['tells two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['tells headers without end', `HTTP/1.1 200 OK\r\n${'x-more: x\r\n'.repeat(10_000)}`],
    ['hangs up', ''],
  ])('to somebody who %s, and is left', async (_what, bytes) => {
    const strange = createSocketServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => (bytes === '' ? socket.end() : socket.write(bytes)));
    });
    await new Promise<void>((resolve) => void strange.listen(0, '127.0.0.1', resolve));
    const address = new URL(`http://127.0.0.1:${(strange.address() as AddressInfo).port}/`);
    const signal = new AbortController().signal;
    expect(await post(own, { address, headers: {}, body: '{}', signal })).toMatchObject({ failure: 'unreachable' });
    strange.close();
  });

  it('to nobody', async () => {
    const address = new URL('http://127.0.0.1:1/');
    const signal = new AbortController().signal;
    expect(await post(own, { address, headers: {}, body: '', signal })).toMatchObject({ failure: 'unreachable' });
  });
});

describe('an address inside', () => {
  it('is not posted to, whichever way it is written', async () => {
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])
      expect([host, (await posted({ reach: 'public' }, host)).failure]).toEqual([host, 'address_refused']);
    expect(seen).toEqual([]);
  });

  it('is not posted to under a name that leads there, even when it leads elsewhere the first time', async () => {
    let asked = 0;
    const resolve = async () => (asked++ === 0 ? ['1.1.1.1', '127.0.0.1'] : ['127.0.0.1']);
    for (const _ of [1, 2])
      expect(await posted({ reach: 'public', resolve }, 'hook.example')).toMatchObject({ failure: 'address_refused' });
    expect(seen).toEqual([]);
  });

  it('of link-local and metadata services is not posted to even where the own network is', async () => {
    for (const address of ['169.254.169.254', 'fe80::1', '100.100.100.200'])
      expect(await posted({ reach: 'private', resolve: async () => [address] }, 'hook.example')).toMatchObject({
        failure: 'address_refused',
      });
  });

  it('is asked for once a connection: the checked address is the one that is posted to', async () => {
    let asked = 0;
    const resolve = async () => (asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254']);
    expect(await posted({ reach: 'private', resolve }, 'hook.example')).toMatchObject({ kind: 'taken' });
    expect([asked, seen[0]?.host]).toEqual([1, `hook.example:${port}`]);
  });
});

describe('an address that somebody wants to be told at', () => {
  it.each([
    ['https://hooks.example/a?b=c', null, null],
    ['http://hooks.example/', /https:/, null],
    ['ftp://hooks.example/', /https:/, /http:/],
    ['https://user:pass@hooks.example/', /without a user/, /without a user/],
    ['https://hooks.example/#part', /without a user or a fragment/, /fragment/],
    ['https://10.0.0.1/', /of the internet/, null],
    ['https://169.254.169.254/', /of the internet/, /of the internet/],
    ['hooks.example', /https:/, /https:/],
    [`https://hooks.example/${'a'.repeat(2_000)}`, /https:/, /https:/],
  ])('%s', (address, inPublic, inPrivate) => {
    for (const [reach, problem] of [
      ['public', inPublic],
      ['private', inPrivate],
    ] as const) {
      const told = addressProblem(address, reach);
      if (problem === null) expect(told).toBeNull();
      else expect(told).toMatch(problem);
    }
  });
});
