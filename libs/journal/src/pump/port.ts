import type { Digest, EvidenceRef, LaneId, PromotionId, PrototypeId, WorkspaceId } from '@proviso/domain';
import type { WebhookRef } from '../webhooks.ts';

/** A mark that a promotion's workflow must look again. */
export interface DirtyMark {
  readonly workspace: WorkspaceId;
  readonly promotion: PromotionId;
  readonly revision: number;
}

/** A promotion that is open, with how long nothing happened to it. */
export interface OpenPromotion extends DirtyMark {
  readonly idleMs: number;
}

/** A production lane, and what serves in it when its policy has that watched. */
export interface WatchedLane {
  readonly workspace: WorkspaceId;
  readonly lane: LaneId;
  readonly promotion: PromotionId | null;
  readonly everyMs: number | null;
}

/** Evidence that an entry names; of an artifact that every prototype let go longer than the wait ago only the manifest. */
export interface NamedEvidence extends EvidenceRef {
  readonly filesGone: boolean;
}

/** Files that nobody may need any more; whether that is so is decided under the locks. */
export interface OutdatedArtifact {
  readonly workspace: WorkspaceId;
  readonly prototype: PrototypeId;
  readonly digest: Digest;
  readonly bytes: number;
}

/** What a document weighs; `filesBytes` is what the files of an artifact weigh together. */
export interface Weighed {
  readonly digest: Digest;
  readonly bytes: number;
  readonly filesBytes: number | null;
}

/**
 * The background leaders' side. Each leader holds an advisory lock and an epoch; every write checks the epoch, so a
 * frozen leader that wakes up changes nothing.
 */
export interface Pump {
  /** Takes or keeps leadership of a name; null while another process leads. Pings within the idle timeout. */
  readonly lead: (name: 'waker' | 'sequencer' | 'reconciler' | 'courier') => Promise<Leadership | null>;
  readonly close: () => Promise<void>;
}

/** Held leadership. Each call fails with `not_leader` when it was lost. */
export interface Leadership {
  readonly epoch: number;
  readonly ping: () => Promise<void>;
  /** Resolves at the next NOTIFY or after the timeout. */
  readonly awake: (timeoutMs: number) => Promise<void>;
  readonly dirty: (limit: number) => Promise<readonly DirtyMark[]>;
  /** Removes marks that were delivered, unless a newer revision was marked meanwhile. */
  readonly settle: (marks: readonly DirtyMark[]) => Promise<void>;
  /** Gives positions to pending entries in order; answers how many. */
  readonly sequence: (limit: number) => Promise<number>;
  readonly open: (limit: number) => Promise<readonly OpenPromotion[]>;
  /** Every production lane after one, by its id; those that are watched say how often. */
  readonly watched: (after: string, limit: number) => Promise<readonly WatchedLane[]>;
  /** Digests that any workspace's entries name, by keyset: what the collection of orphans must keep. */
  readonly evidence: (after: string, limit: number) => Promise<readonly NamedEvidence[]>;
  /** Versions and builds whose files are kept and older than the retention of their workspace, by keyset. */
  readonly outdated: (after: OutdatedArtifact | null, limit: number) => Promise<readonly OutdatedArtifact[]>;
  /**
   * Removes tokens and sessions that have let nobody in for long, copies of what ended long ago, and questions that were
   * answered long ago, at most so many of each; answers how many.
   */
  readonly sweepPast: (
    limit: number,
  ) => Promise<Readonly<Record<'tokens' | 'sessions' | 'prompts' | 'questions', number>>>;
  /** Writes down what documents weigh, and the files of artifacts; then counts each workspace's evidence anew. */
  readonly weigh: (documents: readonly Weighed[]) => Promise<void>;
  /** Webhooks of all workspaces that something is to be written or sent for now. */
  readonly webhooks: (limit: number) => Promise<readonly WebhookRef[]>;
  readonly resign: () => Promise<void>;
}
