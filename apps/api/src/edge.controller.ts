import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { isDigest } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { edgeReport } from './edge-report.ts';
import { queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, notFound, paramOf, queryOf } from './parsing.ts';
import { Problem } from './problem.ts';

/** What edges ask: what to serve, and the files of it. */
@Controller('v1/edge')
export class EdgeController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Post('orders')
  @HttpCode(200)
  async orders(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const report = bodyOf(request, edgeReport);
    const caller = callerOf(request);
    const { journal, edges } = this.#parts;
    const [orders] = await Promise.all([
      edges.orders(caller, report),
      journal.recordEdgeReport(caller.workspace, report.edge, report),
    ]);
    return orders;
  }

  @Get('blobs/:digest')
  async blob(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const digest = paramOf(request, 'digest');
    const { edges, store } = this.#parts;
    if (!isDigest(digest) || !(await edges.mayFetch(callerOf(request), digest))) throw notFound();
    // The manifest stays as evidence, so its being there says nothing about the files.
    if (await callerOf(request).reads.artifactRemoved(digest))
      throw new Problem(
        'artifact_removed',
        'expected a version with its files, got one whose files were removed: freeze it again',
      );
    return reply.type('application/octet-stream').send(Buffer.from(await store.get(digest)));
  }
}
