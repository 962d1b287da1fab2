import { Writable } from 'node:stream';
import { pino } from 'pino';
import { type Deployment, openDeployment } from './deployment.contract.ts';
import { createServer } from './server.ts';
import { traceFrom, traceText } from './trace.ts';

const parent = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';
const drawn = { 16: 'd'.repeat(32), 8: 'e'.repeat(16) } as const;
const draw = (bytes: number) => drawn[bytes as 8 | 16];

describe('a trace', () => {
  it.each([
    ['of our version', `00-${parent}-${span}-01`, true],
    ['that nobody records', `00-${parent}-${span}-00`, false],
    ['with flags of a later level', `00-${parent}-${span}-03`, true],
    ['of a later version, longer than ours', `cc-${parent}-${span}-01-what-the-future-will-be-like`, true],
  ])('%s is gone on with, under a part of our own', (_what, header, sampled) => {
    expect(traceFrom(header, draw)).toEqual({ traceId: parent, spanId: drawn[8], sampled });
  });

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['the forbidden version', `ff-${parent}-${span}-01`],
    ['our version with more behind it', `00-${parent}-${span}-01-more`],
    ['a later version without a separator', `cc-${parent}-${span}-01.more`],
    ['upper case', `00-${parent.toUpperCase()}-${span}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['a parent of zeros', `00-${parent}-${'0'.repeat(16)}-01`],
    ['a short trace', `00-${parent.slice(1)}-${span}-01`],
    ['no flags', `00-${parent}-${span}`],
    ['two headers, joined by the server', `00-${parent}-${span}-01, 00-${parent}-${span}-01`],
    ['a line break', `00-${parent}-${span}-01\n`],
    ['a header without end', `cc-${parent}-${span}-01-${'x'.repeat(500)}`],
  ])('is begun anew for %s', (_what, header) => {
    expect(traceFrom(header, draw)).toEqual({ traceId: drawn[16], spanId: drawn[8], sampled: false });
  });

  it('never has an id of zeros', () => {
    const zeros = (bytes: number) => '0'.repeat(2 * bytes);
    expect(traceText(traceFrom(undefined, zeros))).toBe(`00-${'0'.repeat(31)}1-${'0'.repeat(15)}1-00`);
  });
});

describe('an answer', () => {
  let here: Deployment;
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(JSON.parse(chunk.toString('utf8')) as Record<string, unknown>);
        done();
      },
    }),
  );

  beforeAll(async () => {
    here = await openDeployment();
  });

  afterAll(async () => {
    await here.close();
  });

  it('tells the trace, and so do the lines of the log that share its request id', async () => {
    const app = await createServer({ ...here.parts, log });
    try {
      await app.listen(0, '127.0.0.1');
      const headers = { traceparent: `00-${parent}-${span}-01`, 'if-match': 'nonsense' };
      const response = await fetch(`${await app.getUrl()}/healthz`, { headers });
      const told = response.headers.get('traceresponse') ?? '';
      expect(told).toMatch(new RegExp(`^00-${parent}-[0-9a-f]{16}-01$`));
      const problem = (await response.json()) as Record<string, unknown>;
      expect([response.status, problem['traceId']]).toEqual([400, parent]);
      const [, , spanId] = told.split('-');
      const answered = lines.find((line) => line['msg'] === 'answered');
      expect(answered).toMatchObject({ requestId: problem['requestId'], traceId: parent, spanId });
      const second = await fetch(`${await app.getUrl()}/healthz`, { headers: { traceparent: 'nonsense' } });
      expect(second.headers.get('traceresponse')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      expect(second.headers.get('traceresponse')).not.toContain(parent);
    } finally {
      await app.close();
    }
  });

  it('tells it on a live stream too', async () => {
    await here.app.listen(0, '127.0.0.1');
    const stop = new AbortController();
    const response = await fetch(`${await here.app.getUrl()}/v1/events`, {
      headers: { authorization: `Bearer ${here.tokens.aud}`, traceparent: `00-${parent}-${span}-00` },
      signal: stop.signal,
    });
    expect(response.headers.get('traceresponse')).toMatch(new RegExp(`^00-${parent}-[0-9a-f]{16}-00$`));
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    stop.abort();
  });
});
