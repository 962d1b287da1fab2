import { Controller, Get, Inject, Req } from '@nestjs/common';
import { findGate, gateIdOf } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { found, idIn, queryOf } from './parsing.ts';
import { timeOf } from './person-ref.ts';
import { headlineOf } from './promotion-view.ts';
import type { StandingResource } from './resources.ts';

/**
 * Where promotions stand that one has asked for oneself. It needs no right to read: a run of a pipeline, which reads
 * nothing, waits for its own by it. So no person is named, and nothing of the workspace is told beside.
 */
@Controller('v1/me/promotions')
export class OwnPromotionsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest): Promise<StandingResource> {
    queryOf(request, queries.none);
    const { person, reads } = callerOf(request);
    const view = await reads.promotion(idIn(request, 'prm'));
    return standingOf(found(view?.state.requester === person.id ? view : null), this.#parts);
  }
}

function standingOf(view: PromotionView, { config, now }: Pick<Parts, 'config' | 'now'>): StandingResource {
  const { state } = view;
  const { state: standing, sentence } = headlineOf(view, { now: now(), timeZone: config.timeZone, pastWaits: [] });
  const asks = findGate(state, 'approval') !== undefined;
  return {
    ...{ id: state.id, prototype: state.prototype, version: state.candidate.version },
    ...{ state: standing, headline: sentence, outcome: state.outcome },
    gates: state.gates.map(({ name, status }) => ({ name, status })),
    url: asks ? `${config.publicUrl}/decide/${gateIdOf(state.id, 'approval')}` : config.publicUrl,
    endedAt: state.endedAt === null ? null : timeOf(state.endedAt),
  };
}
