import type { BreakGlass } from './glass.ts';
import { withEvidence } from './candidate.ts';
import type { Decision } from './decision.ts';
import { awaiting } from './awaiting.ts';
import { type GateState, isUnderWay, pendingGate } from './gate.ts';
import type { Digest, PersonId, PromotionId } from './id.ts';
import { paceAfter } from './pace.ts';
import { type GateName, ruleOf } from './policy.ts';
import type { Opening, PromotionEvent } from './promotion-event.ts';
import { invariant } from './refusal.ts';
import type { Verdict } from './verdict.ts';
import type { Waiver } from './standing-waiver.ts';
import { type WatchState, evolveWatch } from './watch.ts';

/** How a promotion can end. `live` may still become `rolled_back` or `demoted`: users come before tidiness. */
export const outcomes = ['live', 'rolled_back', 'demoted', 'rejected', 'expired', 'superseded', 'cancelled'] as const;
/** One of them. */
export type Outcome = (typeof outcomes)[number];

/** A decided way back whose tidying is not finished; the weight is 0 already when this is stored. */
export interface Undo {
  readonly outcome: Extract<Outcome, 'rolled_back' | 'cancelled' | 'superseded'>;
  readonly why: 'condemned' | 'person' | 'workflow';
  readonly by: PersonId;
  readonly at: number;
}

/** One candidate on its way along one pinned policy: everything that decides about it, and nothing else. */
export interface PromotionState extends Opening {
  readonly id: PromotionId;
  readonly openedAt: number;
  /** What the build has made of the candidate; absent until it has. */
  readonly built?: Digest;
  readonly gates: readonly GateState[];
  /** Grows with every claim and every way back; a report or a look with an older one is refused. */
  readonly fence: number;
  /** The first production claim: from here votes cannot be voided and a newer candidate queues. */
  readonly productionAt: number | null;
  readonly weight: number;
  readonly undo: Undo | null;
  readonly outcome: Outcome | null;
  readonly endedAt: number | null;
  /** What condemned or explained the canary, kept as evidence. */
  readonly snapshot: Digest | null;
  /** Every waiver that was asked for here; absent: none. */
  readonly waivers?: readonly Waiver[];
  /** The newest emergency; absent: none. */
  readonly glass?: BreakGlass;
  /** How many comments there are; absent: none. */
  readonly comments?: number;
  /** What was seen of it while it was live; absent: nobody has looked yet. */
  readonly watch?: WatchState;
  readonly revision: number;
}

/** The one artifact that is looked at, voted on and deployed: what was built, else the sources themselves. */
export function artifactOf({ built, candidate }: Pick<PromotionState, 'built' | 'candidate'>): Digest {
  return built ?? candidate.manifest.artifact;
}

/** Folds one event into a promotion; the same function serves the running product and the repair. */
export function evolvePromotion(state: PromotionState | null, event: PromotionEvent, at: number): PromotionState {
  if (event.kind === 'promotion_opened') return opened(event, at);
  invariant(state !== null, `${event.kind} on a promotion that was never opened`);
  const next = { ...state, revision: state.revision + 1 };
  switch (event.kind) {
    case 'step_claimed':
      return claimed(next, event, at);
    case 'undo_claimed':
      return { ...next, fence: next.fence + 1 };
    case 'artifact_built':
      return { ...next, built: event.artifact };
    case 'evidence_added': {
      const candidate = withEvidence(next.candidate, event.evidence);
      return { ...next, candidate, exclusions: [...next.exclusions, ...event.exclusions] };
    }
    case 'commented':
      return { ...next, comments: (state.comments ?? 0) + 1 };
    case 'watch_reported':
      return { ...next, watch: evolveWatch(state.watch, event, at) };
    case 'canary_weighed':
      return { ...next, weight: event.percent };
    case 'canary_condemned':
      return {
        ...withGate(next, 'canary', { status: 'failed', verdict: 'fail', reasons: event.reasons, since: at }),
        snapshot: event.snapshot,
      };
    case 'undo_ordered':
      return {
        ...withGatesStopped(next, at),
        weight: 0,
        fence: next.fence + 1,
        undo: { outcome: event.outcome, why: event.why, by: event.by, at },
      };
    case 'promotion_ended':
      return {
        ...withGatesStopped(event.outcome === 'superseded' ? withVotesSuperseded(next) : next, at),
        outcome: event.outcome,
        endedAt: at,
        undo: null,
        weight: event.outcome === 'live' ? 100 : 0,
      };
    case 'glass_asked':
    case 'glass_approved':
    case 'glass_broken':
    case 'glass_used':
    case 'glass_ended':
      return evolveGlass(next, event, at);
    default:
      return evolveGate(next, event, at);
  }
}

type GlassEvent = Extract<
  PromotionEvent,
  { kind: 'glass_asked' | 'glass_approved' | 'glass_broken' | 'glass_used' | 'glass_ended' }
>;

