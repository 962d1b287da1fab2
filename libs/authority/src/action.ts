import {
  type Command,
  type Environment,
  type GateName,
  type GateState,
  type LaneCommand,
  type PersonId,
  type PromotionCommand,
  type PromotionState,
  type Refusal,
  type Scene,
  type Waiver,
  artifactOf,
  currentGate,
  decide,
  findGate,
  glassMinutesMax,
  isBlocked,
  isSteerable,
  mayHasten,
  paceOf,
  ruleOf,
  waivableGates,
} from '@proviso/domain';
import { type Subject, authorise, subjectOf, whoCan } from './authority.ts';

/** What can be asked of a promotion by its name on every surface, with the command behind it. */
export const promotionRels = [
  'approve',
  'reject',
  'defer',
  'rerun',
  'ask_waiver',
  'approve_waiver',
  'pause',
  'unpause',
  'advance',
  'cancel',
  'rollback',
  'resume',
  'ask_break_glass',
  'approve_break_glass',
  'review_break_glass',
  'comment',
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
  workspace: {
    add_person: 'AddPerson',
    register_prototype: 'RegisterPrototype',
    publish_policy: 'PublishPolicy',
    add_webhook: 'AddWebhook',
  },
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
  webhook: { change: 'ChangeWebhook', rotate: 'RotateWebhook', resend: 'ResendWebhook', remove: 'RemoveWebhook' },
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
  const onPromotions = ['Rerun', 'Pause', 'Unpause', 'Cancel', 'Rollback'] as const;
  return new Set([...Object.values(offersOn).flatMap((offers) => Object.values(offers)), ...onPromotions, ...said]);
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
  return Object.entries(offersOn[noun]).map(([rel, kind]) =>
    answered(rel, { ...viewer, command: { kind, person }, ...place }),
  );
}

/** What a promotion's actions are told from: what a decision about it would look at. */
export type PromotionScene = Scene & { readonly promotion: PromotionState };

/** Every action that makes sense for this promotion now, with the reason when this actor may not. */
export function actionsOn(scene: PromotionScene): readonly Action<PromotionRel>[] {
  return offered(scene).map((rel) => {
    const command = commandOf(rel, scene);
    return answered(rel, subjectOf(scene, command), () => tried(scene, command));
  });
}

/** Those of them that are about one gate: its votes, its waivers, or running it again. */
export function actionsAt(gate: GateName, scene: PromotionScene): readonly Action<PromotionRel>[] {
  if (currentGate(scene.promotion)?.name !== gate) return [];
  return actionsOn(scene).filter(({ rel }) => atGates.has(rel));
}

const atGates: ReadonlySet<PromotionRel> = new Set([
  'approve',
  'reject',
  'defer',
  'rerun',
  'ask_waiver',
  'approve_waiver',
]);

function answered<Rel extends string>(
  rel: Rel,
  subject: Subject,
  otherwise: () => Refusal | null = () => null,
): Action<Rel> {
  const refused = authorise(subject) ?? otherwise();
  return {
    ...{ rel, allowed: refused === null, code: refused?.code ?? null, reason: refused?.message ?? null },
    whoCan: whoCan(subject),
  };
}

/**
 * What is said, at gates and beside them: ways in and the promotion's state say no to one and yes to another, so the
 * decision itself is tried.
 */
const said: ReadonlySet<Command['kind']> = new Set([
  'Advance',
  'Decide',
  'Defer',
  'AskWaiver',
  'ApproveWaiver',
  'AskBreakGlass',
  'ApproveBreakGlass',
  'ReviewBreakGlass',
  'Comment',
]);

/** The no of the very function that will decide; nothing comes of a try. */
function tried(scene: PromotionScene, command: Command): Refusal | null {
  if (!said.has(command.kind)) return null;
  const { outcome } = decide(scene, command);
  return outcome.kind === 'refused' ? outcome.refusal : null;
}

