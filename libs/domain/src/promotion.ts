import { type Candidate, withEvidence } from './candidate.ts';
import type { Decision, VoidReason } from './decision.ts';
import { awaiting } from './awaiting.ts';
import { type GateState, isUnderWay, pendingGate } from './gate.ts';
import type { DecisionId, Digest, LaneId, PersonId, PolicyId, PromotionId, PrototypeId } from './id.ts';
import { type ChangeType, type GateName, type Policy, ruleOf } from './policy.ts';
import { invariant } from './refusal.ts';
import type { Exclusion } from './separation.ts';
import type { EvidenceRef, Measure, Reason, Verdict } from './verdict.ts';
import type { EvidenceAdded } from './workload.ts';

/** How a promotion can end. `live` may still become `rolled_back`: users come before tidiness. */
export const outcomes = ['live', 'rolled_back', 'rejected', 'expired', 'superseded', 'cancelled'] as const;
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
  readonly revision: number;
}

/** What may happen to a promotion. */
export type PromotionEvent =
  | ({ readonly kind: 'promotion_opened'; readonly v: 1; readonly promotion: PromotionId } & Opening)
  | {
      readonly kind: 'step_claimed';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly claimant: string;
    }
  | { readonly kind: 'place_awaited'; readonly v: 1; readonly gate: GateName; readonly runsMax: number }
  | { readonly kind: 'place_found'; readonly v: 1; readonly gate: GateName }
  | {
      readonly kind: 'freeze_met';
      readonly v: 1;
      readonly gate: GateName;
      readonly until: number;
      readonly why: string;
    }
  | { readonly kind: 'freeze_ended'; readonly v: 1; readonly gate: GateName }
  | {
      /** The workspace has begun as many builds as it may in a day. */
      readonly kind: 'build_postponed';
      readonly v: 1;
      readonly gate: 'build';
      readonly buildsMax: number;
      readonly until: number;
    }
  | {
      readonly kind: 'gate_opened';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly expiresAt: number;
      readonly evidenceDigest: Digest;
    }
  | {
      readonly kind: 'gate_reported';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly verdict: Verdict;
      readonly reasons: readonly Reason[];
      readonly evidence: readonly EvidenceRef[];
      readonly measure: Measure | null;
    }
  /** Something has to be given before this gate may begin; nothing was claimed, so nothing has to be undone. */
  | {
      readonly kind: 'gate_blocked';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly reasons: readonly Reason[];
    }
  | {
      readonly kind: 'gate_errored';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly code: string;
      readonly retryAt: number;
    }
  | {
      readonly kind: 'gate_reopened';
      readonly v: 1;
      readonly gate: GateName;
      readonly why: 'rerun' | 'stale_evidence' | 'role_lost' | 'other_artifact';
    }
  | {
      /** From here on this is what every gate, vote and lane means. */
      readonly kind: 'artifact_built';
      readonly v: 1;
      readonly gate: 'build';
      readonly attempt: number;
      readonly artifact: Digest;
      /** Of all its files; builds from before they were counted have none. */
      readonly bytes?: number;
    }
  | { readonly kind: 'gate_expired'; readonly v: 1; readonly gate: GateName }
  | {
      readonly kind: 'decision_recorded';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly decision: Decision;
    }
  | {
      readonly kind: 'decision_voided';
      readonly v: 1;
      readonly gate: GateName;
      readonly decision: DecisionId;
      readonly why: VoidReason;
    }
  | { readonly kind: 'quorum_reached'; readonly v: 1; readonly gate: GateName; readonly attempt: number }
  | { readonly kind: 'canary_weighed'; readonly v: 1; readonly percent: number }
  | { readonly kind: 'canary_condemned'; readonly v: 1; readonly snapshot: Digest; readonly reasons: readonly Reason[] }
  | {
      readonly kind: 'undo_ordered';
      readonly v: 1;
      readonly outcome: Undo['outcome'];
      readonly why: Undo['why'];
      readonly by: PersonId;
    }
  | { readonly kind: 'undo_claimed'; readonly v: 1; readonly claimant: string }
  | EvidenceAdded
  | { readonly kind: 'promotion_ended'; readonly v: 1; readonly outcome: Outcome };

/** What is fixed when a promotion opens. */
export interface Opening {
  readonly prototype: PrototypeId;
  readonly candidate: Candidate;
  readonly policyId: PolicyId;
  readonly policyVersion: number;
  readonly policyDigest: Digest;
  readonly policy: Policy;
  /** The tier that the policy was resolved for, and what had changed since the live version; absent where neither mattered. */
  readonly tier?: string;
  readonly changed?: readonly ChangeType[];
  readonly requester: PersonId;
  readonly exclusions: readonly Exclusion[];
  /** How many whom the commit names are nobody known here; absent when there are none. */
  readonly unknownAuthors?: number;
  readonly lanes: { readonly staging: LaneId; readonly production: LaneId };
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
    default:
      return evolveGate(next, event, at);
  }
}

type GateEvent = Exclude<
  PromotionEvent,
  {
    kind:
      | 'promotion_opened'
      | 'step_claimed'
      | 'undo_claimed'
      | 'artifact_built'
      | 'canary_weighed'
      | 'canary_condemned'
      | 'undo_ordered'
      | 'evidence_added'
      | 'promotion_ended';
  }
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
      return withGate(state, event.gate, {
        ...pendingGate(event.gate, at),
        attempt: gate.attempt,
        revision: gate.revision,
        decisions: gate.decisions.map((decision) => ({ ...decision, voided: decision.voided ?? 'reopened' })),
      });
    case 'gate_expired':
      return withGate(state, event.gate, { status: 'expired', since: at });
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
