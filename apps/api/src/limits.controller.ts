import { Controller, Get, Inject, Put, Req, Res } from '@nestjs/common';
import { type Limits, limitsOf } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, callerOf } from './caller.ts';
import { tagOf, taggedAs } from './entity-tag.ts';
import { bodies, queries } from './forms.ts';
import { offering } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, queryOf } from './parsing.ts';
import { intentOf } from './submission.ts';

/** What the caller's workspace may take of this deployment. */
@Controller('v1/workspace/limits')
export class LimitsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const shown = await shownTo(callerOf(request));
    reply.header('etag', tagOf(shown.revision));
    return shown;
  }

  @Put()
  async set(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const limits = given(bodyOf(request, bodies.limits));
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'SetLimits', workspace: caller.workspace, limits });
    const shown = await shownTo(caller);
    reply.headers(taggedAs('/v1/workspace/limits', shown));
    return shown;
  }
}

async function shownTo(caller: Caller) {
  const { reads } = caller;
  const [workspace, taken] = await Promise.all([reads.workspace(), reads.usage()]);
  const { state, revision } = found(workspace);
  const { diskBytes, prototypes, runs, builds } = taken;
  const usage = { diskBytes, prototypes, runs, builds };
  const shown = { limits: limitsOf(state), set: state.limits ?? {}, usage, revision };
  return offering(shown, caller, { noun: 'limits' });
}

/** Without the names that were left out: an entry holds no hole. */
function given(body: { readonly [Name in keyof Limits]?: number | undefined }): Partial<Limits> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
