import { createHash, createHmac, randomUUID } from 'node:crypto';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { type PersonId, type WorkspaceId, idFrom } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { hashOfToken } from './hash-of-token.ts';
import { html } from './html.ts';
import { forms } from './page-forms.ts';
import { formField, readerOf, sendPage, sendTo } from './page.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, queryOf } from './parsing.ts';
import { Problem, accepted } from './problem.ts';
import { timeOf } from './person-ref.ts';
import { type SealedNotes, sealedNotes } from './sealed-note.ts';
import { uuidOfSeed } from './submission.ts';

/** The command line waits for it; nobody carries it anywhere by hand. */
const codeValidMs = 60_000;

/** As long as a token that is issued without a word about its end. */
const tokenValidDays = 90;
const dayMs = 86_400_000;

/** What a person has allowed to one command line. */
interface Pairing {
  readonly workspace: WorkspaceId;
  readonly person: PersonId;
  readonly challenge: string;
  readonly key: string;
  readonly authenticatedAt: number | null;
}

/** Lets a command line on the person's machine act in their name, with a token of their own issue. */
@Controller()
export class PairingController {
  readonly #parts: Parts;
  readonly #codes: SealedNotes<Pairing>;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
    const { vaultKeyHex } = parts.config;
    this.#codes = sealedNotes({ vaultKeyHex, purpose: 'pairing', validMs: codeValidMs, now: parts.now });
  }

  @Get('login/cli')
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { port, challenge, state } = queryOf(request, queries.pairing);
    const reader = await readerOf(this.#parts, callerOf(request));
    const content = html`<h1>Let the command line act in your name?</h1>
<p class="lead">A <code>proviso</code> on this machine asks for a token of <strong>${reader.name}</strong>, good for ${tokenValidDays} days.</p>
<p>Allow it only if you have just typed <code>proviso login</code> yourself. <code>proviso logout</code> ends the token.</p>
<form method="post" action="/login/cli">
  ${formField(reader)}
  <input type="hidden" name="port" value="${port}"><input type="hidden" name="challenge" value="${challenge}">
  <input type="hidden" name="state" value="${state}">
  <div class="buttons"><button class="go">Allow</button><a class="button" href="/">No</a></div>
</form>`;
    return sendPage(reply, 200, { title: 'Command line', content, reader, leadsTo: [loopback(port)] });
  }

  @Post('login/cli')
  async allow(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { port, challenge, state } = bodyOf(request, forms.pairing);
    const { workspace, person, session } = callerOf(request);
    const authenticatedAt = session?.authenticatedAt ?? null;
    const code = this.#codes.seal({ workspace, person: person.id, challenge, key: randomUUID(), authenticatedAt });
    return sendTo(reply, `${loopback(port)}/?${new URLSearchParams({ code, state }).toString()}`);
  }

  /** The same code gives the same token within its minute, to who knows the verifier: a lost answer is asked for again. */
  @Post('v1/login/token')
  @HttpCode(201)
  async exchange(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { code, verifier } = bodyOf(request, bodies.exchange);
    const pairing = this.#codes.open(code);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (pairing === null || pairing.challenge !== challenge)
      throw new Problem(
        'sign_in_refused',
        'expected a code of this minute and the verifier that it was asked for with',
      );
    const { workspace, person, key, authenticatedAt } = pairing;
    const { config, now, journal } = this.#parts;
    const mac = createHmac('sha256', Buffer.from(config.vaultKeyHex, 'hex')).update(`pairing ${key}`);
    const token = `prv_${mac.digest('base64url')}`;
    const expiresAt = (Math.floor(now() / dayMs) + 1 + tokenValidDays) * dayMs;
    const id = idFrom('tok', uuidOfSeed(`pairing ${key}`));
    accepted(
      await journal.submit({
        ...{ workspace, actor: person, idempotencyKey: `pairing/${key}`, authn: 'session/page' },
        command: { kind: 'IssueToken', person, token: { id, hash: hashOfToken(token), expiresAt } },
        door: { channel: 'page', freshAt: authenticatedAt },
      }),
    );
    const names = await journal.reads(workspace).names([person]);
    const whose = { id: person, name: names[person] ?? null };
    return { id, token, expiresAt: timeOf(expiresAt), person: whose, url: config.publicUrl };
  }
}

/** Always the number, never a name that somebody's resolver could lead elsewhere (RFC 8252). */
function loopback(port: number): string {
  return `http://127.0.0.1:${port}`;
}