function evolveGlass(state: PromotionState, event: GlassEvent, at: number): PromotionState {
  if (event.kind === 'glass_asked') {
    const { by: askedBy, artifact, until } = event;
    const fresh = { approvedBy: [], brokenAt: null, usedAt: null, endedAt: null };
    return { ...state, glass: { askedBy, askedAt: at, artifact, until, ...fresh } };
  }
  const { glass } = state;
  invariant(glass !== undefined, `${event.kind} where nobody asked for it`);
  switch (event.kind) {
    case 'glass_approved':
      return { ...state, glass: { ...glass, approvedBy: [...glass.approvedBy, event.by] } };
    case 'glass_broken':
      return pastPeople({ ...state, glass: { ...glass, brokenAt: at } }, at);
    case 'glass_used':
      return { ...state, glass: { ...glass, usedAt: at } };
    case 'glass_ended':
      return { ...state, glass: { ...glass, endedAt: at } };
  }
}

/** An approval that was still asked for has passed under the word for what nobody judged. */
function pastPeople(state: PromotionState, at: number): PromotionState {
  const approval = state.gates.find(({ name }) => name === 'approval');
  if (approval === undefined || approval.status === 'passed') return state;
  return withGate(state, 'approval', { status: 'passed', verdict: 'waived', since: at });
}

/** What happens at one gate, but for what changes more than the gate. */
type GateEvent = Exclude<
  Extract<PromotionEvent, { readonly gate: GateName }>,
  { kind: 'step_claimed' | 'artifact_built' }
>;

function evolveGate(state: PromotionState, event: GateEvent, at: number): PromotionState {
  const gate = gateIn(state, event.gate);
  switch (event.kind) {
    case 'place_awaited':
    case 'build_postponed':
    case 'freeze_met':
      return withGate(state, event.gate, awaiting(event));
    case 'place_found':
    case 'freeze_ended':
      return withGate(state, event.gate, { reasons: [], retryAt: null });
    case 'gate_opened':
      return withGate(state, event.gate, {
        status: 'waiting',
        attempt: event.attempt,
        since: at,
        expiresAt: event.expiresAt,
        evidenceDigest: event.evidenceDigest,
      });
    case 'gate_reported':
      return withGate(state, event.gate, { ...concluded(event), claimant: null, since: at });
    case 'gate_blocked':
      return withGate(state, event.gate, {
        status: 'inconclusive',
        verdict: 'inconclusive',
        attempt: event.attempt,
        reasons: event.reasons,
        since: at,
      });
    case 'gate_errored':
      return withGate(state, event.gate, {
        status: 'errored',
        breakages: gate.breakages + 1,
        retryAt: event.retryAt,
        claimant: null,
        since: at,
      });
    case 'gate_reopened':
      return reopened(state, { gate, keeps: event.keeps === true }, at);
    case 'evidence_refreshed':
      return withGate(state, event.gate, { evidenceDigest: event.after });
    case 'gate_expired':
      return withGate(state, event.gate, { status: 'expired', since: at });
    case 'canary_paused':
    case 'canary_unpaused':
    case 'canary_hastened':
      return withGate(state, event.gate, { pace: paceAfter(event, at) });
    case 'waiver_asked':
    case 'waiver_approved':
    case 'gate_waived':
    case 'waiver_ended':
      return evolveWaiver(state, gate, event, at);
    default:
      return evolveVoting(state, gate, event, at);
  }
}

type WaiverEvent = Extract<GateEvent, { kind: 'waiver_asked' | 'waiver_approved' | 'gate_waived' | 'waiver_ended' }>;

function evolveWaiver(state: PromotionState, gate: GateState, event: WaiverEvent, at: number): PromotionState {
  switch (event.kind) {
    case 'waiver_asked':
      return { ...state, waivers: [...(state.waivers ?? []), event.waiver] };
    case 'waiver_approved':
      return withWaiver(state, event.waiver, { approvedBy: event.by });
    case 'gate_waived':
      // `since` stays: it is the age of the evidence, and a waiver makes none.
      return withGate(state, event.gate, {
        status: 'passed',
        verdict: 'waived',
        unwaived: gate.verdict === 'inconclusive' ? 'inconclusive' : 'fail',
      });
    case 'waiver_ended': {
      const ended = withWaiver(state, event.waiver, { endedAt: at });
      if (gate.verdict !== 'waived') return ended;
      const verdict = gate.unwaived ?? 'fail';
      return withGate(ended, event.gate, { verdict, status: statusOf(verdict), since: at });
    }
  }
}

function withWaiver(state: PromotionState, id: Waiver['id'], change: Partial<Waiver>): PromotionState {
  const waivers = (state.waivers ?? []).map((waiver) => (waiver.id === id ? { ...waiver, ...change } : waiver));
  return { ...state, waivers };
}

type VotingEvent = Extract<
  GateEvent,
  {
    kind:
      | 'reminder_due'
      | 'gate_escalated'
      | 'gate_deferred'
      | 'decision_recorded'
      | 'decision_voided'
      | 'quorum_reached';
  }
>;

