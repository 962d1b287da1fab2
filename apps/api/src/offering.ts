import { type Action, type Noun, type Whereabouts, actionsFor } from '@proviso/authority';
import { type Candidate, type PersonState, type PrototypeId, invariant } from '@proviso/domain';
import type { LaneView, PrototypeView } from '@proviso/journal';
import { type Caller, asViewer } from './caller.ts';
import { candidateView, laneView, personView, prototypeView } from './prototype-view.ts';
import type { ActionResource } from './resources.ts';

/** Who reads, as far as it matters for what they may do. */
export type Reader = Pick<Caller, 'person' | 'lentBy' | 'scopes' | 'door'>;

/** What is shown, with what its reader may do about it, or why not and who could. */
export function offering<Shown extends object>(
  shown: Shown,
  reader: Reader,
  { noun, ...where }: { readonly noun: Noun } & Whereabouts,
): Shown & { actions: ActionResource[] } {
  return { ...shown, actions: actionsShown(actionsFor(asViewer(reader), noun, where)) };
}

/** Actions as answered. */
export function actionsShown(actions: readonly Action[]): ActionResource[] {
  return actions.map(({ rel, allowed, code, reason, whoCan }) => ({ rel, allowed, code, reason, whoCan: [...whoCan] }));
}

/** A version as a thing of its own. */
export function candidateOffered(reader: Reader, candidate: Candidate, prototype: PrototypeId) {
  return offering(candidateView(candidate), reader, { noun: 'candidate', prototype });
}

/** Prototypes with what their reader may do about them. */
export async function prototypesOffered(caller: Reader & Pick<Caller, 'reads'>, prototypes: readonly PrototypeView[]) {
  const lanes = prototypes.map(({ state }) => state.lanes.production);
  const serving = await caller.reads.serving(lanes);
  return prototypes.map((prototype) => {
    const { id, lanes: own } = prototype.state;
    const shown = prototypeView(prototype, serving[own.production] ?? null);
    return offering(shown, caller, { noun: 'prototype', prototype: id });
  });
}

/** One prototype with what its reader may do about it. */
export async function prototypeOffered(caller: Reader & Pick<Caller, 'reads'>, prototype: PrototypeView) {
  const [offered] = await prototypesOffered(caller, [prototype]);
  invariant(offered !== undefined, 'one prototype is offered as one');
  return offered;
}

/** A lane with what its reader may do about it. */
export function laneOffered(reader: Reader, lane: LaneView) {
  const { prototype, environment } = lane.state;
  return offering(laneView(lane), reader, { noun: 'lane', prototype, environment });
}

/** A principal with what its reader may do about them. */
export function personOffered(reader: Reader, person: PersonState, known: Parameters<typeof personView>[1]) {
  return offering(personView(person, known), reader, { noun: 'person', person: person.id });
}
