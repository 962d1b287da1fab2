import { Readable } from 'node:stream';
import { isSignedByGitHub, isSignedBySlack } from '@proviso/channels';
import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import type { Parts } from './parts.ts';
import { Problem } from './problem.ts';
import type { Signer } from './route.ts';

/** The bytes as they came, kept for as long as the request lives. */
const bodies = new WeakMap<FastifyRequest, Buffer>();

interface Arriving {
  readonly signer: Signer;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly payload: RequestPayload;
}

type SignedParts = Pick<Parts, 'slack' | 'github' | 'now'>;

interface Signing {
  readonly bytesMax: number;
  /** What its sender has signed with; null: nothing comes from there. */
  readonly secret: (parts: SignedParts) => string | null;
  readonly isGood: (
    request: { readonly headers: FastifyRequest['headers']; readonly body: Buffer },
    by: { readonly secret: string; readonly nowMs: number },
  ) => boolean;
  readonly expected: string;
}

const signings: Readonly<Record<Signer, Signing>> = {
  slack: {
    // A press carries the whole message that it was made on; nothing that Slack sends is near this.
    bytesMax: 512 * 1_024,
    secret: ({ slack }) => slack?.signingSecret ?? null,
    isGood: ({ headers, body }, { secret: signingSecret, nowMs }) => {
      const { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp } = headers;
      const signed = { signature: text(signature), timestamp: text(timestamp), body };
      return isSignedBySlack(signed, { signingSecret, nowMs });
    },
    expected: 'expected a request that was signed within the last five minutes',
  },
  github: {
    // A comment and what it was written on have 65,536 letters each; events of which nothing is wanted may be larger.
    bytesMax: 1_048_576,
    secret: ({ github }) => github?.webhookSecret ?? null,
    isGood: ({ headers, body }, { secret }) =>
      isSignedByGitHub({ signature: text(headers['x-hub-signature-256']), body }, secret),
    expected: 'expected a request whose body was signed with our secret, as X-Hub-Signature-256',
  },
};

/**
 * Takes a signed body as bytes and refuses it unless its sender has signed exactly these. Nothing is parsed, decoded or
 * unpacked before, and no more than the bound is ever held, whatever the headers promise.
 */
export async function checkedBody(
  parts: SignedParts,
  { signer, request, reply, payload }: Arriving,
): Promise<RequestPayload> {
  const { bytesMax, secret: secretIn, isGood, expected } = signings[signer];
  const secret = secretIn(parts);
  if (secret === null) throw new Problem('not_found', 'expected a known address');
  const body = await bytesOf(payload, { request, reply, bytesMax });
  const { headers } = request;
  if (!isGood({ headers, body }, { secret, nowMs: parts.now() })) throw new Problem('signature_invalid', expected);
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

async function bytesOf(
  payload: RequestPayload,
  { request, reply, bytesMax }: Pick<Arriving, 'request' | 'reply'> & { readonly bytesMax: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let held = 0;
  const refuse = (): never => {
    // What still comes on this connection is nobody's to read.
    void reply.header('connection', 'close');
    throw new Problem('too_large', `expected at most ${bytesMax} bytes`);
  };
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) refuse();
  // Neither of them compresses, and what unpacks to more than the bound is as good as larger.
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') refuse();
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
