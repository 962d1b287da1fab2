import type { Calendar } from './freeze.ts';
import type { Door } from './door.ts';
import type { Digest, LaneId, PersonId, PromotionId, PrototypeId } from './id.ts';
import { type Environment, type LaneEvent, type LaneMove, type LaneState, decideLane, evolveLane } from './lane.ts';
import type { Usage } from './limits.ts';
import type { Onward, Step } from './next.ts';
import type { PaceKind } from './pace.ts';
import type { Requirement } from './demand.ts';
import type { IdentityHolder, PersonEvent, PersonState, TokenRecord } from './person.ts';
import type { PolicyEvent, PolicyState } from './policy-publication.ts';
import { type PromotionState, evolvePromotion } from './promotion.ts';
import type { PromotionEvent } from './promotion-event.ts';
import type { KeptArtifact, PrototypeEvent, PrototypeState } from './prototype.ts';
import type { Refusal } from './refusal.ts';
import type { WatchTurn } from './watch.ts';
import type { WorkspaceEvent, WorkspaceState } from './workspace.ts';

/** Everything a decision may look at: locked rows, loaded by the journal. No clock, no hash, no database in here. */
export interface Scene {
  /** The database's clock, read after the lock. */
  readonly now: number;
  readonly actor: PersonState;
  /** Who issued the token that the actor came with, when it was somebody else: they could be acting themselves. */
  readonly lentBy: PersonId | null;
  /** The token itself, which may be narrower than its person; null for whoever needs none. */
  readonly token: TokenRecord | null;
  /** How the actor came in. */
  readonly door: Door;
  /** Whether words of the actor's own come with the command; which ones, no decision asks. */
  readonly says: boolean;
  readonly authority: Authority;
  /** SHA-256 of a text; given, because this room imports nothing. */
  readonly digestOf: (text: string) => Digest;
  /** Time zones and recurring windows; given, for the same reason. */
  readonly calendar: Calendar;
  readonly promotion: PromotionState | null;
  /** Other open promotions of the same prototype; a newer candidate supersedes or waits for them. */
  readonly rivals: readonly PromotionState[];
  readonly lanes: { readonly staging: LaneState | null; readonly production: LaneState | null };
  readonly prototype: PrototypeState | null;
  readonly policy: PolicyState | null;
  /** All policies of the workspace, where one is published; empty elsewhere. */
  readonly policies: readonly PolicyState[];
  readonly person: PersonState | null;
  /** Whom the account of the command belongs to already; null where it is nobody's, or where there is none. */
  readonly holder: IdentityHolder | null;
  readonly workspace: WorkspaceState | null;
  /** What the workspace takes; null where the command takes nothing of it. */
  readonly usage: Usage | null;
  /** Who is known by which mark, of the marks that candidates of the prototype name; only an opening asks. */
  readonly authors: Readonly<Record<Digest, readonly PersonId[]>>;
  /** The files that the command names; null where it names none, or none that the prototype ever kept. */
  readonly artifact: KeptArtifact | null;
  /** Every voter at the gate, everyone who could be excluded, and who is behind the actor; current rights included. */
  readonly people: Readonly<Record<string, PersonState>>;
}

/** Those without whom the actor would not act: who answers for a machine, and who lent the token. */
export function behindIn({
  actor,
  lentBy,
  people,
}: Pick<Scene, 'actor' | 'lentBy' | 'people'>): readonly PersonState[] {
  return [actor.actsFor, lentBy].flatMap((id) => people[id ?? ''] ?? []);
}

/** Ability and separation together; built from CASL in the authority room. */
export interface Authority {
  /** True when this person's approval counts toward this requirement today. */
  readonly counts: (voter: PersonState, requirement: Requirement, ballot: Ballot) => boolean;
}

/** What a vote is about, as far as it matters to whether it counts. */
export interface Ballot extends Pick<PromotionState, 'exclusions' | 'policy'> {
  readonly prototype: string;
}

