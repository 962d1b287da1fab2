import type { LaneState } from './lane.ts';
import type { PromotionState } from './promotion.ts';
import type { EvidenceRef, Reason } from './verdict.ts';
import { type WatchAction, type WatchCheck, watchChecks } from './watch-rule.ts';

/** How a check of a live release stands. No data is `unseen`: never well, and no breach either. */
export const watchStandings = ['well', 'breached', 'unseen'] as const;
/** One of them. */
export type WatchStanding = (typeof watchStandings)[number];

/** Where an edge's counters stood, so that the next look counts what came after this one. */
export interface WatchCounts {
  /** Which counters: those of another start of the edge, or under another fence, cannot be subtracted. */
  readonly source: string;
  readonly requests: number;
  readonly bad: number;
}

/** What one check of a live release found last. */
export interface WatchSeen {
  readonly check: WatchCheck;
  /** Numbered from 1: a report about an older round is refused. */
  readonly round: number;
  readonly at: number;
  readonly standing: WatchStanding;
  /** What was measured; null when it could not be. */
  readonly figure: number | null;
  readonly reasons: readonly Reason[];
  readonly evidence: readonly EvidenceRef[];
  /** Since when it is breached; a look that sees nothing does not end a breach. */
  readonly breachedSince: number | null;
  /** What was done about this breach; null when it is none. */
  readonly action: WatchAction | null;
  readonly counts?: WatchCounts;
}

/** One look as an entry. */
export interface WatchReported extends Omit<WatchSeen, 'at' | 'breachedSince'> {
  readonly kind: 'watch_reported';
  readonly v: 1;
}

/** Everything that was seen of a live release, by check. */
export type WatchState = Readonly<Partial<Record<WatchCheck, WatchSeen>>>;

/** What a look at one check should do now. */
export type WatchTurn =
  | { readonly kind: 'look'; readonly round: number }
  /** Not yet, or never under this policy. */
  | { readonly kind: 'rest'; readonly until: number | null }
  /** The release serves nobody any more, or never did: there is nothing to watch. */
  | { readonly kind: 'over' };

/** Whose turn it is, from the state alone: two who ask at once get the same round, and the first report ends it. */
export function watchTurn(
  state: PromotionState,
  lane: LaneState | null,
  asked: { readonly check: WatchCheck; readonly now: number },
): WatchTurn {
  if (state.outcome !== 'live' || lane?.stable?.promotion !== state.id) return { kind: 'over' };
  const rule = state.policy.watch;
  if (rule?.[asked.check] === undefined) return { kind: 'rest', until: null };
  const seen = state.watch?.[asked.check];
  // Half the time: a Schedule fires a little early or late, and after an outage more than once.
  const due = seen === undefined ? asked.now : seen.at + rule.everyMs / 2;
  return due > asked.now ? { kind: 'rest', until: due } : { kind: 'look', round: (seen?.round ?? 0) + 1 };
}

/** Folds one look. */
export function evolveWatch(watch: WatchState | undefined, event: WatchReported, at: number): WatchState {
  const { kind: _kind, v: _v, ...seen } = event;
  const before = watch?.[event.check]?.breachedSince ?? null;
  const since = { well: null, breached: before ?? at, unseen: before };
  return { ...watch, [event.check]: { ...seen, at, breachedSince: since[event.standing] } };
}

/** When it was looked at last and will be next; null where it is not watched, or not any more. */
export function watchTimes(
  state: PromotionState,
  serves: boolean,
): { readonly last: number | null; readonly next: number | null } {
  const rule = state.policy.watch;
  const looks = seenOf(state).map(({ at }) => at);
  const last = looks.length === 0 ? null : Math.max(...looks);
  const goesOn = rule !== undefined && serves && state.outcome === 'live';
  return { last, next: goesOn ? (last ?? state.endedAt ?? state.openedAt) + rule.everyMs : null };
}

/** The newest look at each check, in the order of a round. */
export function seenOf({ watch }: Pick<PromotionState, 'watch'>): readonly WatchSeen[] {
  return watchChecks.flatMap((check) => watch?.[check] ?? []);
}

/** What is breached as far as anybody knows. */
export function breachesOf(state: Pick<PromotionState, 'watch'>): readonly WatchSeen[] {
  return seenOf(state).filter(({ breachedSince }) => breachedSince !== null);
}

/** The look that took the release from its users; absent when a person did, or the judge of its canary. */
export function takenBackBy(state: Pick<PromotionState, 'watch'>): WatchSeen | undefined {
  return seenOf(state).find(({ action }) => action === 'demote' || action === 'rollback');
}
