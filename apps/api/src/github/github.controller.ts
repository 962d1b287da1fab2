import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { queries } from '../forms.ts';
import { PARTS, type Parts } from '../parts.ts';
import { notFound, queryOf } from '../parsing.ts';
import { signedBodyOf } from '../signed-body.ts';

/** GitHub over HTTP. */
@Controller('github')
export class GitHubController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  /** One address for every event. The name of an event is not signed, so a body is read by its own form only. */
  @Post('webhooks')
  @HttpCode(202)
  async hear(@Req() request: FastifyRequest): Promise<object> {
    queryOf(request, queries.none);
    const { github } = this.#parts;
    if (github === null) throw notFound();
    const outcome = await github.hear(String(request.headers['x-github-event']), signedBodyOf(request));
    return { outcome: outcome ?? 'nothing of ours' };
  }
}
