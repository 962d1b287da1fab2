import { approveBreakGlass, askBreakGlass, reviewBreakGlass } from './break-glass.ts';
import type { Command, LaneCommand } from './command.ts';
import { comment } from './comment.ts';
import { decideGate, defer } from './deciding.ts';
import { cancel, rerun, rollback } from './ending.ts';
import type { PersonId } from './id.ts';
import type { LaneMove } from './lane.ts';
import { open, register } from './opening.ts';
import { builtinOf } from './builtin.ts';
import { type PersonCommand, decidePerson } from './person.ts';
import { type PolicyCommand, decidePolicy } from './policy-publication.ts';
import { decidePrototype } from './prototype.ts';
import { type DelegationCommand, decideDelegation } from './delegation.ts';
import { pace } from './pacing.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type Decided, type Draft, Plan, type Scene, isRefusal } from './scene.ts';
import { look, weigh } from './steering.ts';
import { breakage, claim, report, tick, undone } from './step.ts';
import { claimWatch, reportWatch } from './watching.ts';
import { type WorkloadCommand, decideWorkload } from './workload.ts';
import { approveWaiver, askWaiver } from './waiver.ts';
import { type WorkspaceCommand, decideWorkspace } from './workspace.ts';

/** The one place where anything is decided: every surface, every leader and every activity ends here. */
export function decide(scene: Scene, command: Command): Decided {
  switch (command.kind) {
    case 'RegisterPrototype':
      return register(scene, command);
    case 'OpenPromotion':
      return open(scene, command);
    case 'HoldLane':
    case 'ResumeLane':
    case 'Retire':
    case 'RaiseIncarnation':
    case 'SetVariable':
    case 'UnsetVariable':
    case 'BindSecret':
    case 'UnbindSecret':
    case 'RotateSecret':
      return decideLaneCommand(scene, command);
    case 'AssignOwner':
    case 'TrustPrototype':
    case 'AssignTier':
    case 'FreezeCandidate':
    case 'RemoveArtifact':
      return simple(scene, decidePrototype(scene.prototype, command, scene), (event) => ({
        stream: 'prototype',
        id: command.prototype,
        event,
      }));
    default:
      return isBeside(command) ? decideBeside(scene, command) : decidePromotion(scene, command);
  }
}

type Beside = WorkloadCommand | PolicyCommand | PersonCommand | DelegationCommand | WorkspaceCommand;

/** By kind: what is about neither a promotion nor a prototype's lanes. */
const besides: { readonly [Kind in Beside['kind']]: true } = {
  TrustWorkload: true,
  DistrustWorkload: true,
  AddEvidence: true,
  PublishPolicy: true,
  AgreeToPolicy: true,
  Delegate: true,
  EndDelegation: true,
  AddPerson: true,
  GrantRole: true,
  RevokeRole: true,
  IssueToken: true,
  RevokeToken: true,
  LinkIdentity: true,
  UnlinkIdentity: true,
  EndSessions: true,
  IssueOwnToken: true,
  DisablePerson: true,
  ErasePerson: true,
  ReadPersonal: true,
  OpenWorkspace: true,
  SetLimits: true,
  RecordSweep: true,
  AddWebhook: true,
  ChangeWebhook: true,
  RotateWebhook: true,
  RemoveWebhook: true,
  ResendWebhook: true,
  StopWebhook: true,
};

function isBeside(command: Command): command is Beside {
  return Object.hasOwn(besides, command.kind);
}

function decideBeside(scene: Scene, command: Beside): Decided {
  switch (command.kind) {
    case 'TrustWorkload':
    case 'DistrustWorkload':
    case 'AddEvidence':
      return decideWorkload(scene, command);
    case 'PublishPolicy':
    case 'AgreeToPolicy':
      return simple(scene, decidePolicy(scene.policy, command, scene), (event) => ({
        stream: 'policy',
        id: command.policyId,
        event,
      }));
    case 'Delegate':
    case 'EndDelegation':
      return simple(scene, decideDelegation(scene.person, command, scene), (event) => ({
        stream: 'person',
        id: command.person,
        event,
      }));
    case 'AddPerson':
    case 'GrantRole':
    case 'RevokeRole':
    case 'IssueToken':
    case 'RevokeToken':
    case 'LinkIdentity':
    case 'UnlinkIdentity':
    case 'EndSessions':
    case 'IssueOwnToken':
    case 'DisablePerson':
    case 'ErasePerson':
    case 'ReadPersonal': {
      const asking = { ...scene, actor: scene.actor.id, issuer: issuerIn(scene) };
      return simple(scene, decidePerson(scene.person, command, asking), (event) => ({
        stream: 'person',
        id: command.person,
        event,
      }));
    }
    case 'OpenWorkspace':
    case 'SetLimits':
    case 'RecordSweep':
    case 'AddWebhook':
    case 'ChangeWebhook':
    case 'RotateWebhook':
    case 'RemoveWebhook':
    case 'ResendWebhook':
    case 'StopWebhook':
      return simple(scene, decideWorkspace(scene.workspace, command, scene), (event) => ({
        stream: 'workspace',
        id: command.workspace,
        event,
      }));
  }
}

