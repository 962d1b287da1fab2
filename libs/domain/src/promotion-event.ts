import type { Candidate } from './candidate.ts';
import type { Decision, VoidReason } from './decision.ts';
import type { DecisionId, Digest, LaneId, PersonId, PolicyId, PromotionId, PrototypeId, WaiverId } from './id.ts';
import type { ChangeType, GateName, Policy } from './policy.ts';
import type { Outcome, Undo } from './promotion.ts';
import type { Exclusion } from './separation.ts';
import type { Waiver } from './standing-waiver.ts';
import type { WatchReported } from './watch.ts';
import type { EvidenceAdded } from './workload.ts';
import type { EvidenceRef, Measure, Reason, Verdict } from './verdict.ts';

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
      readonly why: 'rerun' | 'stale_evidence' | 'role_lost' | 'other_artifact' | 'waiver_ended' | 'glass_ended';
      /** The votes stay until the new evidence is there and says otherwise. */
      readonly keeps?: true;
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
  /** People were asked and have not answered: said at fixed shares of their time, once each. */
  | {
      readonly kind: 'reminder_due';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly n: number;
    }
  | {
      readonly kind: 'gate_escalated';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly to: string;
    }
  | {
      readonly kind: 'gate_deferred';
      readonly v: 1;
      readonly gate: GateName;
      readonly attempt: number;
      readonly until: number;
      readonly by: PersonId;
    }
  | { readonly kind: 'waiver_asked'; readonly v: 1; readonly gate: GateName; readonly waiver: Waiver }
  | {
      readonly kind: 'waiver_approved';
      readonly v: 1;
      readonly gate: GateName;
      readonly waiver: WaiverId;
      readonly by: PersonId;
      readonly until: number;
    }
  /** All that stood in the way is waived: the gate lets through, under this word and no other. */
  | { readonly kind: 'gate_waived'; readonly v: 1; readonly gate: GateName; readonly attempt: number }
  | { readonly kind: 'waiver_ended'; readonly v: 1; readonly gate: GateName; readonly waiver: WaiverId }
  /** New evidence that is no worse: the votes on the one before stand, and from here on the other is shown. */
  | {
      readonly kind: 'evidence_refreshed';
      readonly v: 1;
      readonly gate: GateName;
      readonly from: GateName;
      readonly before: Digest;
      readonly after: Digest;
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
  | {
      readonly kind: 'glass_asked';
      readonly v: 1;
      readonly by: PersonId;
      readonly artifact: Digest;
      readonly until: number;
    }
  | { readonly kind: 'glass_approved'; readonly v: 1; readonly by: PersonId }
  /** An alert to everybody who looks, and a task: somebody who had no part in it reviews it. */
  | { readonly kind: 'glass_broken'; readonly v: 1; readonly artifact: Digest }
  | { readonly kind: 'glass_used'; readonly v: 1 }
  | { readonly kind: 'glass_ended'; readonly v: 1 }
  | { readonly kind: 'canary_weighed'; readonly v: 1; readonly percent: number }
  /** A person's hand on the ramp: it stays at its share, goes on, or need not wait for the end of its dwell. */
  | { readonly kind: 'canary_paused'; readonly v: 1; readonly gate: 'canary'; readonly by: PersonId }
  | { readonly kind: 'canary_unpaused'; readonly v: 1; readonly gate: 'canary'; readonly by: PersonId }
  | {
      readonly kind: 'canary_hastened';
      readonly v: 1;
      readonly gate: 'canary';
      readonly by: PersonId;
      /** The share whose dwell counts as over. */
      readonly percent: number;
    }
  | { readonly kind: 'canary_condemned'; readonly v: 1; readonly snapshot: Digest; readonly reasons: readonly Reason[] }
  | {
      readonly kind: 'undo_ordered';
      readonly v: 1;
      readonly outcome: Undo['outcome'];
      readonly why: Undo['why'];
      readonly by: PersonId;
    }
  | { readonly kind: 'undo_claimed'; readonly v: 1; readonly claimant: string }
  /** Somebody has said something. What, lies in the vault; the entry holds a commitment. */
  | { readonly kind: 'commented'; readonly v: 1; readonly by: PersonId }
  | EvidenceAdded
  /** What a look at a live release found, and what is done about it. */
  | WatchReported
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
