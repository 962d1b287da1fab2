import { aboutWords, durationWords, momentWords, type Reading, rateWords } from './headline-words.ts';
import { leaseMs } from './lane.ts';
import { paceOf } from './pace.ts';
import { pinnedRule } from './policy.ts';
import { gateIn, type PromotionState } from './promotion.ts';

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
  /** Visitors of the canary that its proof still needs; 0 when it is proven, null when such traffic never proves it. */
  readonly needed: number | null;
  /** How many of them came in a minute lately, under this share; null while it is not known. */
  readonly perMinute: number | null;
  /** Why metrics had no values, in words; nothing when all had some. */
  readonly gaps?: readonly string[] | null;
}

/** How much longer a canary takes, as far as it can be told from who comes. */
export interface Outlook {
  readonly needed: number;
  readonly perMinute: number | null;
  /** When the last of them will have come, if they come as they do; null while nobody knows how fast they come. */
  readonly at: number | null;
  /** When a person is asked, proven or not. */
  readonly deadline: number;
}

/** A canary in one sentence. Nothing counted is not yet healthy: no data is never good news. */
export function canaryWords(state: PromotionState, sight: CanarySight | null, reading: Reading): string {
  const { weight } = state;
  const units = sight?.units ?? 0;
  if (weight === 0) return units === 0 ? 'Starting: no user is on it yet.' : 'No user is on it at the moment.';
  const live = `Live for ${weight} % of users`;
  const pace = paceWords(state, reading);
  if (sight === null) return `${live}, nothing counted yet.${pace}`;
  const missing = missingSince(state, sight, reading);
  if (missing !== null)
    return `Metrics are missing since ${momentWords(missing, reading)}${gapWords(sight)}: not counted as healthy, step is held.${pace}`;
  const next = `${paceOf(state) === 'usual' ? nextStepWords(state, sight, reading) : pace}${outlookWords(state, sight, reading)}`;
  switch (sight.finding) {
    case 'quiet':
      return `Nobody comes to it at the moment: not counted as healthy, step is held.${pace}${quietWords(state, sight, reading)}`;
    case 'suspicious':
      return `${live}, with signs that it is worse (n = ${units}): step is held until it is clear.${pace}`;
    default:
      return units === 0 ? `${live}, nothing counted yet.${next}` : `${live}, healthy so far (n = ${units}).${next}`;
  }
}

/** What is in the way, for whoever can mend it. */
function gapWords({ gaps }: CanarySight): string {
  return gaps == null || gaps.length === 0 ? '' : ` (${gaps.join('; ')})`;
}

/** How much longer it takes; null when it is proven, not under way, or nothing is known of who comes. */
export function outlookOf(state: PromotionState, sight: CanarySight | null, now: number): Outlook | null {
  if (gateIn(state, 'canary').status !== 'claimed' || sight === null || sight.units === 0 || !sight.needed) return null;
  const { needed, weight } = sight;
  const perMinute = weight === state.weight && sight.perMinute !== null && sight.perMinute > 0 ? sight.perMinute : null;
  const minutes = perMinute === null ? Number.POSITIVE_INFINITY : needed / perMinute;
  const at = minutes > minutesMax ? null : Math.max(now, sight.at + minutes * minuteMs);
  return { needed, perMinute, at, deadline: deadlineOf(state) };
}

const minuteMs = 60_000;
/** A year: nobody plans a canary further ahead, and the estimate means nothing there. */
const minutesMax = 365 * 24 * 60;

function outlookWords(state: PromotionState, sight: CanarySight, reading: Reading): string {
  const outlook = outlookOf(state, sight, reading.now);
  if (outlook === null) return hopelessWords(state, sight, reading);
  const { needed, perMinute, at, deadline } = outlook;
  const visitors = needed === 1 ? '1 more visitor' : `about ${aboutWords(needed)} more visitors`;
  if (perMinute === null || at === null)
    return ` It needs ${visitors} to be proven; if it is not by ${momentWords(deadline, reading)}, a person is asked.`;
  const when = at - reading.now < minuteMs ? 'within a minute' : `at about ${momentWords(at, reading)}`;
  const late =
    at > deadline ? ` (after the deadline at ${momentWords(deadline, reading)}: a person will be asked)` : '';
  return ` It needs ${visitors} to be proven: at the present ${rateWords(perMinute)} that is ${when}${late}.`;
}

/** Without an end in sight people learn when they will be asked, and nothing is made up. */
function hopelessWords(state: PromotionState, { needed, units }: CanarySight, reading: Reading): string {
  return needed === null && units > 0
    ? ` It cannot be told yet how many more visitors prove it: ${askedWords(state, reading)}`
    : '';
}

/** Where few come, some looks in a row see nobody and all is as expected. */
function quietWords(state: PromotionState, sight: CanarySight, reading: Reading): string {
  const comes = outlookOf(state, sight, reading.now)?.at != null;
  return comes ? outlookWords(state, sight, reading) : ` If that stays so, ${askedWords(state, reading)}`;
}

function askedWords(state: PromotionState, reading: Reading): string {
  return `a person is asked at ${momentWords(deadlineOf(state), reading)}.`;
}

/** Counted from the claim, as the worker does. */
function deadlineOf(state: PromotionState): number {
  return gateIn(state, 'canary').since + pinnedRule(state.policy, 'canary').deadlineMs;
}

/** A person's hand on the ramp. The last step below everybody needs no proof, only that nothing speaks against it. */
function paceWords(state: PromotionState, reading: Reading): string {
  const { pace } = gateIn(state, 'canary');
  if (pace == null || paceOf(state) === 'usual') return '';
  const at = momentWords(pace.at, reading);
  return pace.kind === 'paused'
    ? ` Paused since ${at} by a person.`
    : ` Advanced at ${at} by a person: next step as soon as nothing speaks against it.`;
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
