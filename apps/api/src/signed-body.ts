import { Readable } from 'node:stream';
import { isSignedBySlack } from '@proviso/channels';
import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import type { Parts } from './parts.ts';
import { Problem } from './problem.ts';

/** A press carries the whole message that it was made on; nothing that Slack sends is near this. */
const bytesMax = 512 * 1_024;

/** The bytes as they came, kept for as long as the request lives. */
const bodies = new WeakMap<FastifyRequest, Buffer>();

interface Arriving {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly payload: RequestPayload;
}

/**
 * Takes a signed body as bytes and refuses it unless its sender has signed exactly these. Nothing is parsed, decoded or
 * unpacked before, and no more than the bound is ever held, whatever the headers promise.
 */
export async function checkedBody(
  { slack, now }: Pick<Parts, 'slack' | 'now'>,
  { request, reply, payload }: Arriving,
): Promise<RequestPayload> {
  const signingSecret = slack?.signingSecret ?? null;
  if (signingSecret === null) throw new Problem('not_found', 'expected a known address');
  const body = await bytesOf(payload, request, reply);
  const { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp } = request.headers;
  const signed = { signature: text(signature), timestamp: text(timestamp), body };
  if (!isSignedBySlack(signed, { signingSecret, nowMs: now() }))
    throw new Problem('signature_invalid', 'expected a request that was signed within the last five minutes');
  bodies.set(request, body);
  // What follows reads these very bytes: nobody can have put others in their place.
  return Object.assign(Readable.from([body]), { receivedEncodedLength: body.length });
}

/** The body that was found to be signed. */
export function signedBodyOf(request: FastifyRequest): string {
  const body = bodies.get(request);
  if (body === undefined) throw new Problem('signature_invalid', 'expected a signed body');
  return body.toString('utf8');
}

async function bytesOf(payload: RequestPayload, request: FastifyRequest, reply: FastifyReply): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let held = 0;
  const refuse = (): never => {
    // What still comes on this connection is nobody's to read.
    void reply.header('connection', 'close');
    throw new Problem('too_large', `expected at most ${bytesMax} bytes`);
  };
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) refuse();
  for await (const chunk of payload) {
    const piece = Buffer.from(chunk as Uint8Array);
    held += piece.length;
    if (held > bytesMax) refuse();
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
