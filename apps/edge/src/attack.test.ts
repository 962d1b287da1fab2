import { connect } from 'node:net';
import { type LaneCounts, localTarget } from '@proviso/targets';
import {
  CONTROL_TOKEN,
  dataFolder,
  type EdgeProcess,
  type FakeApi,
  laneOf,
  releaseOf,
  startEdge,
  startFakeApi,
  untilServed,
  visit,
} from './rig.ts';

let api: FakeApi;
let edge: EdgeProcess;
const folder = dataFolder();
const host = 'attack.localhost';

beforeAll(async () => {
  api = await startFakeApi();
  edge = await startEdge(api.url, folder.path);
  api.lanes.set('attack', laneOf('attack', { stable: releaseOf(api, 'attack') }));
  await untilServed(edge.port, host, { status: 200 });
}, 30_000);

afterAll(async () => {
  await edge.end('SIGTERM');
  await api.close();
  folder.remove();
});

/** Sends bytes as they are and gives all that comes back until the edge closes, or until it is silent for a while. */
function conversation(text: string, silentMs = 400): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(edge.port, '127.0.0.1');
    const end = (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.setTimeout(silentMs, end);
    socket.on('data', (data) => {
      heard += data.toString('latin1');
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.write(text);
  });
}

function countsOf(): Promise<LaneCounts> {
  return localTarget({ controlUrl: edge.controlUrl, token: CONTROL_TOKEN, fetchTimeoutMs: 5_000 }).counts('attack');
}

