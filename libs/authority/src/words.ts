import type { Binding, Command } from '@proviso/domain';

/** What each command does, as a person would say it after "somebody who may"; a refusal is read by people. */
export const wordsOf: Readonly<Record<Command['kind'], string>> = {
  RegisterPrototype: 'register a prototype',
  AssignOwner: 'say who answers for a prototype',
  TrustPrototype: 'vouch for a prototype',
  FreezeCandidate: 'upload a version',
  OpenPromotion: 'start a promotion',
  Decide: 'vote at this gate',
  Defer: 'put off the vote at this gate',
  AskWaiver: 'ask for a waiver',
  ApproveWaiver: 'agree to this waiver',
  Delegate: 'give their right to vote to another',
  EndDelegation: 'take back a right to vote',
  AskBreakGlass: 'ask to break the glass',
  ApproveBreakGlass: 'agree to break the glass',
  ReviewBreakGlass: 'review a broken glass',
  Retire: 'take what is live out of service',
  Rerun: 'run a gate again',
  Cancel: 'stop a promotion',
  Rollback: 'take a version back from users',
  HoldLane: 'keep new versions from going live',
  ResumeLane: 'let new versions go live again',
  SetVariable: 'configure a lane',
  UnsetVariable: 'configure a lane',
  BindSecret: 'say where a secret of a lane lies',
  UnbindSecret: 'take a secret from a lane',
  RotateSecret: 'say that a secret of a lane has changed',
  RaiseIncarnation: 'say that a lane was restored from a backup',
  PublishPolicy: 'publish a policy',
  AddPerson: 'add a person',
  GrantRole: 'give a person a role',
  RevokeRole: 'take a role from a person',
  IssueToken: 'give a person a token',
  RevokeToken: 'take a token from a person',
  DisablePerson: 'shut a person out',
  OpenWorkspace: 'open a workspace',
  SetLimits: 'set what a workspace may take',
  RecordSweep: 'say what was swept',
  RemoveArtifact: 'remove the files of a version',
  Claim: 'take on a step of a promotion',
  Report: 'tell what came of a step',
  Breakage: 'tell that a step broke',
  Weigh: 'move the share of a rehearsal',
  Look: 'judge a canary',
  Undone: 'close a way back',
  Tick: 'ask what is next',
};

/** A binding as it is said after "you are": what one is, in which group, and how far that reaches. */
export function bindingWords({ role, group, prototype, environment }: Binding): string {
  const article = /^[aeo]/.test(role) ? 'an' : 'a';
  const place = [
    prototype === undefined ? '' : ` for ${prototype}`,
    environment === undefined ? '' : ` in ${environment}`,
  ];
  return `${article} ${role.replace('-', ' ')}${group === undefined ? '' : ` of group/${group}`}${place.join('')}`;
}
