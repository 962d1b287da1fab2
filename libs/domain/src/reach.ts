import type { Command } from './command.ts';
import type { Digest, LaneId, PersonId, PolicyId, PromotionId, PrototypeId } from './id.ts';
import { needsPlace } from './limits.ts';
import type { Identity } from './person.ts';

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

type Of<Kind extends Command['kind']> = Extract<Command, { readonly kind: Kind }>;

const onPromotion = ({ promotion }: { readonly promotion: PromotionId }): Reach => ({ promotion });
const withLanes = ({ promotion }: { readonly promotion: PromotionId }): Reach => ({ promotion, ownLanes: true });
const withPeople = ({ promotion }: { readonly promotion: PromotionId }): Reach => ({ promotion, people: true });
const onLane = ({ lane }: { readonly lane: LaneId }): Reach => ({ lane });
const onPrototype = ({ prototype }: { readonly prototype: PrototypeId }): Reach => ({ prototype });
const countedFor = ({ prototype }: { readonly prototype: PrototypeId }): Reach => ({ prototype, ...counted });
const onPerson = ({ person }: { readonly person: PersonId }): Reach => ({ person });
const onWorkspace = (): Reach => ({ workspace: true });

/** Whoever takes of what is limited holds the workspace's row, so that two cannot take the last of it. */
const counted = { workspace: true, usage: true } as const;

/** A closed table: a command without a row does not compile, and none reaches more than its row says. */
const reaches: { readonly [Kind in Command['kind']]: (command: Of<Kind>) => Reach } = {
  // An opening looks at everything that it competes with, and at everybody who is involved.
  OpenPromotion: ({ promotion, prototype, policyId: policy }) => ({
    ...{ promotion, prototype, policy },
    ...{ rivals: true, ownLanes: true, people: true },
  }),
  Decide: withPeople,
  Defer: withPeople,
  AskWaiver: ({ promotion, owner: person }) => ({ promotion, person }),
  ApproveWaiver: onPromotion,
  Tick: onPromotion,
  Rerun: onPromotion,
  Comment: onPromotion,
  Breakage: onPromotion,
  Pause: onPromotion,
  Unpause: onPromotion,
  Advance: withLanes,
  Claim: ({ promotion, step }) => ({ promotion, ownLanes: true, people: true, ...(needsPlace(step) && counted) }),
  AskBreakGlass: withLanes,
  ApproveBreakGlass: withLanes,
  ReviewBreakGlass: withLanes,
  Cancel: withLanes,
  Rollback: withLanes,
  Report: withLanes,
  Weigh: withLanes,
  Look: withLanes,
  ClaimWatch: withLanes,
  ReportWatch: ({ promotion, owner }) => ({ promotion, ownLanes: true, ...owner }),
  Undone: withLanes,
  HoldLane: onLane,
  ResumeLane: onLane,
  Retire: onLane,
  RaiseIncarnation: onLane,
  SetVariable: onLane,
  UnsetVariable: onLane,
  BindSecret: onLane,
  UnbindSecret: onLane,
  RotateSecret: onLane,
  RegisterPrototype: countedFor,
  FreezeCandidate: countedFor,
  AssignOwner: onPrototype,
  TrustPrototype: onPrototype,
  AssignTier: onPrototype,
  RemoveArtifact: ({ prototype, artifact }) => ({ prototype, artifact, rivals: true }),
  TrustWorkload: ({ prototype, rule }) => ({ prototype, person: rule.service }),
  DistrustWorkload: ({ prototype, service: person }) => ({ prototype, person }),
  AddEvidence: ({ prototype }) => ({ prototype, rivals: true, ...counted }),
  PublishPolicy: ({ policyId: policy }) => ({ policy, workspace: true, policies: true }),
  AgreeToPolicy: ({ policyId: policy }) => ({ policy, workspace: true }),
  Delegate: onPerson,
  EndDelegation: onPerson,
  AddPerson: ({ person, identity }) => ({ person, ...(identity !== undefined && { identity }) }),
  LinkIdentity: ({ person, identity }) => ({ person, identity }),
  UnlinkIdentity: onPerson,
  EndSessions: onPerson,
  GrantRole: onPerson,
  RevokeRole: onPerson,
  IssueToken: onPerson,
  RevokeToken: onPerson,
  IssueOwnToken: onPerson,
  DisablePerson: onPerson,
  ErasePerson: onPerson,
  ReadPersonal: onPerson,
  OpenWorkspace: onWorkspace,
  SetLimits: onWorkspace,
  RecordSweep: onWorkspace,
  AddWebhook: onWorkspace,
  ChangeWebhook: onWorkspace,
  RotateWebhook: onWorkspace,
  RemoveWebhook: onWorkspace,
  ResendWebhook: onWorkspace,
  StopWebhook: onWorkspace,
};

/** The rows a command reaches, told by its kind alone. */
export function reachOf(command: Command): Reach {
  const reach = reaches[command.kind] as (command: Command) => Reach;
  return reach(command);
}
