import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { githubAsking, slackAsking } from '@proviso/channels';
import { type GateName, type GateState, findGate, gateIdOf, gateNames, gateOf, idFrom } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bulletinOf } from './bulletin-of.ts';
import { type Caller, callerOf } from './caller.ts';
import { bodies, queries } from './forms.ts';
import { recorded } from './guard.ts';
import { PARTS, type Parts } from './parts.ts';
import { bodyOf, found, notFound, paramOf, queryOf } from './parsing.ts';
import { Problem } from './problem.ts';
import { gateOffered, viewerOf } from './promotion-view.ts';
import { doneView, intentOf } from './submission.ts';

interface GateRead {
  readonly view: PromotionView;
  readonly gate: GateState;
}

/** Gates and what people decide at them. */
@Controller('v1/gates')
export class GatesController {
  readonly #parts: Parts;

  constructor(@Inject(PARTS) parts: Parts) {
    this.#parts = parts;
  }

  @Get(':id')
  async read(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const caller = callerOf(request);
    const { view, gate } = await gateIn(request);
    return await this.#shown(caller, { view, gate });
  }

  /** By the renderer of the channel itself, whether or not it is set up; nothing where nobody is asked now. */
  @Get(':id/prompts')
  async prompts(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { reads } = callerOf(request);
    const { view, gate } = await gateIn(request);
    const bulletin = await bulletinOf(
      { ...this.#parts, reads, pastWaits: () => reads.pastWaits('approval') },
      view.state.id,
    );
    if (gate.name !== 'approval' || bulletin === null) return { items: [] };
    const shown = { slack: slackAsking(bulletin), github: githubAsking(bulletin) };
    return {
      items: Object.entries(shown).flatMap(([channel, lines]) =>
        lines === null ? [] : [{ channel, lines: [...lines] }],
      ),
    };
  }

  @Post(':id/decisions')
  async decide(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { verdict, reason, attempt, gateRevision, artifactDigest, evidenceDigest } = bodyOf(request, bodies.decide);
    const { draw, submit } = intentOf(this.#parts, request);
    const { view, gate } = await gateIn(request);
    // An older revision is fine: another vote makes one. The attempt and the digests say whether the matter is the same.
    if (gateRevision !== undefined && gateRevision > gate.revision) {
      const message = `expected a revision up to ${gate.revision}, got ${gateRevision}`;
      const refused = new Problem('stale_evidence', message, { rule: 'gate/revision', recorded: true });
      throw await recorded(this.#parts, callerOf(request), { door: 'POST /v1/gates/:id/decisions', refused });
    }
    const decision = idFrom('dec', draw('decision'));
    const receipt = await submit(
      {
        kind: 'Decide',
        promotion: view.state.id,
        gate: gate.name,
        attempt: attempt ?? gate.attempt,
        decision,
        verdict,
        artifact: artifactDigest,
        evidenceDigest,
      },
      reason === undefined ? {} : { reason },
    );
    const passed = receipt.answer.kind === 'decided' && receipt.answer.passed;
    return { ...doneView(receipt), decision, gate: gateIdOf(view.state.id, gate.name), passed };
  }

  @Post(':id/defer')
  @HttpCode(200)
  async defer(@Req() request: FastifyRequest) {
    queryOf(request, queries.none);
    const { until, attempt, reason } = bodyOf(request, bodies.defer);
    const { caller, submit } = intentOf(this.#parts, request);
    const { view, gate } = await gateIn(request);
    const { id: promotion } = view.state;
    const command = { kind: 'Defer', promotion, gate: gate.name, attempt: attempt ?? gate.attempt, until } as const;
    await submit(command, reason === undefined ? {} : { reason });
    const after = found(await caller.reads.promotion(promotion));
    return await this.#shown(caller, { view: after, gate: found(findGate(after.state, gate.name)) });
  }

  @Post(':id/rerun')
  @HttpCode(202)
  async rerun(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    queryOf(request, queries.none);
    const { reason } = bodyOf(request, bodies.optionalReason);
    const { submit } = intentOf(this.#parts, request);
    const { view, gate } = await gateIn(request);
    const command = { kind: 'Rerun', promotion: view.state.id, gate: gate.name } as const;
    const receipt = await submit(command, reason === undefined ? {} : { reason });
    reply.header('location', `/v1/promotions/${view.state.id}`);
    return doneView(receipt);
  }

  async #shown(caller: Caller, { view, gate }: GateRead) {
    const viewer = await viewerOf(this.#parts, caller, [view]);
    return gateOffered(view, gate, viewer);
  }
}

async function gateIn(request: FastifyRequest): Promise<GateRead> {
  const named = gateOf(paramOf(request, 'id'));
  if (named === null || !isGateName(named.gate)) throw notFound();
  const view = found(await callerOf(request).reads.promotion(named.promotion));
  return { view, gate: found(findGate(view.state, named.gate)) };
}

function isGateName(text: string): text is GateName {
  return gateNames.some((name) => name === text);
}
