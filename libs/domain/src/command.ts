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
import { needsPlace } from './limits.ts';
import type { Step } from './next.ts';
import type { Identity, PersonCommand } from './person.ts';
import type { GateName } from './policy.ts';
import type { PolicyCommand } from './policy-publication.ts';
import type { PrototypeCommand } from './prototype.ts';
import type { EvidenceRef, Measure, Reason, Verdict } from './verdict.ts';
import type { Finding } from './standing-waiver.ts';
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
  | { readonly kind: 'Rerun'; readonly promotion: PromotionId; readonly gate: GateName }
  | { readonly kind: 'Cancel'; readonly promotion: PromotionId }
  | { readonly kind: 'Rollback'; readonly promotion: PromotionId }
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

/** One look of the canary's judge. `fresh` is false when no new data was seen: then no lease is renewed. */
export interface Look {
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

/** What each kind of command needs to have locked or loaded, so that the journal stays generic. */
export interface Reach {
  readonly promotion?: PromotionId;
  readonly lane?: LaneId;
  readonly prototype?: PrototypeId;
  readonly policy?: PolicyId;
  readonly person?: PersonId;
  readonly workspace?: boolean;
  /** The promotion's own lanes are locked with it. */
  readonly ownLanes?: boolean;
  /** Open promotions of the prototype are locked too. */
  readonly rivals?: boolean;
  /** What the workspace takes is counted under its lock. */
  readonly usage?: boolean;
  /** Files that the prototype keeps; their row is read under its lock. */
  readonly artifact?: Digest;
  /** Whom this account elsewhere belongs to is loaded. */
  readonly identity?: Identity;
  /** Voters and involved people are loaded with their rights. */
  readonly people?: boolean;
  /** All policies of the workspace are loaded, and every human with a role: what a publication is held against. */
  readonly policies?: boolean;
}

/** An opening looks at everything that it competes with, and at everybody who is involved. */
const openingReach = { rivals: true, ownLanes: true, people: true } as const;

/** The rows a command reaches, told by its kind alone. */
export function reachOf(command: Command): Reach {
  switch (command.kind) {
    case 'OpenPromotion':
      return { promotion: command.promotion, prototype: command.prototype, policy: command.policyId, ...openingReach };
    case 'Decide':
    case 'Defer':
      return { promotion: command.promotion, people: true };
    case 'AskWaiver':
      return { promotion: command.promotion, person: command.owner };
    case 'ApproveWaiver':
    case 'Tick':
    case 'Rerun':
    case 'Breakage':
      return { promotion: command.promotion };
    case 'Claim':
      return { promotion: command.promotion, ownLanes: true, people: true, ...counted(needsPlace(command.step)) };
    case 'AskBreakGlass':
    case 'ApproveBreakGlass':
    case 'ReviewBreakGlass':
    case 'Cancel':
    case 'Rollback':
    case 'Report':
    case 'Weigh':
    case 'Look':
    case 'Undone':
      return { promotion: command.promotion, ownLanes: true };
    case 'HoldLane':
    case 'ResumeLane':
    case 'Retire':
    case 'RaiseIncarnation':
    case 'SetVariable':
    case 'UnsetVariable':
    case 'BindSecret':
    case 'UnbindSecret':
    case 'RotateSecret':
      return { lane: command.lane };
    case 'RegisterPrototype':
    case 'FreezeCandidate':
      return { prototype: command.prototype, ...counted(true) };
    case 'AssignOwner':
    case 'TrustPrototype':
    case 'AssignTier':
      return { prototype: command.prototype };
    case 'RemoveArtifact':
      return { prototype: command.prototype, artifact: command.artifact, rivals: true };
    case 'TrustWorkload':
      return { prototype: command.prototype, person: command.rule.service };
    case 'DistrustWorkload':
      return { prototype: command.prototype, person: command.service };
    case 'AddEvidence':
      return { prototype: command.prototype, rivals: true, ...counted(true) };
    case 'PublishPolicy':
      return { policy: command.policyId, workspace: true, policies: true };
    case 'AgreeToPolicy':
      return { policy: command.policyId, workspace: true };
    case 'Delegate':
    case 'EndDelegation':
      return { person: command.person };
    case 'AddPerson':
      return { person: command.person, ...(command.identity !== undefined && { identity: command.identity }) };
    case 'LinkIdentity':
      return { person: command.person, identity: command.identity };
    case 'UnlinkIdentity':
    case 'EndSessions':
    case 'GrantRole':
    case 'RevokeRole':
    case 'IssueToken':
    case 'RevokeToken':
    case 'IssueOwnToken':
    case 'RevokeOwnToken':
    case 'DisablePerson':
    case 'ErasePerson':
    case 'ReadPersonal':
      return { person: command.person };
    case 'OpenWorkspace':
    case 'SetLimits':
    case 'RecordSweep':
      return { workspace: true };
  }
}

/** Whoever takes of what is limited holds the workspace's row, so that two cannot take the last of it. */
function counted(takes: boolean): Pick<Reach, 'workspace' | 'usage'> {
  return takes ? { workspace: true, usage: true } : {};
}
