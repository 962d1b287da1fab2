import { type GateState, isBlocked } from './gate.ts';
import { currentGate } from './next.ts';
import type { GateName } from './policy.ts';
import { pinnedRule } from './policy.ts';
import type { PromotionState } from './promotion.ts';
import type { Requirement, Tally } from './quorum.ts';
import type { Reason } from './verdict.ts';

/** Where a promotion stands, in the words every surface shows. Waiting for a person is not "queued". */
export const promotionStates = [
  'queued',
  'running',
  'waiting_for_human',
  'blocked',
  'inconclusive',
  'rejected',
  'expired',
  'superseded',
  'cancelled',
  'canary',
  'live',
  'rolled_back',
  'held',
] as const;
/** One of them. */
export type PromotionStanding = (typeof promotionStates)[number];

/** What a builder reads first: the state, one sentence, and what is in the way. */
export interface Headline {
  readonly state: PromotionStanding;
  readonly sentence: string;
  readonly at: GateName | null;
  readonly blockers: readonly Reason[];
}

/** What the sentence may need beyond the promotion itself. */
export interface HeadlineFacts {
  readonly tally: Tally | null;
  readonly laneHeld: boolean;
  readonly laneBusy: boolean;
  /** Version that serves users, if any. */
  readonly liveVersion: string | null;
  readonly units: number | null;
}

/** Says where a promotion stands. Pure, so that the same facts read the same on every surface. */
export function headline(state: PromotionState, facts: HeadlineFacts): Headline {
  const gate = currentGate(state);
  const at = gate?.name ?? null;
  if (state.outcome !== null) return { ...ended(state, facts), at };
  if (state.undo !== null)
    return {
      state: 'rolled_back',
      sentence: 'Rolling back: no user is on this version any more, tidying up.',
      at,
      blockers: gate?.reasons ?? [],
    };
  if (gate === null) return { state: 'running', sentence: 'All gates have passed, going live.', at, blockers: [] };
  return { ...underway(state, gate, facts), at };
}

type Said = Omit<Headline, 'at'>;

function ended(state: PromotionState, facts: HeadlineFacts): Said {
  const reasons = state.gates.flatMap((gate) => (isBlocked(gate.status) ? gate.reasons : []));
  const users = facts.liveVersion === null ? 'nobody is served' : `users are on ${facts.liveVersion}`;
  switch (state.outcome) {
    case 'live':
      return { state: 'live', sentence: `Live: ${state.candidate.version} serves everyone.`, blockers: [] };
    case 'rolled_back': {
      const why = reasons[0] === undefined ? ' by a person' : `: ${reasons[0].message}`;
      return { state: 'rolled_back', sentence: `Rolled back${why}. Now ${users}.`, blockers: reasons };
    }
    case 'rejected':
      return { state: 'rejected', sentence: 'Rejected at the approval gate.', blockers: reasons };
    case 'expired':
      return { state: 'expired', sentence: 'Nobody answered in time: not approved.', blockers: reasons };
    case 'superseded':
      return { state: 'superseded', sentence: 'Superseded by a newer version.', blockers: reasons };
    case 'cancelled':
    case null:
      return { state: 'cancelled', sentence: 'Stopped by a person.', blockers: reasons };
  }
}

function underway(state: PromotionState, gate: GateState, facts: HeadlineFacts): Said {
  switch (gate.status) {
    case 'failed':
      return {
        state: 'blocked',
        sentence: `Blocked by the ${gate.name}: ${firstOf(gate.reasons)}`,
        blockers: gate.reasons,
      };
    case 'changes_requested':
      return {
        state: 'blocked',
        sentence: 'An approver asked for changes: upload a new version.',
        blockers: gate.reasons,
      };
    case 'inconclusive':
      return {
        state: 'inconclusive',
        sentence: `The ${gate.name} could not tell, so it does not count as a pass: ${firstOf(gate.reasons)}`,
        blockers: gate.reasons,
      };
    case 'waiting':
      return { state: 'waiting_for_human', sentence: waiting(state, gate, facts.tally), blockers: [] };
    case 'errored':
      return {
        state: 'running',
        sentence: `The ${gate.name} broke and is tried again (${gate.breakages} so far).`,
        blockers: [],
      };
    default:
      return gate.name === 'canary'
        ? canary(state, facts)
        : { state: 'running', sentence: `Checking: ${gate.name}.`, blockers: [] };
  }
}

function canary(state: PromotionState, facts: HeadlineFacts): Said {
  if (facts.laneHeld)
    return {
      state: 'held',
      sentence: 'Held since the last rollback: an operator must let new versions go live again.',
      blockers: [],
    };
  if (facts.laneBusy)
    return { state: 'queued', sentence: 'Waiting for another release of this prototype to finish.', blockers: [] };
  return { state: 'canary', sentence: share(state.weight, facts.units ?? 0), blockers: [] };
}

/** Nothing counted is not yet healthy: no data is never good news. */
function share(weight: number, units: number): string {
  if (weight === 0) return units === 0 ? 'Starting: no user is on it yet.' : 'No user is on it at the moment.';
  if (units === 0) return `Live for ${weight} % of users, nothing counted yet.`;
  return `Live for ${weight} % of users, healthy so far (n = ${units}).`;
}

function waiting(state: PromotionState, gate: GateState, tally: Tally | null): string {
  const { requirements } = pinnedRule(state.policy, 'approval');
  const needs = requirements.map(
    (requirement, index) => `${nameOf(requirement)} (${tally?.have[index] ?? 0} of ${requirement.count})`,
  );
  const until =
    gate.expiresAt === null
      ? ''
      : `, expires ${new Date(gate.expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `Waiting for ${needs.join(' and ')}${until}.`;
}

function nameOf(requirement: Requirement): string {
  return requirement.from.slice(requirement.from.indexOf('/') + 1);
}

function firstOf(reasons: readonly Reason[]): string {
  const [first, ...rest] = reasons;
  if (first === undefined) return 'no reason was given.';
  // A message that names its file already would name it twice.
  const named = first.file === undefined || first.message.includes(first.file);
  const place = named ? '' : ` (${first.file}${first.line === undefined ? '' : `:${first.line}`})`;
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more ${rest.length === 1 ? 'finding' : 'findings'})`;
  return `${first.message}${place}${more}.`;
}
