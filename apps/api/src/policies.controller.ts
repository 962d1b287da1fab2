import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { authorise, authority } from '@proviso/authority';
import { type PolicyId, replayPromotion, tryVote, versionInForce } from '@proviso/domain';
import type { PolicyView, PromotionView, Reads } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, callerOf } from './caller.ts';
import { tagOf, taggedAs } from './entity-tag.ts';
import { bodies, queries } from './forms.ts';
import { offering } from './offering.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, notFound, pageIn, paramOf, parsed, queryOf } from './parsing.ts';
import { policyOfSource } from './policy-source.ts';
import { endView, policyView, triedVoteView, versionsView } from './policy-view.ts';
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
    const caller = callerOf(request);
    const { items, next } = await caller.reads.policies(pageIn(request));
    const now = this.#parts.now();
    return {
      items: items.map((policy) => offering(policyView(policy, { source: null, now }), caller, { noun: 'policy' })),
      next,
    };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const policy = found(await callerOf(request).reads.policy(idIn(request, 'pol')));
    reply.header('etag', tagOf(policy.revision));
    return this.#shown(callerOf(request), policy);
  }

  @Post()
  async publish(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const body = typeof request.body === 'string' ? { source: request.body } : request.body;
    const { source, reason, weakerForDays } = parsed(body ?? undefined, bodies.publishPolicy, '');
    const { caller, submit } = intentOf(this.#parts, request);
    const { workspace, person, scopes } = caller;
    const { command, bytes } = publicationOf(source, {
      ...{ workspace, author: person.id },
      ...(weakerForDays === undefined ? {} : { weakerForMs: weakerForDays * 86_400_000 }),
    });
    // Nobody fills the store with what they may not publish; that no is the journal's to give and to record.
    if (authorise({ actor: person, command, scopes }) === null)
      await this.#parts.store.put(bytes, { mediaType: 'text/yaml' });
    const receipt = await submit(command, reason === undefined ? {} : { reason });
    const address = `/v1/policies/${command.policyId}`;
    const policy = found(await caller.reads.policy(command.policyId));
    reply.code(receipt.entries.length > 0 ? 201 : 200).headers({ location: address, ...taggedAs(address, policy) });
    return offering(policyView(policy, { source, now: this.#parts.now() }), caller, { noun: 'policy' });
  }

  @Get(':id/versions')
  async versions(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    return { items: await versionsOf(callerOf(request).reads, idIn(request, 'pol')) };
  }

  @Get(':id/versions/:version')
  async version(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const versions = await versionsOf(callerOf(request).reads, idIn(request, 'pol'));
    const number = paramOf(request, 'version');
    const version = found(versions.find((one) => String(one.version) === number));
    return { ...version, source: await sourceOf(this.#parts.store, version.digest) };
  }

  @Post(':id/agreement')
  @HttpCode(200)
  async agree(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { digest, reason } = bodyOf(request, bodies.agreeToPolicy);
    const policyId = idIn(request, 'pol');
    const { caller, submit } = intentOf(this.#parts, request);
    await submit({ kind: 'AgreeToPolicy', policyId, digest }, reason === undefined ? {} : { reason });
    const policy = found(await caller.reads.policy(policyId));
    reply.headers(taggedAs(`/v1/policies/${policyId}`, policy));
    return this.#shown(callerOf(request), policy);
  }

  @Post('try')
  @HttpCode(200)
  async try(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { source, person: personId, promotion: promotionId } = bodyOf(request, bodies.tryPolicy);
    const draft = policyOfSource(source);
    const { reads } = callerOf(request);
    const [person, view] = await Promise.all([reads.person(personId), reads.promotion(promotionId)]);
    return triedVoteView(tryVote(draft, { person: found(person), promotion: found(view).state, authority }));
  }

  @Post('replay')
  @HttpCode(200)
  async replay(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { source, since } = bodyOf(request, bodies.replayPolicy);
    const draft = policyOfSource(source);
    const sinceMs = since === undefined ? 0 : Date.parse(since);
    const { states, whole } = await pastPromotions(callerOf(request).reads, { name: draft.name, sinceMs });
    const changed = states.flatMap((state) => {
      const { promotion, before, after, changes } = replayPromotion(state, draft, authority);
      const openedAt = new Date(state.openedAt).toISOString();
      return changes ? [{ promotion, openedAt, before: endView(before), after: endView(after) }] : [];
    });
    return { looked: states.length, whole, changed };
  }

  async #shown(caller: Caller, policy: PolicyView) {
    const now = this.#parts.now();
    const source = await sourceOf(this.#parts.store, versionInForce(policy.state, now).digest);
    return offering(policyView(policy, { source, now }), caller, { noun: 'policy' });
  }
}

/** As many edits as anybody reads; a policy that has more is read from its history. */
const versionEntriesMax = 1_000;

async function versionsOf(reads: Reads, id: PolicyId) {
  const entries = await reads.history({ stream: 'policy', id, limit: versionEntriesMax });
  if (entries.length === 0) throw notFound();
  return versionsView(entries, await reads.reasons(entries.map((entry) => entry.id)));
}

/** Enough to see what a draft would have done; older ones say little about the people of today. */
const replayedMax = 2_000;
/** As many as the database hands out at once. */
const replayedPageMax = 100;

/** The promotions that were opened under a policy of this name, newest first. */
async function pastPromotions(reads: Reads, { name, sinceMs }: { name: string; sinceMs: number }) {
  const states: PromotionView['state'][] = [];
  let after: string | null = null;
  for (let looked = 0; looked < replayedMax; looked += replayedPageMax) {
    const page = await reads.promotions({ limit: replayedPageMax, ...(after === null ? {} : { after }) });
    const recent = page.items.filter(({ state }) => state.openedAt >= sinceMs);
    states.push(...recent.map(({ state }) => state).filter(({ policy }) => policy.name === name));
    if (page.next === null || recent.length < page.items.length) return { states, whole: true };
    after = page.next;
  }
  return { states, whole: false };
}
