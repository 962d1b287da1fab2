import type { RequestListener } from 'node:http';
import { type EgressCounts, egressCountsOf, type Isolation, type IsolationWay } from '@proviso/isolation';
import type { BlobSource } from './artifact.ts';
import type { OutputLog } from './output-log.ts';
import type { ReleaseOrder, ReleaseReason, ReleaseReport, ReleaseState, RunContract } from './protocol.ts';
import type { ReleaseEnvironment } from './release-environment.ts';
import type { RunRecord } from './state-file.ts';
import type { Upstream } from './upstream.ts';
import { withoutLines } from './withholding.ts';

/** Where the lines of an edge go; the app decides on form and place. */
export type EdgeLog = (level: 'info' | 'warn' | 'error', event: string, fields: Record<string, unknown>) => void;

/** A release that can take traffic now. */
export interface Endpoint {
  readonly release: string;
  readonly upstream: Upstream;
  readonly errorStatusMin: number;
  /** How the secrets of its lane may look in an answer; gates are not told them. */
  readonly withheld: readonly Buffer[];
}

/** `serving`: all traffic depends on it, so it is restarted when unhealthy and never given up. */
export type KeeperDuty = 'serving' | 'trying';

/** What a keeper is given; `after` is an earlier keeper of the same folder that must have ended. */
export interface KeeperOptions {
  readonly key: string;
  readonly folder: string;
  readonly order: ReleaseOrder;
  readonly duty: KeeperDuty;
  /** The lane's fence as text: a person who resumes a lane means its releases to be tried again. */
  readonly fence: string;
  readonly blobs: BlobSource;
  readonly isolation: Isolation;
  /** Fixed for the life of a keeper: a newer configuration is another keeper. */
  readonly configurationRevision: number;
  /** Reads the values for a start; kept by nobody but the process. */
  readonly environment: (contract: RunContract) => Promise<ReleaseEnvironment>;
  /** Takes what the release reports of its answers; null where nobody listens. */
  readonly receive: RequestListener | null;
  readonly adopt: RunRecord | null;
  readonly after: Promise<void>;
  readonly saveRun: (run: RunRecord) => void;
  readonly dropRun: (marker: string) => void;
  readonly log: EdgeLog;
}

const DETAIL_LENGTH_MAX = 2_000;
const ERROR_STATUS_MIN = 500;

/** What serves now: the way to it, and the process behind it unless the edge itself serves the files. */
export interface Run {
  readonly endpoint: Endpoint;
  readonly process: { readonly pid: number; readonly port: number; readonly isolation: IsolationWay } | null;
}

/** Everything that changes about a kept release; owned by the keeper's loop, read by everybody else. */
export interface Keeping {
  readonly options: KeeperOptions;
  readonly output: OutputLog;
  readonly stopping: AbortController;
  order: ReleaseOrder;
  duty: KeeperDuty;
  fence: string;
  state: ReleaseState;
  reason: ReleaseReason | undefined;
  detail: string | undefined;
  treeDigest: ReleaseReport['treeDigest'];
  /** How the secrets of its process may look in what it says. */
  withheld: readonly string[];
  /** Taken over from an earlier edge: what lies there now need not be what the process was given. */
  isUnsure: boolean;
  run: Run | null;
  /** Over all runs: a release that is started anew is still the same release. */
  readonly egress: EgressCounts;
  restarts: number;
  final: boolean;
  abandoned: boolean;
  /** Aborted when what is on its way has had its time. */
  readonly drained: AbortController;
  /** Called when a new order comes, to wake a keeper that has given up or waits for trust. */
  wake: () => void;
}

/** Says where the release stands, and logs it when that is news. */
export function settle(keeping: Keeping, state: ReleaseState, reason?: ReleaseReason, detail?: string): void {
  const news = keeping.state !== state || keeping.reason !== reason;
  keeping.state = state;
  keeping.reason = reason;
  keeping.detail = detail?.slice(-DETAIL_LENGTH_MAX);
  // The output is a stranger's text and may hold secrets: it goes to the report, never to the log.
  if (news) {
    const level = reason === undefined ? 'info' : 'warn';
    keeping.options.log(level, `release.${state}`, { release: keeping.order.release, ...(reason && { reason }) });
  }
}

/** What the API is told about the release. */
export function reportOf(keeping: Keeping): ReleaseReport {
  const { order, run } = keeping;
  return {
    release: order.release,
    artifactDigest: order.artifactDigest,
    state: keeping.state,
    ...(keeping.reason && { reason: keeping.reason }),
    ...(keeping.detail && { detail: keeping.detail }),
    ...(keeping.treeDigest && { treeDigest: keeping.treeDigest }),
    ...run?.process,
    ...(keeping.egress.size > 0 && { egress: egressCountsOf(keeping.egress) }),
    restarts: keeping.restarts,
    configurationRevision: keeping.options.configurationRevision,
    ...(keeping.final && { final: true }),
  };
}

/** Where its traffic goes, or null when it should get none. */
export function endpointOf(keeping: Keeping): Endpoint | null {
  return keeping.state === 'ready' && keeping.run !== null ? keeping.run.endpoint : null;
}

/** One object for the whole run, since every request asks for it. */
export function newEndpoint({ order, withheld }: Keeping, upstream: Upstream): Endpoint {
  const { errorStatusMin = ERROR_STATUS_MIN } = order.contract;
  const forms = withheld.map((form) => Buffer.from(form));
  return { release: order.release, upstream, errorStatusMin, withheld: forms };
}

/** What may leave the edge of a release's output. */
export function tellable({ withheld, isUnsure }: Pick<Keeping, 'withheld' | 'isUnsure'>, output: string): string {
  if (isUnsure) return '[withheld: an earlier edge gave it secrets that this one cannot be sure of]';
  return withoutLines(output, withheld);
}
