import { type PromotionRel, explainAction, whoCanDo } from '@proviso/authority';
import type { PersonState } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import { type Caller, tokenOf } from './caller.ts';
import { found } from './parsing.ts';
import { personRef } from './person-ref.ts';
import { behindActor } from './promotion-view.ts';
import type { ExplanationResource } from './resources.ts';
import { tryingScene } from './trying-scene.ts';

/** Whose action on what is to be explained. */
export interface Question {
  readonly view: PromotionView;
  readonly rel: PromotionRel;
  readonly actor: PersonState;
  readonly now: number;
}

/**
 * Why somebody may or may not do this now, rule by rule. Whoever reads a promotion may also read people, so anybody's
 * rights may be asked for; what a token takes from them is told of the caller's own only, nobody else's is known here.
 */
export async function explanationOf(caller: Caller, { view, rel, actor, now }: Question): Promise<ExplanationResource> {
  const { reads } = caller;
  const { state } = view;
  const [staging, names, behind] = await Promise.all([
    reads.lane(state.lanes.staging),
    reads.names([actor.id]),
    behindActor(reads, actor, actor.id === caller.person.id ? caller.lentBy : null),
  ]);
  const own = actor.id === caller.person.id;
  const way = own ? { lentBy: caller.lentBy, token: tokenOf(caller), door: caller.door } : unknownWay;
  const scene = tryingScene(view, { ...way, actor, now, behind }, staging?.state ?? null);
  const asked = found(explainAction(scene, rel));
  const last = found(asked.at(-1));
  return {
    ...{ promotion: state.id, person: personRef(actor.id, names), action: rel },
    ...{ allowed: last.answer === 'yes', code: last.refusal?.code ?? null, decidedBy: last.rule },
    rules: asked.map(({ rule, answer, words }) => ({ rule, answer, words })),
    whoCan: [...whoCanDo(rel, scene)],
  };
}

/** How somebody else would come in nobody knows; a token of their own is the most that most doors let in. */
const unknownWay = { lentBy: null, token: null, door: { channel: 'rest', freshAt: null } } as const;