function answersIn(heard: string): readonly number[] {
  return [...heard.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

const hidden = 'GET /hidden HTTP/1.1\r\nhost: attack.localhost\r\n\r\n';

describe('a request inside a request', () => {
  it.each([
    ['both lengths', `content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    [
      'both lengths, the other way round',
      `transfer-encoding: chunked\r\ncontent-length: 200\r\n\r\n0\r\n\r\n${hidden}`,
    ],
    ['two lengths', `content-length: 0\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`],
    ['an encoding nobody knows', `transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`],
    ['a broken chunk size', `transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n${hidden}`],
    ['a folded header', `x: 1\r\n transfer-encoding: chunked\r\ncontent-length: 0\r\nfoo : bar\r\n\r\n${hidden}`],
    ['a bare line feed', `content-length: 0\nx: y\r\n\r\n${hidden}`],
    ['a signed length', `content-length: +${hidden.length}\r\n\r\n${hidden}`],
  ])('behind %s is refused with all that follows', async (_how, rest) => {
    const heard = await conversation(`POST / HTTP/1.1\r\nhost: ${host}\r\n${rest}`);
    expect(answersIn(heard)).toEqual([400]);
    expect(heard).not.toContain('/hidden');
  });
});

describe('a host', () => {
  it.each(['ATTACK.localhost', 'attack.localhost.', 'attack.localhost:80', 'Attack.LocalHost.:8080'])(
    'spelt %s is the same lane',
    async (spelt) => {
      expect((await visit(edge.port, { host: spelt })).headers['x-name']).toBe('attack');
    },
  );

  it.each([
    'attack.localhost@evil.example',
    'attack.localhost/..',
    'attack.localhost,b',
    ' ',
    'attack.localhost..',
    'trial-1.localhost',
    'trial-attack.localhost',
    'trial-../attack.localhost',
    '[::1]',
  ])('spelt %s is nobody', async (spelt) => {
    expect([400, 404]).toContain(answersIn(await conversation(`GET / HTTP/1.1\r\nhost: ${spelt}\r\n\r\n`))[0]);
  });

  it('given twice or not at all is nobody', async () => {
    for (const [first, second] of [
      ['nobody.localhost', host],
      [host, 'nobody.localhost'],
      [host, host],
    ]) {
      const twice = await conversation(`GET / HTTP/1.1\r\nhost: ${first}\r\nhost: ${second}\r\n\r\n`);
      expect(answersIn(twice)).toEqual([400]);
    }
    expect([400, 404]).toContain(answersIn(await conversation('GET / HTTP/1.1\r\n\r\n'))[0]);
    expect([400, 404]).toContain(answersIn(await conversation('GET / HTTP/1.0\r\n\r\n'))[0]);
  });
});

describe('headers', () => {
  it('that belong to one connection or forge an origin do not reach the release', async () => {
    const sent = [
      ...['X-Forwarded-For: 9.9.9.9', 'X-Forwarded-For: 8.8.8.8', 'X-FORWARDED-HOST: evil', 'X-Real-IP: 9.9.9.9'],
      ...['Forwarded: for=9.9.9.9', 'TE: trailers', 'Trailer: x', 'Proxy-Authorization: Basic eA==', 'Keep-Alive: 9'],
      ...['Connection: close, X-Inner, x-forwarded-for', 'X-Inner: 1', 'Proxy-Connection: keep-alive'],
      ...['X_Forwarded_For: 9.9.9.9', 'X_Real_IP: 9.9.9.9', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'],
    ];
    const heard = await conversation(`GET / HTTP/1.1\r\nhost: ${host}\r\n${sent.join('\r\n')}\r\n\r\n`);
    expect(answersIn(heard)).toEqual([200]);
    for (const forged of ['9.9.9.9', '8.8.8.8', 'evil', 'x-inner', 'trailers', 'proxy-', 'keep-alive":"9'])
      expect(heard.toLowerCase()).not.toContain(forged);
    expect(heard).toContain('"x-forwarded-for":"127.0.0.1"');
  });

  it('that are too many or too long end in 431 and nothing else', async () => {
    const long = await conversation(`GET / HTTP/1.1\r\nhost: ${host}\r\nx: ${'y'.repeat(64_000)}\r\n\r\n`);
    expect(answersIn(long)).toEqual([431]);
    const many = Array.from({ length: 3_000 }, (_, index) => `x${index}: 1`).join('\r\n');
    expect(answersIn(await conversation(`GET / HTTP/1.1\r\nhost: ${host}\r\n${many}\r\n\r\n`))).toEqual([431]);
  });
});

describe('an answer of ours', () => {
  it('is a page for browsers and JSON for programs, names who was asked for, and is never markup of a stranger', async () => {
    const page = await visit(edge.port, { host: 'nobody.localhost', headers: { accept: 'text/html' } });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const json = await visit(edge.port, { host: 'nobody.localhost', headers: { accept: 'application/json' } });
    expect(JSON.parse(json.text)).toMatchObject({ status: 404, code: 'unknown_host', host: 'nobody.localhost' });
    const odd = await conversation('GET / HTTP/1.1\r\nhost: <script>.localhost\r\n\r\n');
    expect(odd).not.toContain('<script>');
  });

  it('is never an answer of a release, and a request that cannot be passed on is not its bad event', async () => {
    const before = await countsOf();
    const heard = await conversation(`GET / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n\r\n`);
    expect(heard.toLowerCase()).not.toContain('x-proviso-page');
    expect(answersIn(await conversation(`PRI * HTTP/1.1\r\nhost: ${host}\r\n\r\n`))[0]).toBe(400);
    expect((await countsOf()).stable.badEvents).toBe(before.stable.badEvents);
  });
});

describe('a slow client', () => {
  it('that never ends its headers is let go, and others are served meanwhile', async () => {
    const begun = performance.now();
    const slow = Array.from({ length: 200 }, () => conversation(`GET / HTTP/1.1\r\nhost: ${host}\r\nx: `, 25_000));
    const served = await Promise.all(Array.from({ length: 20 }, () => visit(edge.port, { host })));
    expect(served.every(({ status }) => status === 200)).toBe(true);
    const ends = await Promise.all(slow);
    expect(performance.now() - begun).toBeLessThan(16_000);
    expect(new Set(ends.flatMap(answersIn))).toEqual(new Set([408]));
  }, 40_000);
});

describe('the control port', () => {
  it('tells nothing and starts nothing without its token', async () => {
    const paths = ['/', '/lanes', '/lanes/attack', '/lanes/attack/running', '/trials', '/trials/x', '//', '/%2e%2e/'];
    for (const path of paths) {
      for (const authorization of [
        '',
        'Bearer ',
        `Bearer ${CONTROL_TOKEN}x`,
        `Basic ${CONTROL_TOKEN}`,
        CONTROL_TOKEN,
      ]) {
        const answer = await fetch(edge.controlUrl + path, { headers: { authorization } });
        expect([path, answer.status]).toEqual([path, 401]);
      }
      expect((await fetch(edge.controlUrl + path, { method: 'PUT', body: '{}' })).status).toBe(401);
    }
  });

  it('answers broken paths and bodies with 4xx', async () => {
    const headers = { authorization: `Bearer ${CONTROL_TOKEN}` };
    const put = (id: string, body: string) =>
      fetch(`${edge.controlUrl}/trials/${id}`, { method: 'PUT', headers, body });
    const bodies = ['', '{', 'null', '[]', '{"release":1}', `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`];
    const answers = [
      ...(await Promise.all(bodies.map((body) => put('fine', body)))),
      await put('..%2f..%2fetc', '{}'),
      await put('%00', '{}'),
      await put('%ff', '{}'),
      await put('x'.repeat(60), '{}'),
      await put('fine', `"${'x'.repeat(1_100_000)}"`),
    ];
    expect(answers.map(({ status }) => status).filter((status) => status < 400 || status >= 500)).toEqual([]);
  });
});
