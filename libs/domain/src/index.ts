export { builtinOf, builtinPrincipals } from './builtin.ts';
export {
  type Candidate,
  type CandidateManifest,
  type ManifestPart,
  type Provenance,
  manifestParts,
} from './candidate.ts';
export { partOfFile } from './manifest-part.ts';
export { changeTypesBetween } from './policy-tier.ts';
export type {
  Command,
  Decide,
  Defer,
  AskWaiver,
  ApproveWaiver,
  LaneCommand,
  Look,
  PromotionCommand,
  RaiseIncarnation,
  RegisterPrototype,
  Report,
} from './command.ts';
export { type Reach, reachOf } from './reach.ts';
export {
  type Contract,
  type Probe,
  contractProblems,
  contractSchema,
  contractShape,
  readContract,
  requestFields,
} from './contract.ts';
export { glassMinutesMax } from './break-glass.ts';
export { type ApprovalRule } from './approval-rule.ts';
export { type DelegationCommand, type Rights, delegationDaysMax, delegatorsOf } from './delegation.ts';
export { decide } from './decide.ts';
export { type Channel, type Door, channels, closedDoor, freshMsMax, isFresh } from './door.ts';
export { tallyOf } from './deciding.ts';
export { type Decision, type DecisionVerdict, type VoidReason, decisionVerdicts, standing } from './decision.ts';
export { type GateState, type GateStatus, gateStatuses, isBlocked } from './gate.ts';
export type { Calendar, Freeze, FreezeWindow } from './freeze.ts';
export { type BreakGlass, glassApprovalsMin, isUsable } from './glass.ts';
export { type CanarySight, type Outlook, outlookOf } from './headline-canary.ts';
export { pastWaitsMin } from './headline-words.ts';
export { isSteerable, mayHasten, type PaceKind, paceKinds, paceOf } from './pace.ts';
export type { Cursor, FollowerLease, Prompt, PromptRegister, PromptShown, PromptWish } from './prompt.ts';
export type { OpenQuestion, Question, QuestionRegister } from './question.ts';
export { type Headline, type HeadlineFacts, type PromotionStanding, headline, promotionStates } from './headline.ts';
export {
  type CandidateId,
  type DecisionId,
  type Digest,
  type Id,
  type IdKind,
  type LaneId,
  type PersonId,
  type PolicyId,
  type PromotionId,
  type PrototypeId,
  type ReleaseId,
  type SessionId,
  type WaiverId,
  type WebhookId,
  type WorkspaceId,
  gateIdOf,
  gateOf,
  idFrom,
  idKinds,
  isDigest,
  isId,
  releaseIdOf,
  uuidOf,
} from './id.ts';
export {
  type Environment,
  type Fence,
  type Hold,
  type LaneEvent,
  type LaneMove,
  type LaneState,
  type Release,
  decideLane,
  environments,
  configurationOf,
  evolveLane,
  fenceAheadMax,
  isNewerFence,
  leaseMs,
  needsLease,
} from './lane.ts';
export {
  type LimitName,
  type Limits,
  type Place,
  type Usage,
  bytesWords,
  defaultLimits,
  limitBounds,
  limitsOf,
  noRoom,
  placeOf,
} from './limits.ts';
export { type Onward, type Step, type WaitReason, blockedExpiresMs, currentGate, deadlineOf, next } from './next.ts';
export {
  type Binding,
  type Identity,
  type IdentityHolder,
  type PersonCommand,
  type PersonEvent,
  type PersonState,
  type PrincipalKind,
  type Role,
  type TokenRecord,
  lenderOf,
  evolvePerson,
  identitiesOf,
  principalKinds,
  roles,
} from './person.ts';
export {
  type CanaryMetric,
  type CanaryMetrics,
  type CanaryRule,
  type MetricRule,
  type RampRule,
  edgeBounds,
  metricNames,
} from './canary-rule.ts';
export type { PlanRamp } from './canary-document.ts';
export {
  type MetricQuery,
  type MetricQueryReading,
  type QueryMatcher,
  queryValues,
  type QueryValue,
  readMetricQuery,
} from './metric-query.ts';
export {
  type GateName,
  type GateRule,
  type Policy,
  type ChangeType,
  type PolicyProblem,
  type Tier,
  changeTypes,
  gateNames,
  pinnedRule,
  policyProblem,
  ruleOf,
} from './policy.ts';
export {
  type PolicyDocument,
  policyFrom,
  policySchema,
  policySense,
  policyShape,
} from './policy-document.ts';
export {
  type PolicyCommand,
  type PolicyEvent,
  type PolicyState,
  type PolicyVersion,
  enduring,
  versionInForce,
  weakerMsMax,
} from './policy-publication.ts';
export { type Replayed, type ReplayedEnd, replayPromotion } from './policy-replay.ts';
export { type TriedVote, tryVote } from './tried-vote.ts';
export { type PolicyEdit, type Strength, comparePolicies, strengthOf, strengths } from './policy-strength.ts';
export { type Demand, type Requirement, demandWords, leavesOf } from './demand.ts';
export {
  type Outcome,
  type PromotionState,
  type Undo,
  artifactOf,
  evolvePromotion,
  findGate,
  gateIn,
  outcomes,
} from './promotion.ts';
export type { Opening, PromotionEvent } from './promotion-event.ts';
export {
  type KeptArtifact,
  type PrototypeCommand,
  type PrototypeEvent,
  type PrototypeState,
  candidateOf,
  evolvePrototype,
  sameContent,
} from './prototype.ts';
export { type EligibleVote, type Tally, matchQuorum, missingWords } from './quorum.ts';
export { type Finding, type Waiver, openReasons, standingWaivers } from './standing-waiver.ts';
export { waivableGates } from './waiver.ts';
export { type Deferral, escalationShare, reminderShares } from './reminder.ts';
export { type Refusal, type RefusalCode, invariant, refusal, refusalCodes } from './refusal.ts';
export {
  type AddEvidence,
  type ExternalEvidence,
  type WorkloadClaims,
  type WorkloadCommand,
  type WorkloadRule,
  evidencePerCandidateMax,
  refPattern,
  trusts,
  workloadTokenMaxMs,
  workloadsMax,
} from './workload.ts';
export { type Scope, scopes, tokenDaysMax, tokensMax } from './scope.ts';
export {
  type Answer,
  type Authority,
  type Ballot,
  type Decided,
  type Draft,
  type Scene,
  behindIn,
} from './scene.ts';
export {
  type Exclusion,
  type ExclusionReason,
  exclusionReasons,
  exclusionsOf,
  separate,
  separateLent,
} from './separation.ts';
export {
  type Shape,
  about,
  byKey,
  choice,
  duration,
  durationText,
  flag,
  group,
  integer,
  list,
  number,
  oneOf,
  preset,
  record,
  text,
} from './shape.ts';
export type { Of } from './shape.ts';
export { type ProblemCode, type ProblemPath, type ReadResult, type ShapeProblem, read } from './shape-reading.ts';
export { toJsonSchema } from './shape-schema.ts';
export { type Event, type StreamKind, type StreamState, evolve, streamKinds } from './stream.ts';
export {
  type EvidenceRef,
  type Measure,
  type Reason,
  type Verdict,
  letsThrough,
  verdicts,
  worse,
  worstOf,
} from './verdict.ts';
export {
  type WatchCounts,
  type WatchSeen,
  type WatchStanding,
  type WatchTurn,
  breachesOf,
  seenOf,
  watchStandings,
  watchTimes,
} from './watch.ts';
export { type WatchAction, type WatchCheck, type WatchRule, watchActions, watchChecks } from './watch-rule.ts';
export {
  overlapMsMax,
  type WebhookCommand,
  type WebhookEvent,
  type WebhookState,
  webhooksMax,
  webhookTypesMax,
} from './webhook.ts';
export { type WorkspaceCommand, type WorkspaceEvent, type WorkspaceState, evolveWorkspace } from './workspace.ts';
export {
  type PreviewPass,
  previewLinkMs,
  previewPassText,
  previewPath,
  previewSessionMs,
  previewUnheardMs,
  readPreviewPass,
} from './preview.ts';
export { type RunOrder, pythonPackages, requiredSecretsOf, runOrderOf, startWithPort } from './run-order.ts';
export {
  type Configuration,
  type ConfigurationCommand,
  type ConfigurationEvent,
  type SecretReference,
  emptyConfiguration,
  missingSecrets,
} from './configuration.ts';
