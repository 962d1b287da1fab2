import {
  type Configuration,
  type ConfigurationCommand,
  type ConfigurationEvent,
  decideConfiguration,
  emptyConfiguration,
  evolveConfiguration,
  isConfigurationEvent,
} from './configuration.ts';
import type { Digest, LaneId, PersonId, PromotionId, PrototypeId, ReleaseId } from './id.ts';
import { type Refusal, invariant, refusal } from './refusal.ts';

/** Where a lane lives. Staging rehearses, production serves users. */
export const environments = ['staging', 'production'] as const;
/** One of them. */
export type Environment = (typeof environments)[number];

/** A share between 0 and 100 lapses by itself after this long on the edge's monotonic clock: a dead judge must not leave a canary serving. */
export const leaseMs = 30_000;

/** A candidate as it is, or was, placed in a lane. */
export interface Release {
  readonly id: ReleaseId;
  readonly promotion: PromotionId;
  readonly artifact: Digest;
  /** The sources it was built from, which hold its contract; absent when they are what runs. */
  readonly source?: Digest;
  readonly version: string;
}

/**
 * Grows with every change of traffic; the incarnation grows when a database was restored from a backup. The counter grows
 * then too, above the one that was seen, so that whoever compares counters alone is right as well.
 */
export interface Fence {
  readonly incarnation: number;
  readonly counter: number;
}

/**
 * How far ahead of the row an edge's fence is believed: more restored backups, or more changes of one lane since the
 * backup, than any deployment has. An edge that lies moves a lane by this much at most, so no number ever runs out.
 */
export const fenceAheadMax: Fence = { incarnation: 1_000, counter: 1_000_000 };

/** Why a lane refuses forward moves until a person resumes it. */
export interface Hold {
  readonly reason: 'rolled_back' | 'person' | 'waiver_ended' | 'retired' | 'demoted' | 'watch';
  readonly by: PersonId;
  readonly at: number;
}

/** One prototype in one environment: what serves, what is tried, with which share, and who may change it. */
export interface LaneState {
  readonly id: LaneId;
  readonly prototype: PrototypeId;
  readonly environment: Environment;
  readonly host: string;
  readonly stable: Release | null;
  /** What served before `stable`, so that a live release can still be rolled back. */
  readonly previous: Release | null;
  readonly canary: Release | null;
  /** Percent of units that go to the canary. Invariant I5: between 0 and 100 only while a promotion owns the lane. */
  readonly weight: number;
  readonly fence: Fence;
  readonly hold: Hold | null;
  readonly owner: PromotionId | null;
  readonly queue: readonly PromotionId[];
  /** The promotion whose broken glass nobody has reviewed yet; while there is one, no other is broken here. */
  readonly reviewOwed?: PromotionId | null;
  /** Absent until somebody configures the lane: rows from before have none. Ask `configurationOf`. */
  readonly configuration?: Configuration;
}

/** What may happen to a lane. Every event that changes traffic carries nothing but the change: the fence is counted by the fold. */
export type LaneEvent =
  | ConfigurationEvent
  | {
      readonly kind: 'lane_opened';
      readonly v: 1;
      readonly lane: LaneId;
      readonly prototype: PrototypeId;
      readonly environment: Environment;
      readonly host: string;
    }
  | { readonly kind: 'lane_acquired'; readonly v: 1; readonly promotion: PromotionId }
  | { readonly kind: 'lane_queued'; readonly v: 1; readonly promotion: PromotionId }
  | { readonly kind: 'lane_released'; readonly v: 1; readonly promotion: PromotionId }
  | { readonly kind: 'release_deployed'; readonly v: 1; readonly release: Release }
  | { readonly kind: 'weight_set'; readonly v: 1; readonly percent: number }
  | { readonly kind: 'release_settled'; readonly v: 1; readonly release: ReleaseId }
  | { readonly kind: 'release_withdrawn'; readonly v: 1; readonly release: ReleaseId }
  | { readonly kind: 'stable_restored'; readonly v: 1; readonly release: Release | null }
  | { readonly kind: 'lane_held'; readonly v: 1; readonly reason: Hold['reason']; readonly by: PersonId }
  | { readonly kind: 'lane_resumed'; readonly v: 1; readonly by: PersonId }
  | { readonly kind: 'review_owed'; readonly v: 1; readonly promotion: PromotionId }
  | { readonly kind: 'glass_reviewed'; readonly v: 1; readonly promotion: PromotionId; readonly by: PersonId }
  | { readonly kind: 'release_retired'; readonly v: 1; readonly by: PersonId }
  | { readonly kind: 'incarnation_raised'; readonly v: 1; readonly fence: Fence; readonly edge: PersonId };

