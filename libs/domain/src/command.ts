import type { ConfigurationCommand } from './configuration.ts';
import type { DelegationCommand } from './delegation.ts';
import type { DecisionVerdict } from './decision.ts';
import type {
  CandidateId,
  DecisionId,
  Digest,
  LaneId,
  PersonId,
  PolicyId,
  PromotionId,
  PrototypeId,
  WaiverId,
} from './id.ts';
import type { Environment, Fence } from './lane.ts';
import type { Step } from './next.ts';
import type { PersonCommand } from './person.ts';
import type { GateName } from './policy.ts';
import type { PolicyCommand } from './policy-publication.ts';
import type { PrototypeCommand } from './prototype.ts';
import type { EvidenceRef, Measure, Reason, Verdict } from './verdict.ts';
import type { Finding } from './standing-waiver.ts';
import type { WatchCounts } from './watch.ts';
import type { WatchCheck } from './watch-rule.ts';
import type { WorkloadCommand } from './workload.ts';
import type { WorkspaceCommand } from './workspace.ts';

/** Everything that can be asked of the journal: one closed union, one way in. */
export type Command =
  | PromotionCommand
  | LaneCommand
  | RegisterPrototype
  | PrototypeCommand
  | WorkloadCommand
  | PolicyCommand
  | PersonCommand
  | DelegationCommand
  | WorkspaceCommand;

/** Registers a prototype and opens its two lanes. */
export interface RegisterPrototype {
  readonly kind: 'RegisterPrototype';
  readonly prototype: PrototypeId;
  readonly name: string;
  readonly owner: PersonId | null;
  readonly lanes: { readonly staging: LaneId; readonly production: LaneId };
  readonly hosts: { readonly staging: string; readonly production: string };
}

/** What may be asked of a lane. `environment` is loaded, not believed: the lane's row knows it. */
export type LaneCommand =
  | { readonly kind: 'HoldLane'; readonly lane: LaneId }
  | { readonly kind: 'ResumeLane'; readonly lane: LaneId }
  | { readonly kind: 'Retire'; readonly lane: LaneId }
  | ConfigurationCommand
  | RaiseIncarnation;

/** The keeper's word that this edge has seen a fence from the row's future: the database was restored from a backup. */
export interface RaiseIncarnation {
  readonly kind: 'RaiseIncarnation';
  readonly lane: LaneId;
  readonly seen: Fence;
  readonly edge: PersonId;
}

/** What may be asked about a promotion. */
export type PromotionCommand =
  | {
      readonly kind: 'OpenPromotion';
      readonly promotion: PromotionId;
      readonly prototype: PrototypeId;
      readonly candidate: CandidateId;
      readonly policyId: PolicyId;
    }
  | Decide
  | Defer
  | AskWaiver
  | ApproveWaiver
  | AskBreakGlass
  | ApproveBreakGlass
  | ReviewBreakGlass
  /** The words themselves come as the submission's reason: nothing that decides ever sees them. */
  | { readonly kind: 'Comment'; readonly promotion: PromotionId }
  | { readonly kind: 'Rerun'; readonly promotion: PromotionId; readonly gate: GateName }
  | { readonly kind: 'Cancel'; readonly promotion: PromotionId }
  | { readonly kind: 'Rollback'; readonly promotion: PromotionId }
  | { readonly kind: 'Pause'; readonly promotion: PromotionId }
  | { readonly kind: 'Unpause'; readonly promotion: PromotionId }
  | { readonly kind: 'Advance'; readonly promotion: PromotionId }
  | { readonly kind: 'Tick'; readonly promotion: PromotionId }
  | { readonly kind: 'Claim'; readonly promotion: PromotionId; readonly step: Step; readonly claimant: string }
  | Report
  | {
      readonly kind: 'Breakage';
      readonly promotion: PromotionId;
      readonly gate: GateName;
      readonly attempt: number;
      readonly fence: number;
      readonly code: string;
    }
  | {
      readonly kind: 'Weigh';
      readonly promotion: PromotionId;
      readonly environment: Environment;
      readonly fence: number;
      readonly percent: number;
    }
  | Look
  | { readonly kind: 'ClaimWatch'; readonly promotion: PromotionId; readonly check: WatchCheck }
  | ReportWatch
  | { readonly kind: 'Undone'; readonly promotion: PromotionId; readonly fence: number };

