import { type Requirement, demandWords } from './demand.ts';
import { type GateState, isBlocked } from './gate.ts';
import { isFrozen } from './freeze.ts';
import { glassApprovalsMin } from './glass.ts';
import { type CanarySight, canaryWords } from './headline-canary.ts';
import { durationWords, momentWords, type Reading, usualMs } from './headline-words.ts';
import type { Hold } from './lane.ts';
import { takenBackWords, watchWords } from './headline-watch.ts';
import { isAwaitingPlace, isPostponed } from './limits.ts';
import { blockedExpiresMs, currentGate } from './next.ts';
import type { GateName } from './policy.ts';
import { pinnedRule } from './policy.ts';
import type { PromotionState } from './promotion.ts';
import { openReasons, standingWaivers } from './standing-waiver.ts';
import type { Tally } from './quorum.ts';
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
  'demoted',
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

/** What the sentence may need beyond the promotion itself: read by the server, handed in as data. */
export interface HeadlineFacts extends Reading {
  readonly tally: Tally | null;
  /** The production lane's hold. */
  readonly hold: Pick<Hold, 'reason' | 'at'> | null;
  readonly laneBusy: boolean;
  /** True while a broken glass of this promotion is to be reviewed. */
  readonly reviewOwed?: boolean;
  /** Version that serves users, if any. */
  readonly liveVersion: string | null;
  readonly canary: CanarySight | null;
  /** How long people took to answer at this gate before, newest first; the reader bounds how many. */
  readonly pastWaitsMs: readonly number[];
}

/** Says where a promotion stands. Pure, so that the same facts read the same on every surface. */
export function headline(state: PromotionState, facts: HeadlineFacts): Headline {
  const said = standingOf(state, facts);
  const more = [watchWords(state, facts), brokenWords(state, facts)].filter((words) => words !== '');
  return more.length === 0 ? said : { ...said, sentence: [said.sentence, ...more].join(' ') };
}

/** What passed without the people who were to agree is said wherever it is spoken of. */
function brokenWords({ glass }: PromotionState, facts: HeadlineFacts): string {
  if (glass === undefined) return '';
  if (glass.brokenAt === null) {
    const open = glass.endedAt === null && glass.until > facts.now;
    const until = momentWords(glass.until, facts);
    return open
      ? `Break-glass is asked for until ${until}: ${glass.approvedBy.length} of ${glassApprovalsMin} agree.`
      : '';
  }
  const due = facts.reviewOwed === true ? ' Nobody has reviewed it yet.' : '';
  return `The glass was broken at ${momentWords(glass.brokenAt, facts)}.${due}`;
}

function standingOf(state: PromotionState, facts: HeadlineFacts): Headline {
  const gate = currentGate(state);
  const at = gate?.name ?? null;
  if (state.outcome !== null) return { ...ended(state, facts), at };
  if (state.undo !== null) return { ...goingBack(state, state.undo, facts), at };
  if (gate === null) return { state: 'running', sentence: 'All gates have passed, going live.', at, blockers: [] };
  return { ...underway(state, gate, facts), at };
}

type Said = Omit<Headline, 'at'>;

function ended(state: PromotionState, facts: HeadlineFacts): Said {
  const blockers = reasonsOf(state);
  const version = state.candidate.version;
  const when = momentWords(state.endedAt ?? facts.now, facts);
  switch (state.outcome) {
    case 'live': {
      const sentence =
        facts.liveVersion === version
          ? `Live since ${when}: ${version} serves everyone.`
          : `Went live at ${when}. ${usersWords(facts)}`;
      return { state: 'live', sentence, blockers: [] };
    }
    case 'rolled_back':
      return { state: 'rolled_back', sentence: rolledBackWords(state, facts), blockers };
    case 'demoted':
      return { state: 'demoted', sentence: demotedWords(state, facts), blockers };
    case 'rejected':
      return { state: 'rejected', sentence: `Rejected at ${when}: not approved. Upload a new version.`, blockers };
    case 'expired':
      return { state: 'expired', sentence: expiredWords(state), blockers };
    case 'superseded':
      return { state: 'superseded', sentence: `Superseded by a newer version at ${when}.`, blockers };
    case 'cancelled':
    case null:
      return { state: 'cancelled', sentence: `Stopped by a person at ${when}.`, blockers };
  }
}

