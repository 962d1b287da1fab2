import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { laneOffered } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, pageIn, queryOf } from './parsing.ts';
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
    const caller = callerOf(request);
    const { items, next } = await caller.reads.lanes(pageIn(request));
    return { items: items.map((lane) => laneOffered(caller, lane)), next };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    return laneOffered(caller, found(await caller.reads.lane(idIn(request, 'lane'))));
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
    return laneOffered(caller, found(await caller.reads.lane(lane)));
  }
}