/** What a promotion, a person or the keeper asks of a lane. */
export type LaneMove =
  | { readonly move: 'acquire'; readonly promotion: PromotionId }
  | { readonly move: 'release'; readonly promotion: PromotionId }
  | { readonly move: 'deploy'; readonly promotion: PromotionId; readonly release: Release }
  | { readonly move: 'weigh'; readonly promotion: PromotionId; readonly percent: number }
  | { readonly move: 'settle'; readonly promotion: PromotionId }
  | { readonly move: 'withdraw'; readonly promotion: PromotionId }
  | { readonly move: 'restore'; readonly promotion: PromotionId }
  | { readonly move: 'hold'; readonly reason: Hold['reason']; readonly by: PersonId }
  | { readonly move: 'resume'; readonly by: PersonId }
  | { readonly move: 'owe_review'; readonly promotion: PromotionId }
  | { readonly move: 'review'; readonly promotion: PromotionId; readonly by: PersonId }
  | { readonly move: 'retire'; readonly by: PersonId }
  | { readonly move: 'configure'; readonly command: ConfigurationCommand; readonly by: PersonId }
  | { readonly move: 'raise'; readonly seen: Fence; readonly edge: PersonId };

/** Folds one event into a lane. */
export function evolveLane(state: LaneState | null, event: LaneEvent, at: number): LaneState {
  if (event.kind === 'lane_opened') {
    return {
      id: event.lane,
      prototype: event.prototype,
      environment: event.environment,
      host: event.host,
      stable: null,
      previous: null,
      canary: null,
      weight: 0,
      fence: { incarnation: 1, counter: 0 },
      hold: null,
      owner: null,
      queue: [],
    };
  }
  invariant(state !== null, `${event.kind} on a lane that was never opened`);
  // No change of traffic: who is served by what with which share stays, and so does the fence.
  if (isConfigurationEvent(event))
    return { ...state, configuration: evolveConfiguration(configurationOf(state), event, at) };
  switch (event.kind) {
    case 'lane_acquired':
      return { ...state, owner: event.promotion, queue: state.queue.filter((waiting) => waiting !== event.promotion) };
    case 'lane_queued':
      return { ...state, queue: [...state.queue, event.promotion] };
    case 'lane_released':
      return {
        ...state,
        owner: state.owner === event.promotion ? null : state.owner,
        queue: state.queue.filter((waiting) => waiting !== event.promotion),
      };
    case 'lane_held':
      return { ...state, hold: { reason: event.reason, by: event.by, at } };
    case 'lane_resumed':
      return { ...state, hold: null };
    case 'review_owed':
      return { ...state, reviewOwed: event.promotion };
    case 'glass_reviewed':
      return { ...state, reviewOwed: null };
    case 'incarnation_raised':
      return { ...state, fence: event.fence };
    default:
      return { ...traffic(state, event), fence: { ...state.fence, counter: state.fence.counter + 1 } };
  }
}

type TrafficEvent = Extract<
  LaneEvent,
  {
    kind:
      | 'release_deployed'
      | 'weight_set'
      | 'release_settled'
      | 'release_withdrawn'
      | 'stable_restored'
      | 'release_retired';
  }
>;

function traffic(state: LaneState, event: TrafficEvent): LaneState {
  switch (event.kind) {
    case 'release_deployed':
      return { ...state, canary: event.release, weight: 0 };
    case 'weight_set':
      return { ...state, weight: event.percent };
    case 'release_settled':
      return { ...state, previous: state.stable, stable: state.canary, canary: null, weight: 0 };
    case 'release_withdrawn':
      return { ...state, canary: null, weight: 0 };
    case 'release_retired':
      return { ...state, stable: null, previous: null, canary: null, weight: 0 };
    case 'stable_restored':
      return { ...state, stable: event.release, previous: null, canary: null, weight: 0 };
  }
}

/**
 * Decides one move. A move that lowers the weight or restores stable is never refused to the owner, held or not:
 * safety must not depend on anything that could be in the way.
 */
export function decideLane(state: LaneState, asked: LaneMove): readonly LaneEvent[] | Refusal {
  switch (asked.move) {
    case 'acquire':
      return acquire(state, asked.promotion);
    case 'release':
      return state.owner === asked.promotion || state.queue.includes(asked.promotion)
        ? [{ kind: 'lane_released', v: 1, promotion: asked.promotion }]
        : [];
    case 'hold':
      return state.hold === null ? [{ kind: 'lane_held', v: 1, reason: asked.reason, by: asked.by }] : [];
    case 'resume':
      return state.hold === null ? [] : [{ kind: 'lane_resumed', v: 1, by: asked.by }];
    case 'configure':
      return decideConfiguration(configurationOf(state), asked.command, asked.by);
    case 'restore':
      return restore(state, asked.promotion);
    case 'raise':
      return raise(state, asked);
    case 'owe_review':
      return [{ kind: 'review_owed', v: 1, promotion: asked.promotion }];
    case 'review':
      return [{ kind: 'glass_reviewed', v: 1, promotion: asked.promotion, by: asked.by }];
    case 'retire':
      return retire(state, asked.by);
    default:
      return state.owner === asked.promotion ? change(state, asked) : notOwned(state, asked);
  }
}

