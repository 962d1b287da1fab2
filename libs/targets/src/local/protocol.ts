import type { SecretReference } from '@proviso/domain';
import type { EgressCount, Isolation, IsolationWay } from '@proviso/isolation';

/** The form the API answers in and the edge speaks: no promotions, and of people only whom to let in no longer. */

/** `sha256:` and 64 hexadecimal digits. */
export type ArtifactDigest = `sha256:${string}`;

/** Which order of a lane is newer: first by incarnation, then by counter. It only grows. */
export interface Fence {
  readonly incarnation: number;
  readonly counter: number;
}

/** How a release says it is well. */
export interface HealthContract {
  readonly path: string;
  readonly timeoutMs?: number;
}

/** All that the edge knows about running a release; nothing else reaches the process. */
export interface RunContract {
  /** What runs; a contract without it has a `start` and is a process. */
  readonly kind?: 'static' | 'node' | 'python' | 'command';
  /** The folder, in the release, of the files that are served; only for `static`. */
  readonly root?: string;
  /** Whether unknown pages get index.html; only for `static`. */
  readonly fallback?: boolean;
  /** The hosts it may talk to. */
  readonly egress?: readonly string[];
  /** The command as argv; a first word `node` means the edge's own Node. Empty for `static`. */
  readonly start: readonly string[];
  /** The variable that carries the port. */
  readonly portEnvironment: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly health: HealthContract;
  readonly memoryMbMax?: number;
  readonly readyWithinMs?: number;
  /** The secrets it wants from its lane, by name. */
  readonly secrets?: readonly { readonly name: string; readonly required: boolean }[];
  /** From which status on an answer is a bad event; 500 when it is not said. */
  readonly errorStatusMin?: number;
}

/** One release that should run. */
export interface ReleaseOrder {
  readonly release: string;
  readonly artifactDigest: ArtifactDigest;
  /** Set by an operator: it may run where nothing can be isolated. */
  readonly trusted: boolean;
  readonly contract: RunContract;
}

/** What a lane gives to its releases: plain variables, and where the values of its secrets lie on this machine. */
export interface LaneConfiguration {
  /** A release that runs with an older one is started anew beside itself, and takes over when it is ready. */
  readonly revision: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, { readonly reference: SecretReference; readonly at: number }>>;
}

/** What one lane should serve. A weight strictly between 0 and 100 counts only while its lease lives. */
export interface LaneOrder {
  readonly lane: string;
  readonly environment: 'staging' | 'production';
  /** Host labels the router serves, in lower case and without a port. */
  readonly hosts: readonly string[];
  readonly fence: Fence;
  readonly stable: ReleaseOrder | null;
  readonly canary: ReleaseOrder | null;
  readonly weightPercent: number;
  /** Null when no lease is needed: weight 0 or 100. */
  readonly leaseRemainingMs: number | null;
  readonly closed: boolean;
  /** Absent from an API that knows of none. */
  readonly configuration?: LaneConfiguration;
}

/** The answer to one poll: complete, so that a lane which is not named is not served. */
export interface EdgeOrders {
  readonly incarnation: string;
  readonly lanes: readonly LaneOrder[];
  /** People whom a session of a preview lets in no longer; absent from an API that knows of none. */
  readonly shutOut?: readonly string[];
}

/** Where a release stands on this edge. */
export type ReleaseState = 'fetching' | 'starting' | 'ready' | 'unhealthy' | 'exited' | 'refused' | 'stopped';

/** Why a release is not ready: a closed list, because it is stored and shown. */
export type ReleaseReason =
  | 'not_isolated'
  | 'fetch_failed'
  | 'bad_manifest'
  | 'digest_mismatch'
  | 'start_failed'
  | 'secret_missing'
  | 'secret_unreadable'
  | 'secret_shared'
  | 'exited_early'
  | 'exited'
  | 'health_timeout'
  | 'health_lost'
  | 'memory_exceeded'
  | 'output_flood';

/** What the edge says about one release. */
export interface ReleaseReport {
  readonly release: string;
  readonly artifactDigest: ArtifactDigest;
  readonly state: ReleaseState;
  readonly reason?: ReleaseReason;
  /** The last lines of its output or of the failure, bounded; it is a stranger's text. */
  readonly detail?: string;
  /** The digest of what lies on the disk, computed from the files that run. */
  readonly treeDigest?: ArtifactDigest;
  readonly pid?: number;
  /** On this machine, or inside its sandbox. */
  readonly port?: number;
  /** What keeps its process from everything else; `none` only for what an operator trusts. */
  readonly isolation?: IsolationWay;
  /** The hosts that it asked for, whether or not its contract declares them. */
  readonly egress?: readonly EgressCount[];
  readonly restarts: number;
  /** True when the edge has given up and only a new order changes anything. */
  readonly final?: true;
  /** The revision of the lane's configuration that it runs with. */
  readonly configurationRevision?: number;
  /** The same release with a newer configuration, as long as it is not ready to take over. */
  readonly rotation?: {
    readonly configurationRevision: number;
    readonly state: ReleaseState;
    readonly reason?: ReleaseReason;
  };
}

