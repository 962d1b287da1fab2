import { createHash } from 'node:crypto';
import { type PromotionScene, authority } from '@proviso/authority';
import { calendar } from '@proviso/calendar';
import type { Door, LaneState, PersonId, PersonState, TokenRecord } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';

/** Who would do something to a promotion, and when. */
export interface Trying {
  readonly actor: PersonState;
  /** Who lent them the token they came with, and that token; null where there is none. */
  readonly lentBy: PersonId | null;
  readonly token: TokenRecord | null;
  /** How they came in: a gate may be closed to it. */
  readonly door: Door;
  readonly now: number;
  /** Those in whose stead they may vote, and those by whom they act. */
  readonly behind: PromotionView['people'];
}

/**
 * What the journal would look at for a command about this promotion, as far as it can be read without its locks: enough
 * to try a decision on, and never to take one.
 */
export function tryingScene(
  { state, production, people }: PromotionView,
  { behind, ...trying }: Trying,
  staging: LaneState | null = null,
): PromotionScene {
  return {
    ...{ ...trying, authority, digestOf, calendar },
    // Words are asked for once somebody acts.
    says: true,
    promotion: state,
    lanes: { staging, production: production?.state ?? null },
    people: { ...people, ...behind },
    // Whoever asks for a waiver could own its risk.
    person: trying.actor,
    ...{ rivals: [], prototype: null, policy: null, policies: [], workspace: null, usage: null },
    ...{ holder: null, artifact: null, authors: {} },
  };
}

function digestOf(text: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
