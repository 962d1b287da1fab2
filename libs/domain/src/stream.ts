import { evolveLane, type LaneEvent, type LaneState } from './lane.ts';
import { evolvePerson, type PersonEvent, type PersonState } from './person.ts';
import { evolvePolicy, type PolicyEvent, type PolicyState } from './policy-publication.ts';
import { evolvePromotion, type PromotionState } from './promotion.ts';
import type { PromotionEvent } from './promotion-event.ts';
import { evolvePrototype, type PrototypeEvent, type PrototypeState } from './prototype.ts';
import type { Draft } from './scene.ts';
import { evolveWorkspace, type WorkspaceEvent, type WorkspaceState } from './workspace.ts';

/** The kinds of stream. `log` holds what is recorded and never folded, such as refusals. */
export const streamKinds = ['promotion', 'lane', 'prototype', 'policy', 'person', 'workspace', 'log'] as const;
/** One of them. */
export type StreamKind = (typeof streamKinds)[number];

/** Any state a stream can fold to. */
export type StreamState = PromotionState | LaneState | PrototypeState | PolicyState | PersonState | WorkspaceState;

/** Every event of every stream, closed and versioned. */
export type Event = PromotionEvent | LaneEvent | PrototypeEvent | PolicyEvent | PersonEvent | WorkspaceEvent;

/** Folds one drafted event into its stream's state. The journal stores the result; folding again is the test and the repair. */
export function evolve(state: StreamState | null, draft: Draft, at: number): StreamState {
  switch (draft.stream) {
    case 'promotion':
      return evolvePromotion(state as PromotionState | null, draft.event, at);
    case 'lane':
      return evolveLane(state as LaneState | null, draft.event, at);
    case 'prototype':
      return evolvePrototype(state as PrototypeState | null, draft.event);
    case 'policy':
      return evolvePolicy(state as PolicyState | null, draft.event);
    case 'person':
      return evolvePerson(state as PersonState | null, draft.event, at);
    case 'workspace':
      return evolveWorkspace(state as WorkspaceState | null, draft.event);
  }
}
