import type { GateState } from './gate.ts';
import { currentGate } from './next.ts';
import type { PromotionState } from './promotion.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Reason } from './verdict.ts';
import type { WorkspaceState } from './workspace.ts';

/** What one workspace may take of a machine that it shares with others. */
export interface Limits {
  /** Files of all versions that are kept, and all evidence. */
  readonly diskBytesMax: number;
  /** The files of one version. */
  readonly uploadBytesMax: number;
  /** Each has two lanes, and with them up to four releases that run. */
  readonly prototypesMax: number;
  /** Gates that run a candidate's own code: build, evaluation and staging, of all promotions together. */
  readonly runsAtOnceMax: number;
  /** Builds that may begin from one midnight to the next, in UTC; what is tried again counts again. */
  readonly buildsPerDayMax: number;
  /** Files of versions that nothing needs any more are kept this long. */
  readonly retentionDays: number;
}

/** One of them by name. */
export type LimitName = keyof Limits;

const mebibyte = 1024 * 1024;

/** Safe for a small machine with a handful of workspaces; an operator sets others. */
export const defaultLimits: Limits = {
  diskBytesMax: 5 * 1024 * mebibyte,
  uploadBytesMax: 300 * mebibyte,
  prototypesMax: 100,
  runsAtOnceMax: 3,
  // A build takes minutes, so three at once never come to this: it bounds what builds leave behind as evidence.
  buildsPerDayMax: 1_000,
  retentionDays: 30,
};

/** What an operator may choose. Nothing may be 0 but the retention: a workspace that takes nothing is closed otherwise. */
export const limitBounds: Readonly<Record<LimitName, { readonly min: number; readonly max: number }>> = {
  diskBytesMax: { min: mebibyte, max: 100 * 1024 * 1024 * mebibyte },
  // The intake itself takes no more than this, whoever asks.
  uploadBytesMax: { min: 1024, max: 300 * mebibyte },
  prototypesMax: { min: 1, max: 2_000 },
  runsAtOnceMax: { min: 1, max: 100 },
  buildsPerDayMax: { min: 1, max: 100_000 },
  retentionDays: { min: 0, max: 3_650 },
};

/** What a workspace takes at the moment, counted under the lock of its row. */
export interface Usage {
  readonly diskBytes: number;
  readonly prototypes: number;
  readonly runs: number;
  /** Builds begun since midnight, and when the day ends by the same clock. */
  readonly builds: number;
  readonly dayEndsAt: number;
  /** Promotions that wait for a place and are older than the one that asks. */
  readonly waitingBefore: number;
}

/** The limits in force: what an operator has set, and the defaults for the rest. */
export function limitsOf(workspace: Pick<WorkspaceState, 'limits'> | null): Limits {
  return { ...defaultLimits, ...workspace?.limits };
}

/** What is wrong with limits that somebody wants to set; null when nothing is. */
export function limitsProblem(limits: Partial<Limits>): string | null {
  for (const [name, { min, max }] of Object.entries(limitBounds)) {
    const value = limits[name as LimitName];
    if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) continue;
    return `expected ${name} to be a whole number from ${min} to ${max}, got ${value}`;
  }
  return null;
}

/** The no to one more version: too large by itself, or no room for it. */
export function noRoom(limits: Limits, usage: Pick<Usage, 'diskBytes'>, bytes: number): Refusal | null {
  if (bytes > limits.uploadBytesMax)
    return refusal(
      'too_large',
      `expected at most ${bytesWords(limits.uploadBytesMax)} in one version, got ${bytesWords(bytes)}: leave out what is not needed to run, or ask an operator to raise the limit`,
      { rule: 'limits/uploadBytesMax', whoCan: ['role/operator'] },
    );
  const after = usage.diskBytes + bytes;
  if (after <= limits.diskBytesMax) return null;
  return refusal(
    'quota_reached',
    `this workspace keeps ${bytesWords(usage.diskBytes)} of ${bytesWords(limits.diskBytesMax)}, and this version needs ${bytesWords(bytes)}: an operator raises the limit or shortens the retention`,
    { rule: 'limits/diskBytesMax', whoCan: ['role/operator'] },
  );
}

/** The no to one more prototype. */
export function noLanes(limits: Limits, usage: Pick<Usage, 'prototypes'>): Refusal | null {
  if (usage.prototypes < limits.prototypesMax) return null;
  return refusal(
    'quota_reached',
    `this workspace has ${usage.prototypes} of ${limits.prototypesMax} prototypes: an operator raises the limit`,
    { rule: 'limits/prototypesMax', whoCan: ['role/operator'] },
  );
}

/** True while there is no place to run one more candidate, or an older promotion has a better claim to it. */
export function noPlace(limits: Limits, usage: Pick<Usage, 'runs' | 'waitingBefore'>): boolean {
  return usage.runs + usage.waitingBefore >= limits.runsAtOnceMax;
}

/** True while the workspace has begun as many builds today as it may. */
export function noBuild(limits: Limits, usage: Pick<Usage, 'builds'>): boolean {
  return usage.builds >= limits.buildsPerDayMax;
}

/** The no to a build in a workspace that is full already: what comes out of it would be kept too. */
export function noRoomToBuild(limits: Limits, usage: Pick<Usage, 'diskBytes'>): Reason | null {
  if (usage.diskBytes < limits.diskBytesMax) return null;
  const message = `this workspace keeps ${bytesWords(usage.diskBytes)} of ${bytesWords(limits.diskBytesMax)}, so nothing more is built: an operator raises the limit or shortens the retention, then run this check again`;
  return { code: 'quota_reached', message };
}

const placedGates: ReadonlySet<string> = new Set(['build', 'evaluation', 'staging']);

/** True for the steps that need a place, because they run a candidate's own code. */
export function needsPlace(step: string): boolean {
  return placedGates.has(step);
}

/** The reason that a gate carries while it waits for a place. */
export const awaitingPlace = 'limit_reached';

/** What an open promotion holds: a place, a wish for one, a build put off to another day, or none of them. */
export type Place = 'running' | 'waiting' | 'postponed';

/** What lists count by. */
export function placeOf(state: PromotionState): Place | null {
  if (state.outcome !== null || state.undo !== null) return null;
  const gate = currentGate(state);
  if (gate === null || !needsPlace(gate.name)) return null;
  if (gate.status === 'claimed') return 'running';
  if (isPostponed(gate)) return 'postponed';
  return isAwaitingPlace(gate) ? 'waiting' : null;
}

/** True when the gate has been told that no place is free. */
export function isAwaitingPlace(gate: GateState): boolean {
  return gate.reasons.some(({ code }) => code === awaitingPlace);
}

/** True when the build has been told to wait for another day; it is in nobody's way to a place meanwhile. */
export function isPostponed(gate: GateState): boolean {
  return gate.reasons.some(({ code }) => code === 'build_postponed');
}

/** `5.0 GB`, as people say sizes, in units of 1024. */
export function bytesWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value.toFixed(1)} ${units[unit]}`;
}