/** Users are off the version already; what remains is the worker's tidying. */
function goingBack(state: PromotionState, undo: NonNullable<PromotionState['undo']>, facts: HeadlineFacts): Said {
  const blockers = currentGate(state)?.reasons ?? [];
  const told =
    undo.outcome === 'rolled_back'
      ? rolledBackWords(state, facts)
      : `Stopped at ${momentWords(undo.at, facts)}. ${usersWords(facts)}`;
  return { state: undo.outcome, sentence: `${told} Tidying up.`, blockers };
}

function rolledBackWords(state: PromotionState, facts: HeadlineFacts): string {
  const condemned = state.gates.find((gate) => gate.name === 'canary' && gate.status === 'failed');
  const at = condemned?.since ?? state.undo?.at ?? state.endedAt ?? facts.now;
  const why = condemned === undefined ? (takenBackWords(state) ?? ' by a person.') : `: ${firstOf(condemned.reasons)}`;
  return `Rolled back at ${momentWords(at, facts)}${why} ${usersWords(facts)}`;
}

/** The version is not called worse; it may not serve as things stand, and people decide what comes next. */
function demotedWords(state: PromotionState, facts: HeadlineFacts): string {
  const when = momentWords(state.endedAt ?? facts.now, facts);
  const next = facts.hold?.reason === 'demoted' ? ' Nothing new goes live until an operator has resumed its lane.' : '';
  return `Demoted at ${when}${takenBackWords(state) ?? '.'} ${usersWords(facts)}${next}`;
}

function usersWords({ liveVersion }: HeadlineFacts): string {
  return liveVersion === null ? 'Nobody is served.' : `Users are on ${liveVersion}.`;
}

/** Silence is not consent: a gate that waited for people says so, one that stood blocked says that instead. */
function expiredWords(state: PromotionState): string {
  const gate = state.gates.find((one) => one.status === 'expired');
  if (gate === undefined || (gate.name === 'approval' && gate.verdict === null))
    return 'Nobody answered in time: not approved.';
  return `Blocked by the ${gate.name} for ${durationWords(blockedExpiresMs)}: expired. Upload a new version.`;
}

function underway(state: PromotionState, gate: GateState, facts: HeadlineFacts): Said {
  const blockers = openReasons(state, gate);
  switch (gate.status) {
    case 'failed': {
      const ended = waiverEndedWords(state, gate, facts);
      return { state: 'blocked', sentence: `Blocked by the ${gate.name}: ${ended}${firstOf(blockers)}`, blockers };
    }
    case 'changes_requested': {
      const sentence = `An approver asked for changes at ${momentWords(gate.since, facts)}: upload a new version.`;
      return { state: 'blocked', sentence, blockers };
    }
    case 'inconclusive': {
      const told = `The ${gate.name} could not tell, so it does not count as a pass: ${waiverEndedWords(state, gate, facts)}${firstOf(blockers)}`;
      // Evidence is continued over attempts, so another run is another deadline and nothing is begun anew.
      const asked =
        gate.name === 'canary'
          ? `${usersWords(facts)} A person decides: run it again, and it goes on with what it has seen, or stop it.`
          : 'Run it again when the cause is mended.';
      return { state: 'inconclusive', sentence: `${told} ${asked}`, blockers };
    }
    case 'waiting':
      return { state: 'waiting_for_human', sentence: waiting(state, gate, facts), blockers: [] };
    case 'errored': {
      const sentence = `The ${gate.name} broke and is tried again (${gate.breakages} so far).`;
      return { state: 'running', sentence, blockers: [] };
    }
    default:
      return gate.name === 'canary' ? canary(state, gate, facts) : checking(state, gate, facts);
  }
}

function checking(state: PromotionState, gate: GateState, facts: HeadlineFacts): Said {
  if (isAwaitingPlace(gate) || isPostponed(gate)) {
    const since = momentWords(turnBegan(state, gate), facts);
    const sentence = `Waiting since ${since} to be checked: ${gate.name}. ${firstOf(gate.reasons)}`;
    return { state: 'queued', sentence, blockers: gate.reasons };
  }
  const since = momentWords(turnBegan(state, gate), facts);
  return { state: 'running', sentence: `Checking: ${gate.name}, since ${since}.`, blockers: [] };
}

