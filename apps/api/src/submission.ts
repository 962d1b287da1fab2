import { createHash, randomUUID } from 'node:crypto';
import { type Command, gateIdOf } from '@proviso/domain';
import type { Receipt, Submission } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { type Caller, authnOf, callerOf } from './caller.ts';
import type { Parts } from './parts.ts';
import { expectedRevisionIn } from './entity-tag.ts';
import { Problem, accepted } from './problem.ts';

/** What goes with a command beside the command. */
export type Along = Pick<Submission, 'reason' | 'personal' | 'webhook'>;

type Accepted = Extract<Receipt, { kind: 'accepted' }>;

/** One request for a change on its way to the journal. */
export interface Intent {
  readonly caller: Caller;
  readonly key: string;
  /** A UUID for something new. The same key draws the same one, so that a retry names the same thing. */
  readonly draw: (what: string) => string;
  readonly submit: (command: Command, along?: Along) => Promise<Accepted>;
}

/** Opens the way for one change: who asks, under which key; refuses at once whoever was refused too often. Pages send their key in the form. */
export function intentOf(parts: Parts, request: FastifyRequest, formKey?: string): Intent {
  const caller = callerOf(request);
  parts.refusals.admit(caller.person.id);
  const key = formKey ?? idempotencyKeyOf(request);
  const onRevision = expectedRevisionIn(request.headers['if-match']);
  const seed = `${caller.workspace} ${caller.person.id} ${request.routeOptions.url} ${key}`;
  return {
    caller,
    key,
    draw: (what) => uuidOfSeed(`${seed} ${what}`),
    submit: async (command, along = {}) => {
      const submission = {
        workspace: caller.workspace,
        actor: caller.person.id,
        command,
        // A key is its sender's own: nobody collides with it, or learns from it, by guessing.
        idempotencyKey: `rest/${caller.person.id}/${key}`,
        ...provenBy(caller),
        ...(onRevision === undefined ? {} : { onRevision }),
        ...along,
      };
      const receipt = await parts.refusals.during(
        caller.person.id,
        () => parts.journal.submit(submission),
        countsAsTry,
      );
      return accepted(receipt, decidePageOf(command));
    },
  };
}

/** How the caller proved who they are: by a token at the API, or signed in in a browser, at a page. */
function provenBy(caller: Caller): Pick<Submission, 'authn' | 'token' | 'door'> {
  const { token, door } = caller;
  return { authn: authnOf(caller), door, ...(token === null ? {} : { token }) };
}

/** The page on which a person logs in and decides; every no that asks for a fresh login names it. */
function decidePageOf(command: Command): string | null {
  return 'promotion' in command ? `/decide/${gateIdOf(command.promotion, 'approval')}` : null;
}

/** Each leaves an entry, what is merely not there as well, and entries are what a flood must not fill. */
function countsAsTry(receipt: Receipt): boolean {
  return receipt.kind === 'refused';
}

/** The client's key, or one that only this request has. */
function idempotencyKeyOf(request: FastifyRequest): string {
  const sent = request.headers['idempotency-key'];
  if (sent === undefined) return `once-${randomUUID()}`;
  if (typeof sent === 'string' && /^[\x21-\x7e]{1,200}$/.test(sent)) return sent;
  const message = 'expected 1 to 200 printable letters without spaces';
  throw new Problem('invalid', message, {
    errors: [{ pointer: '/headers/idempotency-key', code: 'invalid', message }],
  });
}

/** A UUID of version 8 (RFC 9562: the bits are ours to choose) out of a text. */
export function uuidOfSeed(seed: string): string {
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The receipt of a change whose effect is read elsewhere. */
export function doneView({ replayed, revision, entries }: Accepted) {
  return { receipt: replayed ? ('replayed' as const) : ('recorded' as const), revision, entries: [...entries] };
}