/** The command behind an action, as far as rights and the state of the promotion look at it. */
export function commandOf(
  rel: PromotionRel,
  { promotion, actor, now }: Pick<PromotionScene, 'promotion' | 'actor' | 'now'>,
): PromotionCommand | LaneCommand {
  const about = { promotion: promotion.id } as const;
  const gate = currentGate(promotion)?.name ?? 'readiness';
  switch (rel) {
    case 'approve':
    case 'reject':
      return voteOn(promotion, rel);
    case 'defer': {
      const approval = findGate(promotion, 'approval');
      const until = approval?.expiresAt ?? now;
      return { kind: 'Defer', ...about, gate: 'approval', attempt: approval?.attempt ?? 0, until };
    }
    case 'rerun':
      return { kind: 'Rerun', ...about, gate };
    case 'ask_waiver':
      return { kind: 'AskWaiver', ...about, ...waiverOf(promotion, gate), owner: actor.id, until: now + 1 };
    case 'approve_waiver':
      return { kind: 'ApproveWaiver', ...about, waiver: askedWaiver(promotion)?.id ?? 'wvr_0' };
    case 'cancel':
      return { kind: 'Cancel', ...about };
    case 'pause':
      return { kind: 'Pause', ...about };
    case 'unpause':
      return { kind: 'Unpause', ...about };
    case 'advance':
      return { kind: 'Advance', ...about };
    case 'rollback':
      return { kind: 'Rollback', ...about };
    case 'resume':
      return { kind: 'ResumeLane', lane: promotion.lanes.production };
    case 'ask_break_glass':
      return { kind: 'AskBreakGlass', ...about, minutes: glassMinutesMax };
    case 'approve_break_glass':
      return { kind: 'ApproveBreakGlass', ...about, artifact: artifactOf(promotion) };
    case 'review_break_glass':
      return { kind: 'ReviewBreakGlass', ...about };
    case 'comment':
      return { kind: 'Comment', ...about };
  }
}

/** A vote on what stands there now. Before there is any evidence it is bound to none, and refused for it. */
function voteOn(promotion: PromotionState, verdict: 'approve' | 'reject'): PromotionCommand {
  const approval = findGate(promotion, 'approval');
  const artifact = artifactOf(promotion);
  const evidenceDigest = approval?.evidenceDigest ?? artifact;
  const bound = { attempt: approval?.attempt ?? 0, artifact, evidenceDigest };
  return { kind: 'Decide', promotion: promotion.id, gate: 'approval', decision: 'dec_0', verdict, ...bound };
}

/** The whole gate as it stands. */
function waiverOf(promotion: PromotionState, gate: GateName) {
  return { waiver: 'wvr_0', gate, attempt: findGate(promotion, gate)?.attempt ?? 0, finding: null } as const;
}

/** The oldest that waits for a second person, at the gate where the promotion stands. */
function askedWaiver(promotion: PromotionState): Waiver | undefined {
  const at = currentGate(promotion);
  return promotion.waivers?.find(
    ({ gate, attempt, approvedBy }) => gate === at?.name && attempt === at.attempt && approvedBy === null,
  );
}

function offered({ promotion, lanes: { production } }: PromotionScene): readonly PromotionRel[] {
  const gate = currentGate(promotion);
  const open = promotion.outcome === null && promotion.undo === null;
  const found: PromotionRel[] = [];
  if (open && isWaiting(gate)) found.push('approve', 'reject', 'defer');
  if (open && gate !== null && isBlocked(gate.status)) found.push('rerun', ...waiversAt(promotion, gate));
  if (open && gate !== null && isSteerable(promotion, gate)) found.push(...pacesOf(promotion));
  if (open) found.push('cancel');
  if ((open && isServed(promotion)) || promotion.outcome === 'live') found.push('rollback');
  if (production != null && production.hold !== null) found.push('resume');
  if (open && production != null) found.push(...glassOn(promotion, gate));
  if (production?.reviewOwed === promotion.id) found.push('review_break_glass');
  // Also once it has ended: why a version went back is asked afterwards.
  found.push('comment');
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

/** Only where the policy lets anybody waive anything, and where something could be. */
function waiversAt(promotion: PromotionState, { name }: GateState): readonly PromotionRel[] {
  if (ruleOf(promotion.policy, 'approval')?.waivers === undefined || !waivableGates.has(name)) return [];
  return askedWaiver(promotion) === undefined ? ['ask_waiver'] : ['ask_waiver', 'approve_waiver'];
}

/** Only where the policy has a glass, and where only people or a freeze keep the candidate from its first users. */
function glassOn(promotion: PromotionState, gate: GateState | null): readonly PromotionRel[] {
  if (ruleOf(promotion.policy, 'approval')?.breakGlass === undefined || promotion.productionAt !== null) return [];
  const { glass } = promotion;
  if (glass !== undefined && glass.endedAt === null && glass.brokenAt === null) return ['approve_break_glass'];
  return gate?.name === 'approval' || gate?.name === 'canary' ? ['ask_break_glass'] : [];
}