type OnPromotion = Extract<
  Command,
  {
    kind:
      | 'Decide'
      | 'Defer'
      | 'AskWaiver'
      | 'ApproveWaiver'
      | 'AskBreakGlass'
      | 'ApproveBreakGlass'
      | 'ReviewBreakGlass'
      | 'Comment'
      | 'Rerun'
      | 'Cancel'
      | 'Rollback'
      | 'Pause'
      | 'Unpause'
      | 'Advance'
      | 'Tick'
      | 'Claim'
      | 'Report'
      | 'Breakage'
      | 'Weigh'
      | 'Look'
      | 'ClaimWatch'
      | 'ReportWatch'
      | 'Undone';
  }
>;

function decidePromotion(scene: Scene, command: OnPromotion): Decided {
  if (scene.promotion === null) return new Plan(scene).refuse(refusal('not_found', 'expected a known promotion'));
  switch (command.kind) {
    case 'Decide':
      return decideGate(scene, command);
    case 'Defer':
      return defer(scene, command);
    case 'AskBreakGlass':
      return askBreakGlass(scene, command);
    case 'ApproveBreakGlass':
      return approveBreakGlass(scene, command);
    case 'ReviewBreakGlass':
      return reviewBreakGlass(scene, command);
    case 'AskWaiver':
      return askWaiver(scene, command);
    case 'ApproveWaiver':
      return approveWaiver(scene, command);
    case 'Comment':
      return comment(scene);
    case 'Rerun':
      return rerun(scene, command);
    case 'Cancel':
      return cancel(scene, command);
    case 'Rollback':
      return rollback(scene);
    case 'Pause':
    case 'Unpause':
    case 'Advance':
      return pace(scene, command);
    case 'Tick':
      return tick(scene);
    case 'Claim':
      return claim(scene, command);
    case 'Report':
      return report(scene, command);
    case 'Breakage':
      return breakage(scene, command);
    case 'Weigh':
      return weigh(scene, command);
    case 'Look':
      return look(scene, command);
    case 'ClaimWatch':
      return claimWatch(scene, command);
    case 'ReportWatch':
      return reportWatch(scene, command);
    case 'Undone':
      return undone(scene, command);
  }
}

/** A hold, a resume, a raise, a change of configuration: the lane's own row says which environment it is. */
function decideLaneCommand(scene: Scene, command: LaneCommand): Decided {
  const plan = new Plan(scene);
  const lane = [scene.lanes.production, scene.lanes.staging].find((one) => one?.id === command.lane);
  if (lane == null) return plan.refuse(refusal('not_found', 'expected a known lane'));
  const refused = plan.ask(lane.environment, laneMoveOf(command, scene.actor.id));
  return refused === null ? plan.answer({ kind: 'done' }) : plan.refuse(refused);
}

function laneMoveOf(command: LaneCommand, by: PersonId): LaneMove {
  switch (command.kind) {
    case 'HoldLane':
      return { move: 'hold', reason: 'person', by };
    case 'ResumeLane':
      return { move: 'resume', by };
    case 'Retire':
      return { move: 'retire', by };
    case 'RaiseIncarnation':
      return { move: 'raise', seen: command.seen, edge: command.edge };
    default:
      return { move: 'configure', command, by };
  }
}

/** With a lent token its lender issues: else a second token would wash off whose the first one was. */
function issuerIn({ actor, lentBy }: Scene): PersonId | null {
  return builtinOf(actor.id) === undefined ? (lentBy ?? actor.actsFor ?? actor.id) : null;
}

function simple<Event>(scene: Scene, decided: readonly Event[] | Refusal, draft: (event: Event) => Draft): Decided {
  const plan = new Plan(scene);
  if (isRefusal(decided)) return plan.refuse(decided);
  plan.drafts.push(...decided.map(draft));
  return plan.answer({ kind: 'done' });
}
