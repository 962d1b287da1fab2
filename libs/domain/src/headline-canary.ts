import { durationWords, momentWords, type Reading } from './headline-words.ts';
import { leaseMs } from './lane.ts';
import { pinnedRule } from './policy.ts';
import type { PromotionState } from './promotion.ts';

/** What the newest look of the canary's judge says, for whoever puts it in words. */
export interface CanarySight {
  /** When it was taken, and the share it was taken under. */
  readonly at: number;
  readonly weight: number;
  readonly units: number;
  readonly finding: 'healthy' | 'suspicious' | 'quiet' | 'missing';
  /** When counts last came; null before the first. */
  readonly countedAt: number | null;
  /** Since when this share is served; null until the edge was seen serving it. */
  readonly weightSince: number | null;
}

/** A canary in one sentence. Nothing counted is not yet healthy: no data is never good news. */
export function canaryWords(state: PromotionState, sight: CanarySight | null, reading: Reading): string {
  const { weight } = state;
  const units = sight?.units ?? 0;
  if (weight === 0) return units === 0 ? 'Starting: no user is on it yet.' : 'No user is on it at the moment.';
  const live = `Live for ${weight} % of users`;
  if (sight === null) return `${live}, nothing counted yet.`;
  const missing = missingSince(state, sight, reading);
  if (missing !== null)
    return `Metrics are missing since ${momentWords(missing, reading)}: not counted as healthy, step is held.`;
  const next = nextStepWords(state, sight, reading);
  switch (sight.finding) {
    case 'quiet':
      return 'Nobody comes to it at the moment: not counted as healthy, step is held.';
    case 'suspicious':
      return `${live}, with signs that it is worse (n = ${units}): step is held until it is clear.`;
    default:
      return units === 0 ? `${live}, nothing counted yet.${next}` : `${live}, healthy so far (n = ${units}).${next}`;
  }
}

/**
 * Since when nobody sees how the canary does. A look that brought no counts says so; a judge that fell silent cannot,
 * so silence for longer than a lease says it too.
 */
function missingSince(state: PromotionState, sight: CanarySight, { now }: Reading): number | null {
  const { lookMs } = pinnedRule(state.policy, 'canary');
  const silent = now - sight.at > Math.max(leaseMs, 2 * lookMs);
  return sight.finding === 'missing' || silent ? (sight.countedAt ?? sight.at) : null;
}

/** Told only while it is known: the last share needs proof, which has no clock, and so has everyone's share. */
function nextStepWords(state: PromotionState, sight: CanarySight, { now }: Reading): string {
  const { weights, dwellMs } = pinnedRule(state.policy, 'canary');
  const higher = weights.find((weight) => weight > state.weight);
  const known = sight.weight === state.weight && sight.weightSince !== null && higher !== undefined && higher < 100;
  if (!known) return '';
  const leftMs = sight.weightSince + dwellMs - now;
  if (leftMs <= 0) return '';
  return leftMs < 60_000 ? ' Next step within a minute.' : ` Next step in ${durationWords(leftMs)}.`;
}
