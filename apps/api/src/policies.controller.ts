import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { authorise } from '@proviso/authority';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { tagOf, taggedAs } from './entity-tag.ts';
import { bodies, queries } from './forms.ts';
import { PARTS, type Parts } from './parts.ts';
import { found, idIn, pageIn, parsed, queryOf } from './parsing.ts';
import { policyView } from './prototype-view.ts';
import { publicationOf, sourceOf } from './publishing.ts';
import { intentOf } from './submission.ts';

/** Policies: published whole, pinned by promotions, never edited in place. */
@Controller('v1/policies')
export class PoliciesController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    const { items, next } = await callerOf(request).reads.policies(pageIn(request));
    return { items: items.map((policy) => policyView(policy, null)), next };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const policy = found(await callerOf(request).reads.policy(idIn(request, 'pol')));
    reply.header('etag', tagOf(policy.revision));
    return policyView(policy, await sourceOf(this.#parts.store, policy.state));
  }

  @Post()
  async publish(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const body = typeof request.body === 'string' ? { source: request.body } : request.body;
    const { source } = parsed(body ?? undefined, bodies.publishPolicy, '');
    const { caller, submit } = intentOf(this.#parts, request);
    const { workspace, person, scopes } = caller;
    const { command, bytes } = publicationOf(source, { workspace, author: person.id });
    // Nobody fills the store with what they may not publish; that no is the journal's to give and to record.
    if (authorise({ actor: person, command, scopes }) === null)
      await this.#parts.store.put(bytes, { mediaType: 'text/yaml' });
    const receipt = await submit(command);
    const address = `/v1/policies/${command.policyId}`;
    const policy = found(await caller.reads.policy(command.policyId));
    reply.code(receipt.entries.length > 0 ? 201 : 200).headers({ location: address, ...taggedAs(address, policy) });
    return policyView(policy, source);
  }
}
