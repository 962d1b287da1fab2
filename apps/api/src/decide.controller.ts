import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { findGate, gateNames, gateOf, idFrom } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Caller, callerOf } from './caller.ts';
import { changeSinceLive } from './change-since-live.ts';
import { type DecisionShown, decisionPage } from './decide-page.ts';
import { toldOf } from './decide-told.ts';
import { forms, queries } from './forms.ts';
import { recorded } from './guard.ts';
import { type Html, html } from './html.ts';
import { readerOf, sendPage, sendTo } from './page.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, notFound, paramOf, queryOf } from './parsing.ts';
import { Problem, httpStatusOf, problemOf } from './problem.ts';
import { timeOf } from './person-ref.ts';
import { promotionView, viewerOf } from './promotion-view.ts';
import { freshMs } from './provider.ts';
import { intentOf } from './submission.ts';

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
    const caller = callerOf(request);
    const { passed, failed } = await this.#submit(request, sent).then(
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
    return this.#answer(request, reply, { status, told: toldOf(problem, sent, await gateIn(request)) });
  }

  async #submit(request: FastifyRequest, sent: z.output<typeof forms.decide>): Promise<boolean> {
    await this.#expectFresh(callerOf(request));
    if (sent.verdict !== 'approve' && sent.reason === undefined)
      throw new Problem('reason_required', 'expected a reason: say why, so that the builder knows what to do');
    const { view, name } = await gateIn(request);
    const { draw, submit } = intentOf(this.#parts, request, sent.key);
    const { answer } = await submit(
      {
        ...{ kind: 'Decide', promotion: view.state.id, gate: name, attempt: sent.attempt, verdict: sent.verdict },
        ...{ decision: idFrom('dec', draw('decision')), artifact: sent.artifactDigest },
        evidenceDigest: sent.evidenceDigest,
      },
      sent.reason === undefined ? {} : { reason: sent.reason },
    );
    return answer.kind === 'decided' && answer.passed;
  }

  /** The journal asks the same by its own clock where the policy wants it; this page wants it everywhere. */
  async #expectFresh(caller: Caller): Promise<void> {
    if (this.#freshUntil(caller) !== null) return;
    const refused = new Problem('step_up_required', 'expected a sign-in within the last five minutes', {
      ...{ rule: 'page/fresh_login', recorded: true },
    });
    throw await recorded(this.#parts, caller, { door: 'POST /decide/:id', refused });
  }

  #freshUntil({ session }: Caller): string | null {
    const at = session?.authenticatedAt ?? null;
    return at !== null && this.#parts.now() - at <= freshMs ? timeOf(at + freshMs) : null;
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
    const [reader, change, prototype] = await Promise.all([
      readerOf(this.#parts, caller),
      changeSinceLive({ store: this.#parts.store, reads }, view),
      reads.prototype(view.state.prototype),
    ]);
    const shown: DecisionShown = {
      ...{ promotion, change, told, key: randomUUID(), freshUntil: this.#freshUntil(caller) },
      gate: found(promotion.gates.find((one) => one.name === name)),
      prototype: prototype?.state.name ?? view.state.prototype,
      reader: { ...reader, id: person.id },
    };
    return sendPage(reply, status, decisionPage(shown));
  }
}

async function gateIn(request: FastifyRequest): Promise<{ readonly view: PromotionView; readonly name: 'approval' }> {
  const named = gateOf(paramOf(request, 'id'));
  const name = gateNames.find((one) => one === named?.gate);
  // People are asked at approvals only; a machine's gate has no page.
  if (named === null || name !== 'approval') throw notFound();
  const view = found(await callerOf(request).reads.promotion(named.promotion));
  found(findGate(view.state, name));
  return { view, name };
}
