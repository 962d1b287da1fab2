import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Deployment, listening, openDeployment } from './deployment.contract.ts';

let here: Deployment;
let port: number;

beforeAll(async () => {
  here = await openDeployment();
  port = Number(new URL(await listening(here)).port);
});

afterAll(async () => {
  await here.close();
});

/** Sends bytes as they are, and gives all that comes back until the other side ends. */
async function sent(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.from(bytes, 'latin1'));
  return await text(socket);
}

const bearer = (): string => `authorization: Bearer ${here.tokens.sam}\r\n`;
const closing = 'connection: close\r\n';

/** Bytes that are no request of HTTP, or more than one thing at once, with the status that says so. */
const broken: readonly (readonly [what: string, status: number, bytes: () => string])[] = [
  ['no method', 400, () => 'hello\r\n\r\n'],
  ['another protocol', 400, () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  [
    'a length and chunks',
    400,
    () =>
      `POST /v1/prototypes HTTP/1.1\r\nhost: x\r\n${bearer()}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'two lengths',
    400,
    () => `POST /v1/prototypes HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab`,
  ],
  ['a length below nothing', 400, () => `POST /v1/prototypes HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n`],
  [
    'a chunk without a size',
    400,
    () => `POST /v1/prototypes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
  ],
  ['a folded header', 400, () => `GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization:\r\n Bearer x\r\n\r\n`],
  ['a space in a header name', 400, () => `GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization : x\r\n\r\n`],
  ['NUL in a header', 400, () => `GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization: a\0b\r\n\r\n`],
  ['headers without end', 431, () => `GET /v1/me HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
  ['a version that is not spoken', 400, () => 'GET /v1/me HTTP/9.9\r\nhost: x\r\n\r\n'],
  ['an address of elsewhere', 401, () => `GET http://elsewhere.example/v1/me HTTP/1.1\r\nhost: x\r\n${closing}\r\n`],
  ['a star', 404, () => `OPTIONS * HTTP/1.1\r\nhost: x\r\n${bearer()}${closing}\r\n`],
];

describe('bytes on a bare socket', () => {
  it.each(broken)('that are %s are answered with %i as a problem, and harm nobody', async (_what, status, bytes) => {
    const [head = '', body = ''] = (await sent(bytes())).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(body)).toMatchObject({ status, requestId: expect.stringMatching(/^req_/) });
    expect(await sent(`GET /healthz HTTP/1.1\r\nhost: x\r\n${closing}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('that are two requests are two answers, each with the rights of its own', async () => {
    const two = `GET /v1/me HTTP/1.1\r\nhost: x\r\n${bearer()}\r\nGET /v1/me HTTP/1.1\r\nhost: x\r\n${closing}\r\n`;
    const statuses = [...(await sent(two)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(['200', '401']);
  });

  it('that ask for a tunnel, or name no host, get nothing', async () => {
    expect(await sent(`CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: x\r\n${closing}\r\n`)).toBe('');
    expect(await sent(`GET /v1/me HTTP/1.1\r\n${bearer()}${closing}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
