import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { mayRead } from '@proviso/authority';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { queries } from './forms.ts';
import { type Html, html } from './html.ts';
import { readerOf, sendPage } from './page.ts';
import { PARTS, type Parts } from './parts.ts';
import { queryOf } from './parsing.ts';
import { promotionView, viewerOf } from './promotion-view.ts';
import type { PromotionResource } from './resources.ts';
import { votedOn } from './voted-on.ts';

/** Open promotions that one page looks at: a workspace has some dozen at a time. */
const openMax = 100;

/** What waits for the person who is signed in. */
@Controller()
export class InboxController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    const { items: all, next } = await caller.reads.promotions({ open: true, limit: openMax });
    // Whoever is here by a right that was given to them sees what it reaches.
    const items = mayRead(caller.person) ? all : await votedOn(caller, async () => all, this.#parts.now());
    const viewer = await viewerOf(this.#parts, caller, items);
    const open = items.map((view) => promotionView(view, viewer));
    const waiting = open.filter(asksPeople);
    const undecided = open.filter(isUndecided);
    const mine = waiting.filter(isFor);
    const names = new Map(
      await Promise.all(
        [...new Set([...waiting, ...undecided].map(({ prototype }) => prototype))].map(
          async (id) => [id, (await caller.reads.prototype(id))?.state.name ?? id] as const,
        ),
      ),
    );
    const list = (promotions: readonly PromotionResource[]) =>
      promotions.map((one) => row(one, names.get(one.prototype) ?? ''));
    const others = waiting.filter((one) => !isFor(one));
    const content = html`<h1>Waiting for you</h1>
${mine.length === 0 ? html`<p class="lead">Nothing waits for your decision.</p>` : list(mine)}
${undecided.length === 0 ? null : html`<h2>Canaries that could not tell</h2>${undecided.map((one) => undecidedRow(one, names.get(one.prototype) ?? ''))}`}
${others.length === 0 ? null : html`<h2>Waiting for somebody else</h2>${list(others)}`}
${next === null ? null : html`<p class="soft">Only the newest ${openMax} open promotions are looked at here.</p>`}`;
    return sendPage(reply, 200, { title: 'Waiting for you', content, reader: await readerOf(this.#parts, caller) });
  }
}

/** A vote, or a second person's word about a risk. */
function asksPeople({ gates, actions }: PromotionResource): boolean {
  const waits = gates.some(({ name, status }) => name === 'approval' && status === 'waiting');
  return waits || actions.some(({ rel }) => rel === 'approve_waiver');
}

const words: ReadonlySet<string> = new Set(['approve', 'approve_waiver']);

/** A fresh sign-in is asked for when it comes to deciding, so its lack hides nothing here. */
function isFor({ actions }: PromotionResource): boolean {
  return actions.some(({ rel, allowed, code }) => words.has(rel) && (allowed || code === 'step_up_required'));
}

/** The machine has no answer, and the reader is one of those who may give one. */
function isUndecided({ state, at, actions }: PromotionResource): boolean {
  return state === 'inconclusive' && at === 'canary' && actions.some(({ rel, allowed }) => rel === 'rerun' && allowed);
}

function undecidedRow({ id, candidate, headline }: PromotionResource, prototype: string): Html {
  return html`<section><h3>${prototype} ${candidate.version}</h3>
<p>${headline}</p><p class="soft"><code>proviso rerun ${id}</code> or <code>proviso cancel ${id}</code></p></section>`;
}

function row({ gates, candidate, headline, requester }: PromotionResource, prototype: string): Html {
  const gate = gates.find(({ name }) => name === 'approval');
  return html`<section><h2><a href="/decide/${gate?.id ?? ''}">${prototype} ${candidate.version}</a></h2>
<p>${headline}</p><p class="soft">Asked by ${requester.name ?? requester.id}.</p></section>`;
}
