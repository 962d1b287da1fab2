import {
  type Command,
  type Door,
  type Environment,
  type GateName,
  type GateState,
  type Hold,
  type LaneCommand,
  type PersonId,
  type PersonState,
  type PromotionCommand,
  type PromotionState,
  type Refusal,
  type Rights,
  type Scope,
  artifactOf,
  closedDoor,
  currentGate,
  gateIn,
  isBlocked,
  isSteerable,
  mayHasten,
  paceOf,
  pinnedRule,
  refusal,
  standing,
} from '@proviso/domain';
import { type Subject, authorise, whoCan } from './authority.ts';

/** What can be asked of a promotion by its name on every surface, with the command behind it. */
export const promotionRels = [
  'approve',
  'reject',
  'rerun',
  'pause',
  'unpause',
  'advance',
  'cancel',
  'rollback',
  'resume',
] as const;
/** One of them. */
export type PromotionRel = (typeof promotionRels)[number];

/** What a surface may offer: computed here once, so that no surface computes rights. */
export interface Action<Rel extends string = string> {
  readonly rel: Rel;
  readonly allowed: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly whoCan: readonly string[];
}

/** What can be asked of each noun but promotions, by its name and the command behind it, in the order shown. */
const offersOn = {
  workspace: { add_person: 'AddPerson', register_prototype: 'RegisterPrototype', publish_policy: 'PublishPolicy' },
  limits: { set: 'SetLimits' },
  prototype: {
    upload: 'FreezeCandidate',
    promote: 'OpenPromotion',
    assign_owner: 'AssignOwner',
    assign_tier: 'AssignTier',
    trust: 'TrustPrototype',
    trust_workload: 'TrustWorkload',
    distrust_workload: 'DistrustWorkload',
  },
  candidate: { promote: 'OpenPromotion', add_evidence: 'AddEvidence' },
  policy: { publish: 'PublishPolicy', agree: 'AgreeToPolicy' },
  person: {
    grant_role: 'GrantRole',
    revoke_role: 'RevokeRole',
    issue_token: 'IssueToken',
    revoke_token: 'RevokeToken',
    issue_own_token: 'IssueOwnToken',
    revoke_own_token: 'RevokeOwnToken',
    link_identity: 'LinkIdentity',
    unlink_identity: 'UnlinkIdentity',
    end_sessions: 'EndSessions',
    delegate: 'Delegate',
    end_delegation: 'EndDelegation',
    read_personal: 'ReadPersonal',
    disable: 'DisablePerson',
    erase: 'ErasePerson',
  },
  lane: { hold: 'HoldLane', resume: 'ResumeLane', retire: 'Retire' },
  configuration: {
    set_variable: 'SetVariable',
    unset_variable: 'UnsetVariable',
    bind_secret: 'BindSecret',
    unbind_secret: 'UnbindSecret',
    rotate_secret: 'RotateSecret',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Command['kind']>>>>;

/** Things that answer with what can be done about them. */
export type Noun = keyof typeof offersOn;

/** Every kind of command that is offered on some noun: what a door takes and nothing here offers would be found by nobody. */
export function offeredKinds(): ReadonlySet<Command['kind']> {
  const onPromotions = ['Decide', 'Rerun', 'Pause', 'Unpause', 'Advance', 'Cancel', 'Rollback'] as const;
  return new Set([...Object.values(offersOn).flatMap((offers) => Object.values(offers)), ...onPromotions]);
}

/** Where a thing is, as far as bindings can be narrowed to it; of a person, who: some things are everybody's own affair. */
export interface Whereabouts {
  readonly prototype?: string;
  readonly environment?: Environment;
  readonly person?: PersonId;
}

/** Who would act, and how they came. */
export type Viewer = Pick<Subject, 'actor' | 'lentBy' | 'scopes' | 'door'>;

/** Every action on one thing, with the reason when this actor may not. Rights alone: the thing's state may still refuse. */
export function actionsFor(viewer: Viewer, noun: Noun, where: Whereabouts = {}): readonly Action[] {
  const { person, ...place } = where;
  return Object.entries(offersOn[noun]).map(([rel, kind]) => {
    const command = person === undefined ? { kind } : { kind, person };
    return answered(rel, { ...viewer, command, ...place });
  });
}

/** What the offer depends on beside the actor. */
export interface ActionFacts {
  readonly promotion: PromotionState;
  readonly hold: Hold | null;
  /** Who lent the viewer the token they came with. */
  readonly lentBy: PersonId | null;
  /** What that token is narrowed to. */
  readonly scopes: readonly Scope[] | null;
  /** How the viewer came in, and what time it is for them. */
  readonly door: Door;
  readonly now: number;
  /** Voters, and those in whose stead the viewer may vote. */
  readonly people: Rights['people'];
}

/** Every action that makes sense for this promotion now, with the reason when this actor may not. */
export function actionsOn(actor: PersonState, facts: ActionFacts): readonly Action<PromotionRel>[] {
  const { promotion, lentBy, scopes } = facts;
  return offered(facts).map((rel) => {
    const command = commandOf(rel, promotion);
    const refused = votedAlready(actor, command, promotion) ?? shut(command, facts);
    return answered(rel, { actor, command, promotion, lentBy, scopes, stead: facts }, refused);
  });
}

/** Those of them that are about one gate: its votes, or running it again. */
export function actionsAt(actor: PersonState, gate: GateName, facts: ActionFacts): readonly Action<PromotionRel>[] {
  if (currentGate(facts.promotion)?.name !== gate) return [];
  return actionsOn(actor, facts).filter(({ rel }) => rel === 'approve' || rel === 'reject' || rel === 'rerun');
}

function answered<Rel extends string>(rel: Rel, subject: Subject, otherwise: Refusal | null = null): Action<Rel> {
  const refused = authorise(subject) ?? otherwise;
  return {
    ...{ rel, allowed: refused === null, code: refused?.code ?? null, reason: refused?.message ?? null },
    whoCan: whoCan(subject),
  };
}

/** The command behind an action, as far as rights and the state of the promotion look at it. */
export function commandOf(rel: PromotionRel, promotion: PromotionState): PromotionCommand | LaneCommand {
  switch (rel) {
    case 'approve':
    case 'reject':
      return voteOn(promotion, rel);
    case 'rerun':
      return { kind: 'Rerun', promotion: promotion.id, gate: currentGate(promotion)?.name ?? 'readiness' };
    case 'cancel':
      return { kind: 'Cancel', promotion: promotion.id };
    case 'pause':
      return { kind: 'Pause', promotion: promotion.id };
    case 'unpause':
      return { kind: 'Unpause', promotion: promotion.id };
    case 'advance':
      return { kind: 'Advance', promotion: promotion.id };
    case 'rollback':
      return { kind: 'Rollback', promotion: promotion.id };
    case 'resume':
      return { kind: 'ResumeLane', lane: promotion.lanes.production };
  }
}

/** A vote on what stands there now. Before there is any evidence it is bound to none, and refused for it. */
function voteOn(promotion: PromotionState, verdict: 'approve' | 'reject'): PromotionCommand {
  const approval = promotion.gates.find(({ name }) => name === 'approval');
  const artifact = artifactOf(promotion);
  const evidenceDigest = approval?.evidenceDigest ?? artifact;
  const attempt = approval?.attempt ?? 0;
  return {
    kind: 'Decide',
    promotion: promotion.id,
    gate: 'approval',
    attempt,
    decision: 'dec_0',
    verdict,
    artifact,
    evidenceDigest,
  };
}

/** A vote is given once an attempt; a button that could only be refused is not offered. */
function votedAlready(actor: PersonState, command: Command, promotion: PromotionState): Refusal | null {
  if (command.kind !== 'Decide') return null;
  const voted = standing(gateIn(promotion, command.gate).decisions).some((decision) => decision.person === actor.id);
  return voted ? refusal('already_decided', 'you have decided on this attempt already') : null;
}

/** What this way in could only be told no to; the page of the gate may still be open. */
function shut(command: Command, { promotion, door, now }: ActionFacts): Refusal | null {
  return command.kind === 'Decide' ? closedDoor(pinnedRule(promotion.policy, 'approval'), door, now) : null;
}

function offered({ promotion, hold }: ActionFacts): readonly PromotionRel[] {
  const gate = currentGate(promotion);
  const open = promotion.outcome === null && promotion.undo === null;
  const found: PromotionRel[] = [];
  if (open && isWaiting(gate)) found.push('approve', 'reject');
  if (open && gate !== null && isBlocked(gate.status)) found.push('rerun');
  if (open && gate !== null && isSteerable(promotion, gate)) found.push(...pacesOf(promotion));
  if (open) found.push('cancel');
  if ((open && isServed(promotion)) || promotion.outcome === 'live') found.push('rollback');
  if (hold !== null) found.push('resume');
  return found;
}

/** While users are on it a person may stop its climb; what is paused is let go first, and hurried after that. */
function pacesOf(promotion: PromotionState): readonly PromotionRel[] {
  if (paceOf(promotion) === 'paused') return ['unpause'];
  return mayHasten(promotion) ? ['pause', 'advance'] : ['pause'];
}

/** Before its canary was begun, and after one that could not tell, users are on nothing that could be taken back. */
function isServed({ gates }: PromotionState): boolean {
  const canary = gates.find(({ name }) => name === 'canary');
  return canary?.status === 'claimed' || canary?.status === 'errored';
}

function isWaiting(gate: GateState | null): boolean {
  return gate?.status === 'waiting' && gate.evidenceDigest !== null;
}