/** What happens while people are asked. */
function evolveVoting(state: PromotionState, gate: GateState, event: VotingEvent, at: number): PromotionState {
  switch (event.kind) {
    case 'reminder_due':
      return withGate(state, event.gate, { reminded: event.n });
    case 'gate_escalated':
      return withGate(state, event.gate, { escalatedTo: event.to });
    case 'gate_deferred':
      return withGate(state, event.gate, { deferral: { by: event.by, until: event.until, at } });
    case 'decision_recorded':
      return withGate(state, event.gate, {
        decisions: [...gate.decisions, event.decision],
        ...statusAfter(event.decision, at),
      });
    case 'decision_voided':
      return withGate(state, event.gate, {
        decisions: gate.decisions.map((decision) =>
          decision.id === event.decision ? { ...decision, voided: event.why } : decision,
        ),
      });
    case 'quorum_reached':
      return withGate(state, event.gate, { status: 'passed', verdict: 'pass', since: at });
  }
}

function concluded(event: Extract<GateEvent, { kind: 'gate_reported' }>): Partial<GateState> {
  const { verdict, reasons, evidence, measure } = event;
  return { status: statusOf(verdict), verdict, reasons, evidence, measure };
}

function statusOf(verdict: Verdict): GateState['status'] {
  switch (verdict) {
    case 'pass':
    case 'waived':
      return 'passed';
    case 'fail':
      return 'failed';
    case 'inconclusive':
      return 'inconclusive';
  }
}

function statusAfter(decision: Decision, at: number): Partial<GateState> {
  switch (decision.verdict) {
    case 'approve':
      return {};
    case 'reject':
      return { status: 'rejected', verdict: 'fail', since: at };
    case 'request_changes':
      return { status: 'changes_requested', verdict: 'fail', since: at };
  }
}

function opened(event: Extract<PromotionEvent, { kind: 'promotion_opened' }>, at: number): PromotionState {
  const { promotion, kind: _kind, v: _v, ...opening } = event;
  return {
    ...opening,
    id: promotion,
    openedAt: at,
    gates: opening.policy.gates.map((rule) => pendingGate(rule.gate, at)),
    fence: 0,
    productionAt: null,
    weight: 0,
    undo: null,
    outcome: null,
    endedAt: null,
    snapshot: null,
    revision: 1,
  };
}

function claimed(
  state: PromotionState,
  event: Extract<PromotionEvent, { kind: 'step_claimed' }>,
  at: number,
): PromotionState {
  const next = withGate(state, event.gate, {
    status: 'claimed',
    attempt: event.attempt,
    claimant: event.claimant,
    retryAt: null,
    since: gateIn(state, event.gate).status === 'claimed' ? gateIn(state, event.gate).since : at,
  });
  const productionAt = event.gate === 'canary' ? (state.productionAt ?? at) : state.productionAt;
  return { ...next, fence: state.fence + 1, productionAt };
}

function withGate(state: PromotionState, name: GateName, change: Partial<GateState>): PromotionState {
  const gates = state.gates.map((gate) =>
    gate.name === name ? { ...gate, ...change, revision: gate.revision + 1 } : gate,
  );
  return { ...state, gates };
}

/** Votes on a gate that was still open are votes on what nobody asks about any more: shown, and in no tally. */
function withVotesSuperseded(state: PromotionState): PromotionState {
  const gate = state.gates.find(({ status }) => status === 'waiting');
  if (gate === undefined) return state;
  const decisions = gate.decisions.map((one) => ({ ...one, voided: one.voided ?? ('superseded' as const) }));
  return { ...state, gates: state.gates.map((one) => (one === gate ? { ...gate, decisions } : one)) };
}

/** As if nothing had happened to it but its number and the votes, which are void. */
function reopened(
  state: PromotionState,
  { gate, keeps }: { readonly gate: GateState; readonly keeps: boolean },
  at: number,
): PromotionState {
  const { attempt, revision } = gate;
  const decisions = gate.decisions.map((decision) => ({ ...decision, voided: decision.voided ?? 'reopened' }));
  const { verdict, reasons } = gate;
  const earlier = keeps && verdict !== null ? { earlier: { verdict, reasons } } : {};
  const fresh: GateState = { ...pendingGate(gate.name, at), attempt, revision: revision + 1, decisions, ...earlier };
  return { ...state, gates: state.gates.map((one) => (one.name === gate.name ? fresh : one)) };
}

/** Nobody will conclude what an end or a way back has overtaken; left as claimed it would look as if somebody did. */
function withGatesStopped(state: PromotionState, at: number): PromotionState {
  const overtaken = state.gates.filter((gate) => isUnderWay(gate.status));
  const stopped = { status: 'stopped', claimant: null, retryAt: null, expiresAt: null, since: at } as const;
  return overtaken.reduce((now, gate) => withGate(now, gate.name, stopped), state);
}

/** The gate of that name; asking for one that the policy does not have is our bug. */
export function gateIn(state: PromotionState, name: GateName): GateState {
  const gate = state.gates.find((one) => one.name === name);
  invariant(gate !== undefined, `the pinned policy has no gate ${name}`);
  return gate;
}

/** The gate of that name, when a stranger named it. */
export function findGate(state: PromotionState, name: string): GateState | undefined {
  return ruleOf(state.policy, name as GateName) && state.gates.find((one) => one.name === name);
}
