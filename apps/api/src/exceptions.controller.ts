import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { type PromotionCommand, findGate, gateOf, idFrom } from '@proviso/domain';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { findingFrom } from './finding.ts';
import { bodies, queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, notFound, paramOf, queryOf } from './parsing.ts';
import { gateOffered, promotionView, viewerOf } from './promotion-view.ts';
import { laneOffered, personOffered } from './offering.ts';
import { usesOf } from './prototype-view.ts';
import { type Intent, intentOf } from './submission.ts';

/** What people let pass for a time, hand on, or take out of service. */
@Controller('v1')
export class ExceptionsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Post('gates/:id/waivers')
  async askWaiver(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { owner, until, finding, attempt, reason } = bodyOf(request, bodies.askWaiver);
    const intent = intentOf(this.#parts, request);
    const { promotion, gate } = namedGate(request);
    const at = found(findGate(found(await intent.caller.reads.promotion(promotion)).state, gate));
    const about = { promotion, gate: at.name, attempt: attempt ?? at.attempt, finding: findingFrom(finding) } as const;
    const waiver = idFrom('wvr', intent.draw('waiver'));
    await intent.submit({ kind: 'AskWaiver', waiver, owner, until, ...about }, { reason });
    return this.#gate(intent, about);
  }

  @Post('gates/:id/waivers/approve')
  @HttpCode(200)
  async approveWaiver(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { waiver, reason } = bodyOf(request, bodies.approveWaiver);
    const intent = intentOf(this.#parts, request);
    const named = namedGate(request);
    const command = { kind: 'ApproveWaiver', promotion: named.promotion, waiver } as const;
    await intent.submit(command, reason === undefined ? {} : { reason });
    return this.#gate(intent, named);
  }

  @Post('promotions/:id/break-glass')
  async askBreakGlass(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { minutes, reason } = bodyOf(request, bodies.askBreakGlass);
    return this.#breaks(request, { kind: 'AskBreakGlass', promotion: idIn(request, 'prm'), minutes }, reason);
  }

  @Post('promotions/:id/break-glass/approve')
  @HttpCode(200)
  async approveBreakGlass(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { artifactDigest: artifact, reason } = bodyOf(request, bodies.approveBreakGlass);
    return this.#breaks(request, { kind: 'ApproveBreakGlass', promotion: idIn(request, 'prm'), artifact }, reason);
  }

  @Post('promotions/:id/break-glass/review')
  @HttpCode(200)
  async reviewBreakGlass(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { reason } = bodyOf(request, bodies.reason);
    return this.#breaks(request, { kind: 'ReviewBreakGlass', promotion: idIn(request, 'prm') }, reason);
  }

  @Post('people/:id/delegations')
  async delegate(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { reason, until, prototype, environment } = bodyOf(request, bodies.delegate);
    const person = idIn(request, 'psn');
    const intent = intentOf(this.#parts, request);
    const command = {
      ...({ kind: 'Delegate', person, until } as const),
      ...(prototype !== undefined && { prototype }),
      ...(environment !== undefined && { environment }),
    };
    await intent.submit(command, reason === undefined ? {} : { reason });
    return this.#person(intent, person);
  }

  @Post('people/:id/delegations/end')
  @HttpCode(200)
  async endDelegation(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    bodyOf(request, bodies.empty);
    const person = idIn(request, 'psn');
    const intent = intentOf(this.#parts, request);
    await intent.submit({ kind: 'EndDelegation', person });
    return this.#person(intent, person);
  }

  @Post('lanes/:id/retire')
  @HttpCode(200)
  async retire(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { reason } = bodyOf(request, bodies.reason);
    const lane = idIn(request, 'lane');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'Retire', lane }, { reason });
    return laneOffered(caller, found(await caller.reads.lane(lane)));
  }

  async #breaks(request: FastifyRequest, command: PromotionCommand, reason: string | undefined) {
    const { caller, submit } = intentOf(this.#parts, request);
    await submit(command, reason === undefined ? {} : { reason });
    const view = found(await caller.reads.promotion(command.promotion));
    return promotionView(view, await viewerOf(this.#parts, callerOf(request), [view]));
  }

  async #gate({ caller }: Intent, { promotion, gate }: { promotion: `prm_${string}`; gate: string }) {
    const view = found(await caller.reads.promotion(promotion));
    return gateOffered(view, found(findGate(view.state, gate)), await viewerOf(this.#parts, caller, [view]));
  }

  async #person({ caller }: Intent, id: `psn_${string}`) {
    const { reads } = caller;
    const person = found(await reads.person(id));
    const [names, uses] = await Promise.all([reads.names([id]), usesOf(reads, [person])]);
    return personOffered(caller, person, { names, uses });
  }
}

function namedGate(request: FastifyRequest): { promotion: `prm_${string}`; gate: string } {
  const named = gateOf(paramOf(request, 'id'));
  if (named === null) throw notFound();
  return named;
}