/** What the edge says about one lane: the fence it runs, not the one it was told last. */
export interface LaneReport {
  readonly lane: string;
  readonly fence: Fence;
  /** The canary's share as served now: 0 when parked or when the canary is not ready. */
  readonly weightServedPercent: number;
  /** True when a share was ordered but its lease has lapsed. */
  readonly parked: boolean;
  readonly releases: readonly ReleaseReport[];
  /** The newest order that was refused because its fence is older than the one being served. */
  readonly ignoredFence?: Fence;
}

/** The body of one poll. */
export interface EdgeReport {
  readonly edge: string;
  /** Random for each start of the edge: counters of two boots must never be subtracted. */
  readonly boot: string;
  /** What this edge can do to keep releases from everything else. */
  readonly isolation?: Pick<Isolation, 'way' | 'limits' | 'why'>;
  readonly lanes: readonly LaneReport[];
}

/** Cumulative counts of one arm since the present fence and boot. */
export interface ArmCounts {
  readonly requests: number;
  readonly units: number;
  /** Units that have had at least one bad event: each counts once, when its first happens. */
  readonly firstBadUnits: number;
  readonly badEvents: number;
  /** Clients that went away before the whole answer: not bad, but worth seeing. */
  readonly aborted: number;
  /** Time to the answer's head, one number per bound and a last one for everything slower. */
  readonly latencyHistogram: readonly number[];
  /**
   * The same of each unit's first request alone: which units meet the canary is drawn once, so only that one is a fresh
   * draw. Absent from an edge that does not know of it, whose latency is then not judged.
   */
  readonly firstLatencyHistogram?: readonly number[];
  /** Units that were met on neither side before: as many first values may be expected. */
  readonly firstUnits?: number;
  /** What the release itself reported, in buckets by metric; absent from an edge that hears nothing. */
  readonly reported?: Readonly<Record<string, readonly number[]>>;
}

/**
 * A few first values that came after one another, compared with each other: how many are the canary's, how many stable's,
 * and twice the number of pairs in which the canary's is the slower one, where a tie is half a pair.
 */
export type Heat = readonly [canary: number, stable: number, twiceAbove: number];

/** The heats of a lane under its fence: how many there were, and the newest of them, the last one at the end. */
export interface LaneHeats {
  readonly finished: number;
  readonly newest: readonly Heat[];
}

/** How far the counters of both arms had come at one moment. */
export interface CountsThen {
  readonly canary: ArmTotals;
  readonly stable: ArmTotals;
  readonly turnedAway: number;
  /** How many heats there were. */
  readonly heatsFinished?: number;
}

/** The part of an arm's counts of which differences are taken whatever the share was before. */
export type ArmTotals = Pick<ArmCounts, 'requests' | 'units' | 'firstBadUnits' | 'badEvents' | 'firstLatencyHistogram'>;

/** A share that is over, with the counters at its beginning and at its end. */
export interface EndedShare extends CountsThen {
  readonly epoch: number;
  readonly weightPercent: number;
  readonly began: CountsThen;
}

/** What a judge reads. A look in which `epoch` changed spans two weights and must be dropped. */
export interface LaneCounts {
  readonly lane: string;
  readonly boot: string;
  readonly fence: Fence;
  /** The canary's share as served now. */
  readonly weightPercent: number;
  readonly parked: boolean;
  /** Grows with each change of the served share, whatever caused it. */
  readonly epoch: number;
  readonly since: string;
  readonly ageMs: number;
  readonly latencyBoundsMs: readonly number[];
  /** Upper bounds of the buckets of what releases reported, by metric. */
  readonly reportedBounds?: Readonly<Record<string, readonly number[]>>;
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
  /** How first values compare from moment to moment. Absent from an edge that does not know of it. */
  readonly heats?: LaneHeats;
  /** Visitors who got the "not open yet" page of a first release. */
  readonly turnedAway: number;
  /** The counters when the present share began. */
  readonly began?: CountsThen;
  /** The share before it under this fence: what a lapsed lease cut short is no less true. */
  readonly ended?: EndedShare;
  /** True when the bound on remembered units was hit: unit counts are then too low. */
  readonly saturated: boolean;
}

/** What the worker asks for when it wants a short-lived process to evaluate. */
export interface TrialOrder extends ReleaseOrder {
  /** The lane whose configuration it gets; the edge knows it, the asker does not. */
  readonly lane?: string;
  readonly leaseMs: number;
}

/** Where a trial stands. */
export interface TrialState {
  readonly id: string;
  /** The host under which the router serves it. */
  readonly host: string;
  readonly leaseRemainingMs: number;
  readonly release: ReleaseReport;
}

/** Negative when `a` is older than `b`, 0 when they are the same. */
export function compareFences(a: Fence, b: Fence): number {
  return a.incarnation - b.incarnation || a.counter - b.counter;
}
