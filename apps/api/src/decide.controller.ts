import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { type PromotionCommand, findGate, gateNames, gateOf, idFrom, ruleOf } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { changeSinceLive } from './change-since-live.ts';
import { newestComments } from './comment-section.ts';
import { decisionPage } from './decide-page.ts';
import { findingFrom } from './finding.ts';
import type { DecisionShown } from './decision-shown.ts';
import { type Seen, toldOf } from './decide-told.ts';
import { queries } from './forms.ts';
import { expectFresh, freshUntil } from './fresh-sign-in.ts';
import { type Html, html } from './html.ts';
import { forms } from './page-forms.ts';
import { readerOf, sendPage, sendTo } from './page.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, notFound, paramOf, queryOf } from './parsing.ts';
import { Problem, httpStatusOf, problemOf } from './problem.ts';
import { promotionView, viewerOf } from './promotion-view.ts';
import { type Intent, intentOf } from './submission.ts';

interface NamedGate {
  readonly view: PromotionView;
  readonly name: 'approval';
}

/** What a form of the page asks for. */
interface Order {
  /** Makes a form that is sent twice one change. */
  readonly key: string;
  readonly reason: string | undefined;
  readonly wantsReason: boolean;
  /** What the reader had before their eyes, where that is what they decided on. */
  readonly seen: Seen | null;
  readonly command: (named: NamedGate, draw: Intent['draw']) => PromotionCommand;
}

/** The page at which people decide: the same command by the same way as through every other door, freshly signed in. */
@Controller('decide/:id')
export class DecideController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    return this.#answer(request, reply, { status: 200, told: null });
  }

  @Post()
  async decide(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const sent = bodyOf(request, forms.decide);
    return this.#act(request, reply, {
      ...{ key: sent.key, reason: sent.reason, seen: sent, wantsReason: sent.verdict !== 'approve' },
      command: ({ view, name }, draw) => ({
        ...{ kind: 'Decide', promotion: view.state.id, gate: name, attempt: sent.attempt, verdict: sent.verdict },
        ...{ decision: idFrom('dec', draw('decision')), artifact: sent.artifactDigest },
        evidenceDigest: sent.evidenceDigest,
      }),
    });
  }

  @Post('defer')
  async defer(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason, attempt, until } = bodyOf(request, forms.defer);
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: false },
      command: ({ view, name }) => ({ kind: 'Defer', promotion: view.state.id, gate: name, attempt, until }),
    });
  }

  @Post('comments')
  async comment(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason } = bodyOf(request, forms.comment);
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: true },
      command: ({ view }) => ({ kind: 'Comment', promotion: view.state.id }),
    });
  }

  @Post('waivers')
  async askWaiver(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason, gate, attempt, until, finding } = bodyOf(request, forms.askWaiver);
    const owner = callerOf(request).person.id;
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: true },
      command: ({ view }, draw) => ({
        ...{ kind: 'AskWaiver', promotion: view.state.id, waiver: idFrom('wvr', draw('waiver')), gate, attempt },
        ...{ finding: findingFrom(finding), owner, until },
      }),
    });
  }

  @Post('waivers/approve')
  async approveWaiver(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason, waiver } = bodyOf(request, forms.approveWaiver);
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: false },
      command: ({ view }) => ({ kind: 'ApproveWaiver', promotion: view.state.id, waiver }),
    });
  }

  @Post('break-glass')
  async askGlass(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason, minutes } = bodyOf(request, forms.askGlass);
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: true },
      command: ({ view }) => ({ kind: 'AskBreakGlass', promotion: view.state.id, minutes }),
    });
  }

  @Post('break-glass/approve')
  async approveGlass(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason, artifactDigest: artifact } = bodyOf(request, forms.approveGlass);
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: false },
      command: ({ view }) => ({ kind: 'ApproveBreakGlass', promotion: view.state.id, artifact }),
    });
  }

  @Post('break-glass/review')
  async reviewGlass(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const { key, reason } = bodyOf(request, forms.reviewGlass);
    return this.#act(request, reply, {
      ...{ key, reason, seen: null, wantsReason: true },
      command: ({ view }) => ({ kind: 'ReviewBreakGlass', promotion: view.state.id }),
    });
  }

  /** Does what was asked, and answers on the page of the gate: whatever came of it is a sentence there. */
  async #act(request: FastifyRequest, reply: FastifyReply, order: Order) {
    const caller = callerOf(request);
    const { passed, failed } = await this.#submit(request, order).then(
      (closed) => ({ passed: closed, failed: null }),
      (error: Error) => ({ passed: false, failed: error }),
    );
    if (failed === null) {
      const words = passed ? html`<p data-passed="true">Recorded: the gate has passed.</p>` : html`<p>Recorded.</p>`;
      return sendTo(reply, `/decide/${paramOf(request, 'id')}`, { words });
    }
    const problem = problemOf(failed);
    const status = httpStatusOf(problem.code);
    // Not found and what broke are told as everywhere; an answer about this gate is told on its page.
    if (status === 404 || status >= 500) throw failed;
    this.#parts.metrics.refused(problem.code);
    if (!problem.more.recorded) this.#parts.summary.note(caller, problem.code);
    return this.#answer(request, reply, { status, told: toldOf(problem, order.seen, await gateIn(request)) });
  }

  async #submit(request: FastifyRequest, { key, reason, wantsReason, command }: Order): Promise<boolean> {
    await expectFresh(this.#parts, callerOf(request), 'POST /decide/:id');
    if (wantsReason && reason === undefined)
      throw new Problem('reason_required', 'expected a reason: say why, so that others know what to do');
    const named = await gateIn(request);
    const { draw, submit } = intentOf(this.#parts, request, key);
    const { answer } = await submit(command(named, draw), reason === undefined ? {} : { reason });
    return answer.kind === 'decided' && answer.passed;
  }

  async #answer(
    request: FastifyRequest,
    reply: FastifyReply,
    { status, told }: { readonly status: number; readonly told: Html | null },
  ) {
    const caller = callerOf(request);
    const { reads, person } = caller;
    const { view, name } = await gateIn(request);
    const promotion = promotionView(view, await viewerOf(this.#parts, caller, [view]));
    const [reader, change, prototype, comments] = await Promise.all([
      readerOf(this.#parts, caller),
      changeSinceLive({ store: this.#parts.store, reads }, view),
      reads.prototype(view.state.prototype),
      newestComments(reads, view.state),
    ]);
    const rule = ruleOf(view.state.policy, 'approval');
    const shown: DecisionShown = {
      ...{
        promotion,
        change,
        comments,
        told,
        key: randomUUID(),
        freshUntil: freshUntil(this.#parts, caller),
        now: this.#parts.now(),
      },
      gate: found(promotion.gates.find((one) => one.name === name)),
      glassFrom: rule?.breakGlass?.from ?? null,
      waiverDaysMax: rule?.waivers?.daysMax ?? null,
      prototype: prototype?.state.name ?? view.state.prototype,
      reader: { ...reader, id: person.id },
    };
    return sendPage(reply, status, decisionPage(shown));
  }
}

async function gateIn(request: FastifyRequest): Promise<NamedGate> {
  const named = gateOf(paramOf(request, 'id'));
  const name = gateNames.find((one) => one === named?.gate);
  // People are asked at approvals only; a machine's gate has no page.
  if (named === null || name !== 'approval') throw notFound();
  const view = found(await callerOf(request).reads.promotion(named.promotion));
  found(findGate(view.state, name));
  return { view, name };
}
