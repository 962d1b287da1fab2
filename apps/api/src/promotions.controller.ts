import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { type PromotionId, idFrom } from '@proviso/domain';
import type { EntryView, PromotionView, Reads } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { explanationOf } from './explaining.ts';
import { bodies, queries } from './forms.ts';
import { entryView, peopleOfEntries } from './history-view.ts';
import { looksView } from './look-view.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, idIn, queryOf } from './parsing.ts';
import { Problem } from './problem.ts';
import { previewLink } from './preview.ts';
import { timeOf } from './person-ref.ts';
import { isInStaging, promotionView, viewerOf } from './promotion-view.ts';
import { doneView, intentOf } from './submission.ts';

/** How long a reader waits for a write that it was told of: replicas that lag more than this are broken. */
const revisionWaitTries = 10;
const revisionWaitMs = 100;

/** What a person says to a promotion with a reason, and nothing more. */
type Steering = 'Cancel' | 'Rollback' | 'Pause' | 'Unpause' | 'Advance';

/** Promotions: the main question and the ways to start, steer and stop one. */
@Controller('v1/promotions')
export class PromotionsController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    const { reads } = callerOf(request);
    const { prototype, open, after, limit } = queryOf(request, queries.promotions);
    const { items, next } = await reads.promotions({
      limit,
      ...(prototype === undefined ? {} : { prototype }),
      ...(open === undefined ? {} : { open: open === 'true' }),
      ...(after === undefined ? {} : { after }),
    });
    const viewer = await viewerOf(this.#parts, callerOf(request), items);
    return { items: items.map((view) => promotionView(view, viewer)), next };
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest) {
    const { minRevision = 0 } = queryOf(request, queries.promotion);
    const { reads } = callerOf(request);
    return this.#shown(request, await promotionAt(reads, idIn(request, 'prm'), minRevision));
  }

  @Post()
  async open(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { prototype, candidate, policy } = bodyOf(request, bodies.openPromotion);
    const { caller, draw, submit } = intentOf(this.#parts, request);
    const promotion = idFrom('prm', draw('promotion'));
    await submit({ kind: 'OpenPromotion', promotion, prototype, candidate, policyId: policy });
    reply.header('location', `/v1/promotions/${promotion}`);
    return this.#shown(request, found(await caller.reads.promotion(promotion)));
  }

  @Post(':id/cancel')
  @HttpCode(202)
  async cancel(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.#steer(request, reply, 'Cancel');
  }

  @Post(':id/rollback')
  @HttpCode(202)
  async rollback(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.#steer(request, reply, 'Rollback');
  }

  @Post(':id/pause')
  @HttpCode(202)
  async pause(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.#steer(request, reply, 'Pause');
  }

  @Post(':id/unpause')
  @HttpCode(202)
  async unpause(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.#steer(request, reply, 'Unpause');
  }

  @Post(':id/advance')
  @HttpCode(202)
  async advance(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.#steer(request, reply, 'Advance');
  }

  @Post(':id/comments')
  async comment(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { text } = bodyOf(request, bodies.comment);
    const promotion = idIn(request, 'prm');
    return doneView(await intentOf(this.#parts, request).submit({ kind: 'Comment', promotion }, { reason: text }));
  }

  @Get(':id/history')
  async history(@Req() request: FastifyRequest) {
    const { after, limit } = queryOf(request, queries.history);
    const { reads } = callerOf(request);
    const id = idIn(request, 'prm');
    const since = after === undefined ? {} : { after };
    const [promotion, entries] = await Promise.all([
      reads.promotion(id),
      reads.history({ stream: 'promotion', id, limit, ...since }),
    ]);
    found(promotion);
    const [reasons, names] = await Promise.all([
      reads.reasons(entries.map((entry) => entry.id)),
      reads.names(peopleOfEntries(entries)),
    ]);
    const items = entries.map((entry) => entryView(entry, { names, reason: reasons[entry.id] ?? null }));
    return { items, next: nextOf(entries, limit) };
  }

  @Get(':id/preview')
  async preview(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { reads, person } = callerOf(request);
    const { state } = found(await reads.promotion(idIn(request, 'prm')));
    const lane = found(await reads.lane(state.lanes.staging)).state;
    // Looked at now: another version may have come after it.
    if (!isInStaging(state) || lane.canary?.promotion !== state.id || lane.weight !== 100)
      throw new Problem('preview_unavailable', 'expected this version to be served in staging, got another or none');
    const { config, now } = this.#parts;
    const { url, expiresAt } = previewLink(config, { host: lane.host, person: person.id, now: now() });
    return { url, host: lane.host, expiresAt: timeOf(expiresAt) };
  }

  @Get(':id/explain')
  async explain(@Req() request: FastifyRequest) {
    const { action: rel, person } = queryOf(request, queries.explain);
    const caller = callerOf(request);
    const { reads } = caller;
    const view = found(await reads.promotion(idIn(request, 'prm')));
    const actor = person === undefined ? caller.person : found(await reads.person(person));
    return await explanationOf(caller, { view, rel, actor, now: this.#parts.now() });
  }

  @Get(':id/looks')
  async looks(@Req() request: FastifyRequest) {
    const { after, since, limit } = queryOf(request, queries.looks);
    const { reads } = callerOf(request);
    const promotion = idIn(request, 'prm');
    const from = { ...(after !== undefined && { after }), ...(since !== undefined && { since }) };
    const { state } = found(await reads.promotion(promotion));
    return looksView(state, await reads.series({ promotion, limit, ...from }), limit);
  }

  /**
   * Decided and durable. What takes users off a version has done so already, and the worker's tidying up goes on; what sets
   * the pace of a canary shows at its next look.
   */
  async #steer(request: FastifyRequest, reply: FastifyReply, kind: Steering) {
    queryOf(request, queries.none);
    const { reason } = bodyOf(request, bodies.reason);
    const promotion = idIn(request, 'prm');
    const receipt = await intentOf(this.#parts, request).submit({ kind, promotion }, { reason });
    reply.header('location', `/v1/promotions/${promotion}`);
    return doneView(receipt);
  }

  async #shown(request: FastifyRequest, view: PromotionView) {
    return promotionView(view, await viewerOf(this.#parts, callerOf(request), [view]));
  }
}

/** Reads until the asked revision is there: who was told of a write never sees the time before it. */
async function promotionAt(reads: Reads, id: PromotionId, revision: number): Promise<PromotionView> {
  for (let attempt = 1; attempt <= revisionWaitTries; attempt += 1) {
    const view = found(await reads.promotion(id));
    if (view.revision >= revision) return view;
    await pause(revisionWaitMs);
  }
  throw new Problem('revision_not_reached', `expected revision ${revision} within a second, got an older one`);
}

function nextOf(entries: readonly EntryView[], limit: number): number | null {
  return entries.length < limit ? null : (entries.at(-1)?.sseq ?? null);
}
