import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { authorise } from '@proviso/authority';
import { type Command, type PersonState, delegationDaysMax, identitiesOf } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type DelegationShown, accountPage } from './account-page.ts';
import { setCookie } from './browser-session.ts';
import { type Caller, asViewer, callerOf } from './caller.ts';
import { capital } from './decision-words.ts';
import { queries } from './forms.ts';
import { expectFresh, freshUntil } from './fresh-sign-in.ts';
import { githubAccount, profileMark } from './github-account.ts';
import { type Html, html } from './html.ts';
import { identityOf } from './identity.ts';
import { forms } from './page-forms.ts';
import { readerOf, sendPage, sendTo } from './page.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, queryOf } from './parsing.ts';
import { timeOf } from './person-ref.ts';
import { Problem, httpStatusOf, problemOf } from './problem.ts';
import type { SealedNotes } from './sealed-note.ts';
import { type SignInNote, signInNotes } from './sign-in-note.ts';
import { intentOf } from './submission.ts';

/** People among whom somebody chooses who votes in their stead; in a larger workspace the command line takes any. */
const listedMax = 100;

/** What a form of the page asks for, worked out when its sender was found to be freshly signed in. */
interface Order {
  readonly key: string;
  readonly reason?: string | undefined;
  readonly command: (caller: Caller) => Command | Promise<Command>;
}

/** The page of one's own account: only who is signed in in this browser, and only about themselves. */
@Controller('account')
export class AccountController {
  readonly #parts: Parts;
  readonly #notes: SealedNotes<SignInNote>;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
    this.#notes = signInNotes(parts);
  }

  @Get()
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    return this.#answer(request, reply, { status: 200, told: null });
  }

  @Post('github')
  async linkGitHub(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, login } = bodyOf(request, forms.linkGitHub);
    return this.#act(request, reply, {
      key,
      command: async (caller) => {
        const person = caller.person.id;
        const account = await githubAccount(this.#parts.config, login);
        const mark = profileMark(this.#parts.config, { workspace: caller.workspace, person });
        if (account === null || !account.bio.includes(mark))
          throw new Problem('invalid', 'expected your mark in the bio of that account, got a profile without it');
        const identity = identityOf({ issuer: 'github', subject: String(account.number) }, this.#parts.config);
        return { kind: 'LinkIdentity', person, identity };
      },
    });
  }

  /** Not sent on at once: a form of ours leads nowhere but to us, so the way to the provider is a link. */
  @Post('provider')
  async linkAtProvider(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    bodyOf(request, forms.linkAtProvider);
    const caller = callerOf(request);
    const { provider, config } = this.#parts;
    if (provider === null) throw new Problem('not_found', 'expected a provider that people sign in with, got none');
    await expectFresh(this.#parts, caller, 'POST /account/provider');
    const { url, signingIn } = await provider.begin('/account', true);
    const linksTo = { workspace: caller.workspace, person: caller.person.id };
    setCookie(reply, config, 'signingIn', this.#notes.seal({ ...signingIn, linksTo }));
    const content = html`<h1>Sign in with the other account</h1>
<p>What you sign in with there is yours from then on: with either account you are the same person here.</p>
<div class="buttons"><a class="button go" href="${url.href}">Go to ${url.host}</a><a class="button" href="/account">No</a></div>`;
    return sendPage(reply, 200, { title: 'Another account', content, reader: await readerOf(this.#parts, caller) });
  }

  @Post('unlink')
  async unlink(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, issuer, subject } = bodyOf(request, forms.unlink);
    return this.#act(request, reply, {
      key,
      command: ({ person }) => ({ kind: 'UnlinkIdentity', person: person.id, identity: { issuer, subject } }),
    });
  }

  @Post('delegations')
  async delegate(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason, person, until } = bodyOf(request, forms.delegate);
    return this.#act(request, reply, { key, reason, command: () => ({ kind: 'Delegate', person, until }) });
  }

  @Post('delegations/end')
  async endDelegation(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, person } = bodyOf(request, forms.endDelegation);
    return this.#act(request, reply, { key, command: () => ({ kind: 'EndDelegation', person }) });
  }

  /** Does what was asked; whatever came of it is a sentence on the page. */
  async #act(request: FastifyRequest, reply: FastifyReply, { key, reason, command }: Order) {
    const caller = callerOf(request);
    try {
      await expectFresh(this.#parts, caller, `POST ${request.routeOptions.url ?? ''}`);
      const { submit } = intentOf(this.#parts, request, key);
      await submit(await command(caller), reason === undefined ? {} : { reason });
    } catch (error) {
      const problem = problemOf(error);
      const status = httpStatusOf(problem.code);
      if (status >= 500) throw error;
      this.#parts.metrics.refused(problem.code);
      if (!problem.more.recorded) this.#parts.summary.note(caller, problem.code);
      return this.#answer(request, reply, { status, told: toldOf(problem) });
    }
    return sendTo(reply, '/account', { words: html`<p>Recorded.</p>` });
  }

  async #answer(
    request: FastifyRequest,
    reply: FastifyReply,
    { status, told }: { readonly status: number; readonly told: Html | null },
  ) {
    const caller = callerOf(request);
    const { config, now } = this.#parts;
    const { workspace, person } = caller;
    const shown = {
      ...{ told, now: now(), key: randomUUID(), freshUntil: freshUntil(this.#parts, caller) },
      accounts: identitiesOf(person),
      ...{ hasProvider: this.#parts.provider !== null, hasSlack: this.#parts.slack !== null },
      mark: profileMark(config, { workspace, person: person.id }),
      reader: await readerOf(this.#parts, caller),
      delegation: await delegationFor(caller),
    };
    return sendPage(reply, status, accountPage(shown));
  }
}

/** Only who has a vote to give on sees among whom: such a person may also read who is here. */
async function delegationFor(caller: Caller): Promise<DelegationShown | null> {
  const { reads, person } = caller;
  const command = { kind: 'Delegate', person: person.id } as const;
  if (authorise({ ...asViewer(caller), command }) !== null) return null;
  const { items } = await reads.people({ limit: listedMax });
  const names = await reads.names(items.map(({ id }) => id));
  const named = (one: PersonState) => ({ id: one.id, name: names[one.id] ?? one.id });
  const others = items.filter(({ id, kind, disabled }) => id !== person.id && kind === 'human' && !disabled);
  const given = items.flatMap((one) => {
    const held = one.bindings.find(({ from }) => from === person.id);
    return held === undefined ? [] : [{ ...named(one), until: timeOf(held.until ?? 0) }];
  });
  return { daysMax: delegationDaysMax, given, others: others.map(named) };
}

function toldOf({ code, message, more: { whoCan = [] } }: Problem): Html {
  return html`<div class="told no" role="alert" data-code="${code}"><p><strong>Nothing was recorded.</strong> ${capital(message)}.</p>
${whoCan.length === 0 ? null : html`<p>Who can: ${whoCan.join(', ')}.</p>`}</div>`;
}
