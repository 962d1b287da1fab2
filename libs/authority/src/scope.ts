import { type Refusal, type Scope, refusal } from '@proviso/domain';
import type { Verb } from './ability.ts';

/**
 * The scopes that hold each verb. Total, so that no new command comes without a word about it; a verb with none is for
 * whole tokens only, and for those who need no token at all.
 */
const scopesOf: Readonly<Record<Verb, readonly Scope[]>> = {
  read: ['read', 'agent'],
  run_edge: ['edge'],
  RegisterPrototype: ['build'],
  AssignOwner: ['operate'],
  FreezeCandidate: ['build'],
  OpenPromotion: ['build', 'agent'],
  Comment: ['build', 'operate', 'decide', 'agent'],
  Rerun: ['build', 'operate', 'agent'],
  Cancel: ['build', 'operate'],
  Rollback: ['build', 'operate', 'agent'],
  Pause: ['build', 'operate', 'agent'],
  Unpause: ['operate'],
  Advance: ['operate'],
  Decide: ['decide'],
  Defer: ['decide'],
  ApproveWaiver: ['decide'],
  ApproveBreakGlass: ['decide'],
  ReviewBreakGlass: ['decide'],
  // Whoever has a narrow token in their hands must not make a right out of it that outlives it.
  Delegate: [],
  EndDelegation: ['decide'],
  AskWaiver: ['build', 'operate'],
  AskBreakGlass: ['build', 'operate'],
  Retire: ['operate'],
  TrustPrototype: ['operate'],
  TrustWorkload: ['operate'],
  DistrustWorkload: ['operate'],
  AddEvidence: ['evidence'],
  HoldLane: ['operate'],
  ResumeLane: ['operate'],
  SetVariable: ['operate'],
  UnsetVariable: ['operate'],
  BindSecret: ['operate'],
  UnbindSecret: ['operate'],
  RotateSecret: ['operate'],
  SetLimits: ['operate'],
  PublishPolicy: ['publish'],
  AgreeToPolicy: ['administer'],
  AssignTier: ['publish'],
  AddPerson: ['administer'],
  GrantRole: ['administer'],
  RevokeRole: ['administer'],
  IssueToken: ['administer'],
  RevokeToken: ['administer'],
  DisablePerson: ['administer'],
  ErasePerson: ['administer'],
  ReadPersonal: ['administer'],
  UnlinkIdentity: ['administer'],
  EndSessions: ['administer'],
  LinkIdentity: [],
  IssueOwnToken: [],
  OpenWorkspace: [],
  RecordSweep: [],
  AddWebhook: ['operate', 'administer'],
  ChangeWebhook: ['operate', 'administer'],
  RotateWebhook: ['operate', 'administer'],
  RemoveWebhook: ['operate', 'administer'],
  ResendWebhook: ['operate', 'administer'],
  StopWebhook: [],
  RemoveArtifact: [],
  RaiseIncarnation: [],
  Claim: [],
  Report: [],
  Breakage: [],
  Weigh: [],
  Look: [],
  ClaimWatch: [],
  ReportWatch: [],
  Undone: [],
  Tick: [],
};

/** A token's part of the answer: it narrows what its person may, and never adds to it. Null: a whole token, or none. */
export function outOfScope(held: readonly Scope[] | null, verb: Verb): Refusal | null {
  if (held === null) return null;
  const wanted = scopesOf[verb];
  if (wanted.some((scope) => held.includes(scope))) return null;
  const [first = 'whole'] = wanted;
  const words = wanted.length === 0 ? 'a token without scopes' : `a token with the scope ${wanted.join(' or ')}`;
  return refusal('scope_missing', `expected ${words}, got one with ${held.join(', ')}`, {
    rule: `token/${first}`,
  });
}

/** Scope by verb as text that a person can read and diff. */
export function scopeMatrix(): string {
  const rows = Object.entries(scopesOf).filter(([, scopes]) => scopes.length > 0);
  const width = Math.max(...rows.map(([verb]) => verb.length));
  return rows
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([verb, scopes]) => `${verb.padEnd(width)}  ${scopes.join(' ')}`)
    .join('\n');
}