function acquire(state: LaneState, promotion: PromotionId): readonly LaneEvent[] | Refusal {
  if (state.owner === promotion) return [];
  const first = state.queue[0] ?? promotion;
  const free = state.owner === null && state.hold === null && first === promotion;
  if (free) return [{ kind: 'lane_acquired', v: 1, promotion }];
  return state.queue.includes(promotion) ? [] : [{ kind: 'lane_queued', v: 1, promotion }];
}

type OwnersMove = Extract<LaneMove, { move: 'deploy' | 'weigh' | 'settle' | 'withdraw' }>;

function change(state: LaneState, asked: OwnersMove): readonly LaneEvent[] | Refusal {
  switch (asked.move) {
    case 'deploy':
      if (state.hold !== null) return refusal('lane_held', 'the lane is held until a person resumes it');
      return state.canary?.id === asked.release.id ? [] : [{ kind: 'release_deployed', v: 1, release: asked.release }];
    case 'weigh':
      if (asked.percent === state.weight) return [];
      if (asked.percent > state.weight && state.hold !== null)
        return refusal('lane_held', 'the lane is held until a person resumes it');
      invariant(state.canary !== null || asked.percent === 0, 'a weight needs a canary');
      return [{ kind: 'weight_set', v: 1, percent: asked.percent }];
    case 'settle':
      invariant(state.canary !== null, 'only a canary can settle');
      return [{ kind: 'release_settled', v: 1, release: state.canary.id }];
    case 'withdraw':
      return state.canary === null ? [] : [{ kind: 'release_withdrawn', v: 1, release: state.canary.id }];
  }
}

/** The owner lost the lane: lowering is then already done by whoever took it, anything else is refused. */
function notOwned(state: LaneState, asked: OwnersMove): readonly LaneEvent[] | Refusal {
  const lowering = asked.move === 'withdraw' || (asked.move === 'weigh' && asked.percent === 0);
  if (lowering) return [];
  return refusal(
    'lane_not_owned',
    `expected to own the lane, ${state.owner === null ? 'nobody does' : 'another promotion does'}`,
  );
}

function restore(state: LaneState, promotion: PromotionId): readonly LaneEvent[] | Refusal {
  if (state.stable?.promotion !== promotion)
    return refusal('nothing_to_roll_back', 'this release does not serve the lane');
  return [{ kind: 'stable_restored', v: 1, release: state.previous }];
}

/** Nobody is served any more, and nothing new comes before a person says so. What is on its way is stopped first. */
function retire(state: LaneState, by: PersonId): readonly LaneEvent[] | Refusal {
  if (state.owner !== null)
    return refusal('lane_busy', 'a version is on its way to users here: cancel it or roll it back first');
  if (state.stable === null) return refusal('nothing_live', 'expected a version that is live, got none');
  const held: LaneEvent = { kind: 'lane_held', v: 1, reason: 'retired', by };
  return [{ kind: 'release_retired', v: 1, by }, ...(state.hold === null ? [held] : [])];
}

/**
 * An edge has seen a newer fence than this row holds: the row comes from a backup. Edges would ignore what it says, so it
 * goes on above what was seen. Traffic is left as it is; a share between 0 and 100 needs a fresh judge, see the journal.
 */
function raise(state: LaneState, { seen, edge }: Extract<LaneMove, { move: 'raise' }>): readonly LaneEvent[] | Refusal {
  if (!isNewerFence(seen, state.fence)) return [];
  const [incarnations, changes] = [seen.incarnation - state.fence.incarnation, seen.counter - state.fence.counter];
  if (incarnations > fenceAheadMax.incarnation || changes > fenceAheadMax.counter)
    return refusal(
      'too_large',
      `expected a fence at most ${fenceAheadMax.incarnation} incarnations and ${fenceAheadMax.counter} changes ahead, got ${incarnations} and ${changes}`,
    );
  const fence = { incarnation: seen.incarnation + 1, counter: Math.max(seen.counter, state.fence.counter) + 1 };
  return [{ kind: 'incarnation_raised', v: 1, fence, edge }];
}

/** What the lane gives to its releases. */
export function configurationOf(lane: Pick<LaneState, 'configuration'>): Configuration {
  return lane.configuration ?? emptyConfiguration;
}

/** Which of two fences is newer: first by incarnation, then by counter. */
export function isNewerFence(fence: Fence, than: Fence): boolean {
  return (fence.incarnation - than.incarnation || fence.counter - than.counter) > 0;
}

/** True when users are served by this share only as long as a judge keeps renewing it. */
export function needsLease(lane: LaneState): boolean {
  return lane.weight > 0 && lane.weight < 100;
}
