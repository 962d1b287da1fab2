import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { isDigest } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { found, notFound, paramOf, queryOf } from './parsing.ts';

/** Stored documents that verdicts rest on. */
@Controller('v1/evidence')
export class EvidenceController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  /** Always a download: a document may hold a stranger's markup, and must never run as a page of this origin. */
  @Get(':digest')
  async read(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    queryOf(request, queries.none);
    const digest = paramOf(request, 'digest');
    if (!isDigest(digest)) throw notFound();
    found(await callerOf(request).reads.evidence(digest));
    // Read whole and hashed before the first byte goes out: a corrupt document is never half an answer.
    const bytes = Buffer.from(await this.#parts.store.get(digest));
    return reply
      .type(isText(bytes) ? 'text/plain; charset=utf-8' : 'application/octet-stream')
      .header('content-disposition', `attachment; filename="${digest.slice('sha256:'.length)}"`)
      .header('content-security-policy', "default-src 'none'; sandbox")
      .send(bytes);
  }
}

function isText(bytes: Buffer): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\0');
  } catch {
    return false;
  }
}
