import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Deployment } from './deployment.contract.ts';

/** Headers of a request, by their names. */
export type Headers = Readonly<Record<string, string>>;

/** Sends bytes to a door whose requests are signed. */
export async function sentTo(url: string, body: string | Buffer, headers: Headers) {
  const answer = await fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
  return { status: answer.status, text: await answer.text() };
}

/** Holds that each is 401, whatever is wrong with it: bodies and headers by the name of what was spoilt. */
export async function expectUnsigned(
  url: string,
  spoilt: Readonly<Record<string, readonly [string | Buffer, Headers]>>,
): Promise<void> {
  for (const [kind, [body, headers]] of Object.entries(spoilt)) {
    const { status, text } = await sentTo(url, body, headers);
    expect([kind, status, JSON.parse(text)]).toMatchObject([kind, 401, { code: 'signature_invalid' }]);
  }
}

/** The votes that were taken at a gate. */
export async function votesAt(here: Deployment, gate: string): Promise<unknown> {
  return (await here.ask('aud', 'GET', `/v1/gates/${gate}`)).body['decisions'];
}

/** Holds that nobody was refused anything about a promotion. */
export async function expectNoRefusal({ parts, workspace }: Deployment, promotion: string): Promise<void> {
  const entries = await parts.journal.reads(workspace).history({ stream: 'log', id: 'refusals', limit: 10_000 });
  expect(entries.filter(({ bytes }) => bytes.includes(promotion))).toEqual([]);
}

const floodBytes = 50_000_000;
/** A flood that is gathered would hold all of it; what is refused at the bound holds less than this. */
const heldBytesMax = 8_000_000;

/** Holds that fifty megabytes are 413, packed or not, announced or not, signed or not, and are never gathered. */
export async function expectBounded(
  url: string,
  { headers, sign }: { readonly headers: Headers; readonly sign: (body: Buffer) => Headers },
): Promise<void> {
  const packed = { ...headers, 'content-encoding': 'gzip' };
  const small = gzipSync(Buffer.alloc(floodBytes));
  expect((await sentTo(url, small, { ...packed, ...sign(small) })).status).toBe(413);
  const before = process.memoryUsage().arrayBuffers;
  const bomb = Buffer.alloc(floodBytes, gzipSync(Buffer.alloc(1_000_000)));
  const announced = { ...headers, 'content-length': String(floodBytes) };
  expect(await flooded(url, announced)).toBe(413);
  const chunked = { 'transfer-encoding': 'chunked' };
  for (const over of [packed, headers, { ...packed, ...chunked }, { ...headers, ...chunked }])
    expect(await flooded(url, over, bomb)).toBe(413);
  // Our own 50 MB are of this process too; what was held for them at the other end is not.
  expect(process.memoryUsage().arrayBuffers - before - bomb.length).toBeLessThan(heldBytesMax);
}

/** The status of a request without its end: only announced, or with bytes of which nobody wants all, in chunks or counted. */
async function flooded(url: string, headers: Headers, bytes?: Buffer): Promise<number> {
  const outgoing = request(url, { method: 'POST', headers });
  outgoing.on('error', () => undefined);
  const answered = once(outgoing, 'response');
  if (bytes === undefined) outgoing.flushHeaders();
  else outgoing.end(bytes);
  const [response] = (await answered) as [{ statusCode: number }];
  outgoing.destroy();
  return response.statusCode;
}
