import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { PersonState } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { cookieIn, expectSameSite, setCookie, signIn } from './browser-session.ts';
import { callerOf } from './caller.ts';
import { queries } from './forms.ts';
import { hashOfToken } from './hash-of-token.ts';
import { html } from './html.ts';
import { identityOf } from './identity.ts';
import { forms } from './page-forms.ts';
import { sendPage, sendTo } from './page.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, queryOf } from './parsing.ts';
import { Problem, accepted } from './problem.ts';
import type { Proven } from './provider.ts';
import type { SealedNotes } from './sealed-note.ts';
import { type SignInNote, signInNotes } from './sign-in-note.ts';
import { welcome } from './welcome.ts';

/** Signing in and out, in a browser. */
@Controller()
export class SignInController {
  readonly #parts: Parts;
  readonly #notes: SealedNotes<SignInNote>;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
    this.#notes = signInNotes(parts);
  }

  @Get('login')
  async begin(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { to, fresh } = queryOf(request, queries.login);
    const { provider, config } = this.#parts;
    const wanted = ownPage(to, config.publicUrl);
    if (provider === null) return sendPage(reply, 200, tokenPage(wanted));
    const { url, signingIn } = await provider.begin(wanted, fresh === 'true');
    setCookie(reply, config, 'signingIn', this.#notes.seal(signingIn));
    return sendTo(reply, url.href, { status: 302 });
  }

  @Get('login/callback')
  async finish(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { provider, config } = this.#parts;
    if (provider === null || config.oidc === null) throw unasked();
    const note = cookieIn(request, config, 'signingIn');
    const signingIn = note === null ? null : this.#notes.open(note);
    // Used up, whatever comes of it: an address that is opened twice signs nobody in twice.
    setCookie(reply, config, 'signingIn', null);
    if (signingIn === null) throw unasked();
    const query = new URL(request.url, config.publicUrl).searchParams;
    const proven = await provider.finish(query, signingIn);
    if (signingIn.linksTo !== undefined) {
      await this.#link(request, { ...signingIn, linksTo: signingIn.linksTo }, proven);
      return sendTo(reply, signingIn.to);
    }
    const who = await welcome(this.#parts, config.oidc, proven);
    await signIn(this.#parts, { request, reply }, { ...who, authenticatedAt: proven.authenticatedAt });
    return sendTo(reply, signingIn.to);
  }

  @Post('login')
  async byToken(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { journal, config, provider, now } = this.#parts;
    expectSameSite(request, config);
    if (provider !== null)
      throw new Problem('not_found', 'expected the provider that people sign in with, not a token');
    queryOf(request, queries.none);
    const { token, to } = bodyOf(request, forms.token);
    const wanted = ownPage(to, config.publicUrl);
    const hash = hashOfToken(token);
    const principal = await journal.principalOfToken(hash);
    const person = principal === null ? null : await journal.reads(principal.workspace).person(principal.person);
    if (principal === null || person === null || !isOwn(person, hash))
      return sendPage(reply, 401, tokenPage(wanted, true));
    await signIn(this.#parts, { request, reply }, { ...principal, authenticatedAt: now() });
    return sendTo(reply, wanted);
  }

  /** A second account of who is signed in here now, and of nobody else: whoever began it must still be there. */
  async #link(request: FastifyRequest, { linksTo, state }: Required<SignInNote>, proven: Proven): Promise<void> {
    const { journal, config } = this.#parts;
    const secret = cookieIn(request, config, 'session');
    const session = secret === null ? null : await journal.sessions.use(hashOfToken(secret));
    if (session === null || session.person !== linksTo.person || session.workspace !== linksTo.workspace)
      throw unasked();
    const { workspace, person } = linksTo;
    accepted(
      await journal.submit({
        ...{ workspace, actor: person, idempotencyKey: `link/${state}`, authn: 'session/page' },
        command: { kind: 'LinkIdentity', person, identity: identityOf(proven, config) },
        door: { channel: 'page', freshAt: session.authenticatedAt },
      }),
    );
  }

  @Post('logout')
  async leave(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    bodyOf(request, forms.empty);
    const { workspace, session } = callerOf(request);
    if (session !== null) await this.#parts.journal.sessions.end(workspace, session.hash);
    setCookie(reply, this.#parts.config, 'session', null);
    const content = html`<h1>You are signed out</h1><p><a href="/login">Sign in again</a></p>`;
    return sendPage(reply, 200, { title: 'Signed out', content });
  }
}

/** A page of ours, else our front page: an address that leads elsewhere would borrow our name for a stranger's page. */
function ownPage(to: string, publicUrl: string): string {
  const url = URL.canParse(to, publicUrl) ? new URL(to, publicUrl) : null;
  if (url === null || !to.startsWith('/') || url.origin !== new URL(publicUrl).origin) return '/';
  // Dots that the parser has taken away may have left two slashes, which a browser reads as another host.
  return url.pathname.startsWith('//') ? '/' : `${url.pathname}${url.search}`;
}

/** A whole token of one's own: one that another issued could be in that other's hands. */
function isOwn({ id, kind, disabled, tokens }: PersonState, hash: string): boolean {
  const held = tokens.find((one) => one.hash === hash);
  if (kind !== 'human' || disabled || held === undefined) return false;
  // A session is the whole person: whoever holds a narrow token would widen it by signing in.
  return (held.issuedBy ?? id) === id && held.scopes === undefined;
}

function tokenPage(to: string, failed = false) {
  const told = failed
    ? html`<div class="told no" role="alert"><p>That is no valid token of your own. One that somebody else issued for you, or that is narrowed to some things, signs nobody in.</p></div>`
    : null;
  const content = html`<h1>Sign in with your token</h1>
${told}
<p>Use the token that you got when this deployment was founded. On this machine <code>proviso</code> keeps it in <code>tokens.json</code> of its data folder.</p>
<form method="post" action="/login">
  <input type="hidden" name="to" value="${to}">
  <label for="token">Token</label>
  <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
  <div class="buttons"><button class="go">Sign in</button></div>
</form>`;
  return { title: 'Sign in', content };
}

function unasked(): Problem {
  return new Problem('sign_in_refused', 'expected a sign-in that began in this browser within ten minutes, got none');
}