/** An event on its way into its stream. */
export type Draft =
  | { readonly stream: 'promotion'; readonly id: PromotionId; readonly event: PromotionEvent }
  | { readonly stream: 'lane'; readonly id: LaneId; readonly event: LaneEvent }
  | { readonly stream: 'prototype'; readonly id: PrototypeId; readonly event: PrototypeEvent }
  | { readonly stream: 'policy'; readonly id: string; readonly event: PolicyEvent }
  | { readonly stream: 'person'; readonly id: PersonId; readonly event: PersonEvent }
  | { readonly stream: 'workspace'; readonly id: string; readonly event: WorkspaceEvent };

/** What the asker learns when the answer is not no. */
export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'onward'; readonly onward: Onward }
  | {
      readonly kind: 'granted';
      readonly step: Step;
      readonly attempt: number;
      readonly fence: number;
      readonly laneFence: number | null;
      /** When this was decided, by the journal's clock. */
      readonly at: number;
    }
  | {
      readonly kind: 'steered';
      readonly weight: number;
      readonly laneFence: number;
      readonly going: boolean;
      /** How fast a person lets the canary climb; what the next look goes by. */
      readonly pace: PaceKind;
      /** When this was decided, by the journal's clock. */
      readonly at: number;
    }
  | { readonly kind: 'watching'; readonly turn: WatchTurn }
  | { readonly kind: 'decided'; readonly passed: boolean };

/** The outcome of a decision: events even with a refusal, since the first command after a deadline also records the expiry. */
export interface Decided {
  readonly drafts: readonly Draft[];
  readonly outcome: Answer | { readonly kind: 'refused'; readonly refusal: Refusal };
  /** Promotions whose workflow must look again. */
  readonly wakes: readonly PromotionId[];
  /** For so long the production share may be served from now on: judged on fresh data, or just granted; 0: no longer than before. */
  readonly leaseMs: number;
}

/** Collects the events of one decision and shows the states as they will be, so that later lines see earlier ones. */
export class Plan {
  readonly drafts: Draft[] = [];
  readonly wakes = new Set<PromotionId>();
  leaseMs = 0;
  promotion: PromotionState | null;
  lanes: { staging: LaneState | null; production: LaneState | null };
  /** When this is decided, by the journal's clock. */
  readonly now: number;

  constructor(scene: Scene) {
    this.promotion = scene.promotion;
    this.lanes = { ...scene.lanes };
    this.now = scene.now;
  }

  /** Appends events of the promotion in focus. */
  tell(id: PromotionId, ...events: readonly PromotionEvent[]): void {
    for (const event of events) {
      this.drafts.push({ stream: 'promotion', id, event });
      this.promotion = evolvePromotion(this.promotion, event, this.now);
    }
  }

  /** Asks a lane; its events join the plan, its refusal comes back and the caller decides what that means. */
  ask(environment: Environment, asked: LaneMove): Refusal | null {
    const lane = this.lanes[environment];
    if (lane === null) throw new Error(`invariant broken: no ${environment} lane in the scene`);
    const decided = decideLane(lane, asked);
    if (isRefusal(decided)) return decided;
    for (const event of decided) this.laneTold(environment, event);
    return null;
  }

  /** Appends an event of a lane; a freed lane wakes the first in its queue within the same transaction. */
  laneTold(environment: Environment, event: LaneEvent): void {
    const lane = this.lanes[environment];
    const id = event.kind === 'lane_opened' ? event.lane : lane?.id;
    if (id === undefined) throw new Error(`invariant broken: no ${environment} lane in the scene`);
    this.drafts.push({ stream: 'lane', id, event });
    const after = evolveLane(lane, event, this.now);
    this.lanes[environment] = after;
    const freed = event.kind === 'lane_released' || event.kind === 'lane_resumed';
    const first = after.owner ?? after.queue[0];
    if (freed && first !== undefined) this.wakes.add(first);
  }

  /** Ends the plan with an answer. */
  answer(answer: Answer): Decided {
    return { drafts: this.drafts, outcome: answer, wakes: [...this.wakes], leaseMs: this.leaseMs };
  }

  /** Ends the plan with a no; what was told before it, such as an expiry, stays told. */
  refuse(refusal: Refusal): Decided {
    return { drafts: this.drafts, outcome: { kind: 'refused', refusal }, wakes: [...this.wakes], leaseMs: 0 };
  }
}

/** Tells a refusal from a list of events. */
export function isRefusal(value: Refusal | readonly unknown[]): value is Refusal {
  return !Array.isArray(value);
}
