import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, pageIn, queryOf } from './parsing.ts';
import { laneView } from './prototype-view.ts';
import { intentOf } from './submission.ts';

/** Lanes: what serves users, and the brake. */
@Controller('v1/lanes')
export class LanesController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    const { items, next } = await callerOf(request).reads.lanes(pageIn(request));
    return { items: items.map(laneView), next };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return laneView(found(await callerOf(request).reads.lane(idIn(request, 'lane'))));
  }

  @Post(':id/hold')
  @HttpCode(200)
  async hold(@Req() request: FastifyRequest) {
    return this.#steer(request, 'HoldLane');
  }

  @Post(':id/resume')
  @HttpCode(200)
  async resume(@Req() request: FastifyRequest) {
    return this.#steer(request, 'ResumeLane');
  }

  async #steer(request: FastifyRequest, kind: 'HoldLane' | 'ResumeLane') {
    queryOf(request, queries.none);
    const { reason } = bodyOf(request, bodies.reason);
    const lane = idIn(request, 'lane');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind, lane }, { reason });
    return laneView(found(await caller.reads.lane(lane)));
  }
}
