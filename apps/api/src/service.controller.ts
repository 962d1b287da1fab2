import { Controller, Get, HttpCode, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { openapiText } from './openapi.ts';
import { PARTS, type Parts } from './parts.ts';
import { queryOf } from './parsing.ts';
import { queries } from './forms.ts';

/** What machines around us ask: are you there, are you ready, how are you. */
@Controller()
export class ServiceController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get('healthz')
  isAlive(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return { status: 'alive' };
  }

  @Get('readyz')
  @HttpCode(200)
  async isReady(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    await this.#parts.journal.ping();
    return { status: 'ready' };
  }

  @Get('metrics')
  metrics(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(this.#parts.metrics.text());
  }

  @Get('v1/openapi.json')
  openapi(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    return reply.type('application/json; charset=utf-8').send(openapiText());
  }
}