function canary(state: PromotionState, gate: GateState, facts: HeadlineFacts): Said {
  if (facts.hold !== null) return { state: 'held', sentence: heldWords(facts.hold, facts), blockers: [] };
  if (isFrozen(gate)) {
    const until = gate.retryAt === null ? '' : ` It goes on at ${momentWords(gate.retryAt, facts)}.`;
    return { state: 'queued', sentence: `All is well, but ${firstOf(gate.reasons)}${until}`, blockers: gate.reasons };
  }
  if (facts.laneBusy) {
    const since = momentWords(turnBegan(state, gate), facts);
    const sentence = `Waiting since ${since} for another release of this prototype to finish.`;
    return { state: 'queued', sentence, blockers: [] };
  }
  return { state: 'canary', sentence: canaryWords(state, facts.canary, facts), blockers: [] };
}

function heldWords({ reason, at }: Pick<Hold, 'reason' | 'at'>, reading: Reading): string {
  const why = heldFor[reason];
  return `Held since ${momentWords(at, reading)} ${why}: an operator must let new versions go live again.`;
}

const heldFor: Readonly<Record<Hold['reason'], string>> = {
  person: 'by a person',
  rolled_back: 'after a rollback',
  waiver_ended: 'because a waiver has ended',
  retired: 'because what was live has been retired',
  demoted: 'after a demotion',
  watch: 'because of what the watch found',
};

/** A gate that nothing happened to has waited since the one before it passed, not since the promotion was opened. */
function turnBegan(state: PromotionState, gate: GateState): number {
  if (gate.status !== 'pending') return gate.since;
  const before = state.gates.filter((one) => one.status === 'passed').map((one) => one.since);
  return Math.max(gate.since, ...before);
}

function waiting(state: PromotionState, gate: GateState, facts: HeadlineFacts): string {
  const { requirements } = pinnedRule(state.policy, 'approval');
  const needs = demandWords(
    requirements,
    (requirement, index) => `${nameOf(requirement)} (${facts.tally?.have[index] ?? 0} of ${requirement.count})`,
  );
  const usual = usualMs(facts.pastWaitsMs);
  return [
    `Waiting for ${needs} since ${momentWords(gate.since, facts)}.`,
    ...(usual === null ? [] : [`Usually ${durationWords(usual)}.`]),
    ...waivedWords(state, facts),
    ...notedWords(gate, facts),
    ...(gate.expiresAt === null ? [] : [`Expires ${momentWords(gate.expiresAt, facts)}.`]),
  ].join(' ');
}

/** Who agrees, agrees to the risk as well, so it is said in the same breath. */
function waivedWords(state: PromotionState, facts: HeadlineFacts): readonly string[] {
  return standingWaivers(state).map(
    ({ gate, finding, until }) =>
      `Waived until ${momentWords(until, facts)}: ${finding === null ? `the ${gate}` : `${finding.code} of the ${gate}`}.`,
  );
}

function waiverEndedWords({ waivers = [] }: PromotionState, gate: GateState, facts: HeadlineFacts): string {
  const ended = waivers.findLast(
    ({ gate: name, attempt, endedAt }) => name === gate.name && attempt === gate.attempt && endedAt !== null,
  );
  return ended === undefined ? '' : `a waiver ended at ${momentWords(ended.until, facts)}, `;
}

/** What happened to the asking meanwhile. */
function notedWords({ deferral, reminded, escalatedTo }: GateState, facts: HeadlineFacts): readonly string[] {
  if (deferral !== undefined && deferral.until > facts.now)
    return [`An approver put it off until ${momentWords(deferral.until, facts)}.`];
  if (escalatedTo !== undefined) return [`Escalated to ${nameOf({ from: escalatedTo })}.`];
  return reminded === undefined ? [] : [reminded > 1 ? 'Reminded twice.' : 'Reminded once.'];
}

/** The group or role as people say it: `group/data-protection` is Data protection. */
function nameOf(requirement: Pick<Requirement, 'from'>): string {
  const words = requirement.from.slice(requirement.from.indexOf('/') + 1).replaceAll('-', ' ');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

function reasonsOf(state: PromotionState): readonly Reason[] {
  return state.gates.flatMap((gate) => (isBlocked(gate.status) ? gate.reasons : []));
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
