export { type ArtifactFile, type ArtifactManifest, type BlobSource, digestOf, hashTree } from './local/artifact.ts';
export { type EdgeFeed, openEdgeFeed } from './local/edge-feed.ts';
export { messageOf, TargetFailure, type TargetFailureCode } from './local/failure.ts';
export type { EdgeLog, Endpoint } from './local/keeping.ts';
export { GATE_HEADER, gatePassOf } from './local/gate-pass.ts';
export { type LocalTarget, localTarget } from './local/local-target.ts';
export { parseOrders, parseTrialOrder, TRIAL_LEASE_MS_MAX } from './local/orders.ts';
export {
  type ArmCounts,
  type ArtifactDigest,
  compareFences,
  type ArmTotals,
  type CountsThen,
  type EdgeOrders,
  type EndedShare,
  type EdgeReport,
  type Fence,
  type Heat,
  type HealthContract,
  type LaneConfiguration,
  type LaneCounts,
  type LaneHeats,
  type LaneOrder,
  type LaneReport,
  type ReleaseOrder,
  type ReleaseReason,
  type ReleaseReport,
  type ReleaseState,
  type RunContract,
  type TrialOrder,
  type TrialState,
} from './local/protocol.ts';
export { type SecretPlaces } from './local/secret-source.ts';
export { openStateFile, type RunRecord, type StateFile } from './local/state-file.ts';
export { openSupervisor, type Supervisor } from './local/supervisor.ts';
export { blank } from './local/withholding.ts';
export { isTrialId, openTrials, type Trials } from './local/trials.ts';
export { openStaticUpstream } from './local/static-upstream.ts';
export {
  type AnswerFlow,
  type AnswerHeaders,
  type AnswerListener,
  type Conversation,
  openUpstream,
  type ReleaseAddress,
  type Upstream,
  type UpstreamCall,
} from './local/upstream.ts';
