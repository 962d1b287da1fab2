import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { type PrototypeId, idFrom } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { tagOf, taggedAs } from './entity-tag.ts';
import { freezeFrom } from './freezing.ts';
import { bodies, queries } from './forms.ts';
import { candidateOffered, prototypeOffered, prototypesOffered } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, pageIn, queryOf } from './parsing.ts';
import { prototypeIdOf, prototypeSeed } from './prototype-id.ts';
import { intentOf, uuidOfSeed } from './submission.ts';

/** Prototypes and their versions. */
@Controller('v1/prototypes')
export class PrototypesController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    const caller = callerOf(request);
    const { items, next } = await caller.reads.prototypes(pageIn(request));
    return { items: await prototypesOffered(caller, items), next };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const prototype = found(await callerOf(request).reads.prototype(idIn(request, 'pro')));
    reply.header('etag', tagOf(prototype.revision));
    return prototypeOffered(callerOf(request), prototype);
  }

  @Post()
  async register(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { name, owner } = bodyOf(request, bodies.registerPrototype);
    const { caller, submit } = intentOf(this.#parts, request);
    if (owner !== undefined && owner !== null) found(await caller.reads.person(owner));
    const seed = prototypeSeed(caller.workspace, name);
    const prototype = prototypeIdOf(caller.workspace, name);
    await submit({
      kind: 'RegisterPrototype',
      prototype,
      name,
      owner: owner === undefined ? caller.person.id : owner,
      lanes: {
        staging: idFrom('lane', uuidOfSeed(`${seed} staging`)),
        production: idFrom('lane', uuidOfSeed(`${seed} production`)),
      },
      hosts: { staging: `${name}.staging.localhost`, production: `${name}.localhost` },
    });
    reply.header('location', `/v1/prototypes/${prototype}`);
    return this.#shown(request, reply, prototype);
  }

  @Post(':id/owner')
  @HttpCode(200)
  async assignOwner(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { owner } = bodyOf(request, bodies.assignOwner);
    const prototype = idIn(request, 'pro');
    const { caller, submit } = intentOf(this.#parts, request);
    found(await caller.reads.person(owner));
    await submit({ kind: 'AssignOwner', prototype, owner });
    return this.#shown(request, reply, prototype);
  }

  @Post(':id/trust')
  @HttpCode(200)
  async trust(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { trusted } = bodyOf(request, bodies.trust);
    const prototype = idIn(request, 'pro');
    await intentOf(this.#parts, request).submit({ kind: 'TrustPrototype', prototype, trusted });
    return this.#shown(request, reply, prototype);
  }

  @Post(':id/tier')
  @HttpCode(200)
  async assignTier(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { tier } = bodyOf(request, bodies.tier);
    const prototype = idIn(request, 'pro');
    await intentOf(this.#parts, request).submit({ kind: 'AssignTier', prototype, tier });
    return this.#shown(request, reply, prototype);
  }

  @Get(':id/candidates')
  async candidates(@Req() request: FastifyRequest) {
    const { after, limit } = queryOf(request, queries.page);
    const caller = callerOf(request);
    const { state } = found(await caller.reads.prototype(idIn(request, 'pro')));
    const newest = state.candidates.toReversed();
    const start = after === undefined ? 0 : newest.findIndex((candidate) => candidate.id === after) + 1;
    const items = newest.slice(start, start + limit);
    return {
      items: items.map((candidate) => candidateOffered(caller, candidate, state.id)),
      next: start + limit < newest.length ? (items.at(-1)?.id ?? null) : null,
    };
  }

  @Post(':id/candidates')
  async freeze(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const answer = await freezeFrom(this.#parts, request, idIn(request, 'pro'));
    reply.code(answer.created ? 201 : 200);
    return answer;
  }

  async #shown(request: FastifyRequest, reply: FastifyReply, id: PrototypeId) {
    const prototype = found(await callerOf(request).reads.prototype(id));
    reply.headers(taggedAs(`/v1/prototypes/${id}`, prototype));
    return prototypeOffered(callerOf(request), prototype);
  }
}
