import { createHash } from 'node:crypto';
import { type PromotionRel, authority, explainAction, whoCanDo } from '@proviso/authority';
import { calendar } from '@proviso/calendar';
import type { PersonState, Scene } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import { type Caller } from './caller.ts';
import { found } from './parsing.ts';
import { personRef } from './person-ref.ts';
import { delegatorsFor } from './promotion-view.ts';
import type { ExplanationResource } from './resources.ts';

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
  const { state, production } = view;
  const [staging, names, delegators, answerer] = await Promise.all([
    reads.lane(state.lanes.staging),
    reads.names([actor.id]),
    delegatorsFor(reads, actor),
    actor.actsFor === undefined ? null : reads.person(actor.actsFor),
  ]);
  const scene: Scene = {
    ...{ now, actor, authority, digestOf },
    lentBy: actor.id === caller.person.id ? caller.lentBy : null,
    token: actor.id === caller.person.id ? (actor.tokens.find(({ id }) => id === caller.token) ?? null) : null,
    promotion: state,
    lanes: { staging: staging?.state ?? null, production: production?.state ?? null },
    people: { ...view.people, ...delegators, ...(answerer !== null && { [answerer.id]: answerer }) },
    door: actor.id === caller.person.id ? caller.door : { channel: 'rest', freshAt: null },
    ...{ rivals: [], prototype: null, policy: null, person: null, workspace: null, usage: null },
    ...{ holder: null, artifact: null, authors: {}, calendar, policies: [] },
  };
  const asked = found(explainAction(scene, rel));
  const last = found(asked.at(-1));
  return {
    ...{ promotion: state.id, person: personRef(actor.id, names), action: rel },
    ...{ allowed: last.answer === 'yes', code: last.refusal?.code ?? null, decidedBy: last.rule },
    rules: asked.map(({ rule, answer, words }) => ({ rule, answer, words })),
    whoCan: [...whoCanDo(rel, state)],
  };
}

function digestOf(text: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