/** A person's vote, bound to what was shown to them. */
export interface Decide {
  readonly kind: 'Decide';
  readonly promotion: PromotionId;
  readonly gate: GateName;
  readonly attempt: number;
  readonly decision: DecisionId;
  readonly verdict: DecisionVerdict;
  readonly artifact: Digest;
  readonly evidenceDigest: Digest;
}

/** An approver's "not now", until a time before the gate expires. */
export interface Defer {
  readonly kind: 'Defer';
  readonly promotion: PromotionId;
  readonly gate: GateName;
  readonly attempt: number;
  readonly until: number;
}

/** The wish that a finding, or a whole gate, be let through for a time. */
export interface AskWaiver {
  readonly kind: 'AskWaiver';
  readonly promotion: PromotionId;
  readonly waiver: WaiverId;
  readonly gate: GateName;
  readonly attempt: number;
  readonly finding: Finding | null;
  readonly owner: PersonId;
  readonly until: number;
}

/** Another person's yes to it. */
export interface ApproveWaiver {
  readonly kind: 'ApproveWaiver';
  readonly promotion: PromotionId;
  readonly waiver: WaiverId;
}

/** The wish to pass people, or a freeze, in an emergency: for so many minutes from now. */
export interface AskBreakGlass {
  readonly kind: 'AskBreakGlass';
  readonly promotion: PromotionId;
  readonly minutes: number;
}

/** One of two yeses to it, bound to the files that were shown. */
export interface ApproveBreakGlass {
  readonly kind: 'ApproveBreakGlass';
  readonly promotion: PromotionId;
  readonly artifact: Digest;
}

/** The look afterwards, by somebody who had no part in it. */
export interface ReviewBreakGlass {
  readonly kind: 'ReviewBreakGlass';
  readonly promotion: PromotionId;
}

/** A machine gate's verdict with its evidence. */
export interface Report {
  readonly kind: 'Report';
  readonly promotion: PromotionId;
  readonly gate: GateName;
  readonly attempt: number;
  readonly fence: number;
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  readonly evidence: readonly EvidenceRef[];
  readonly measure: Measure | null;
  /** What a passed build has made; no other report has one. */
  readonly artifact?: Digest;
  /** All files of what was made; a workspace's disk is counted by it. */
  readonly artifactBytes?: number;
}

/** What one look at a live release has measured; what that means is the journal's to say. */
export interface ReportWatch {
  readonly kind: 'ReportWatch';
  readonly promotion: PromotionId;
  readonly check: WatchCheck;
  readonly round: number;
  /** Null: it could not be told. Of what the rows and the clock tell, nothing is taken from here. */
  readonly figure: number | null;
  readonly reasons: readonly Reason[];
  readonly evidence: readonly EvidenceRef[];
  readonly counts?: WatchCounts;
  /** Who answers for the prototype, as it was read; both rows are locked and looked at again. */
  readonly owner?: { readonly prototype: PrototypeId; readonly person: PersonId };
}

/** One look of the canary's judge. `fresh` is false when no new data was seen: then no lease is renewed. */
export interface Look {
  /**
   * Since when, by the journal's clock, the data may have been growing old: a lease ends with them, so that a look which
   * was held up on its way renews nothing. Absent: they are as young as the look.
   */
  readonly seenAt?: number;
  readonly kind: 'Look';
  readonly promotion: PromotionId;
  readonly fence: number;
  readonly laneFence: number;
  readonly fresh: boolean;
  readonly verdict:
    | { readonly kind: 'hold' }
    | { readonly kind: 'advance'; readonly percent: number }
    | { readonly kind: 'condemn'; readonly snapshot: Digest; readonly reasons: readonly Reason[] };
}
