import type {
  Answer,
  Candidate,
  Channel,
  Command,
  Digest,
  Door,
  EvidenceRef,
  GateName,
  Id,
  Identity,
  LaneId,
  LaneState,
  PersonId,
  PersonState,
  PolicyState,
  PromotionId,
  PromotionState,
  PromptRegister,
  QuestionRegister,
  PrototypeId,
  PrototypeState,
  Refusal,
  Role,
  StreamKind,
  Usage,
  WorkspaceId,
  WorkspaceState,
} from '@proviso/domain';
import type { BrowserSessions } from './browser-sessions.ts';
import type { LookPoint, LookRow, LookView, SeriesQuery } from './look-view.ts';
import type { Webhooks } from './webhooks.ts';

/** One request for a change, from whichever door. */
export interface Submission {
  readonly workspace: WorkspaceId;
  readonly actor: PersonId;
  readonly command: Command;
  /** The same key and command replays the answer; the same key with another command is a conflict. */
  readonly idempotencyKey: string;
  /** How the actor proved who they are, and through which door: `token/rest`, `local/cli`, `service/worker`. */
  readonly authn: string;
  /** How they came in, and when they last proved who they are; absent: a process of ours. */
  readonly door?: Door;
  /** The actor's token, when they came with one: it must still hold, and tells whether it is theirs alone. */
  readonly token?: Id<'tok'>;
  /** Free text of a person. It goes to the vault, encrypted; the entry holds a commitment only. */
  readonly reason?: string;
  /** Name and address of a person that is being added; vault only. */
  readonly personal?: { readonly name: string; readonly email?: string };
  /** Where a webhook is, and what its events are signed with; sealed beside the entry. */
  readonly webhook?: { readonly address?: string; readonly secret: string };
  /** A look's row, stored with the command that reports it. */
  readonly look?: LookRow;
  /** What the sender looked at before: compared with the locked row of the prototype or policy, in the same transaction. */
  readonly onRevision?: ExpectedRevision;
}

/** A no that a door said by itself, before there was a command. */
export interface DoorRefusal {
  readonly workspace: WorkspaceId;
  readonly actor: PersonState;
  /** Who lent the actor the token they came with. */
  readonly lentBy: PersonId | null;
  readonly authn: string;
  readonly told:
    | {
        readonly kind: 'refusal_recorded';
        /** The door as its table names it, such as `GET /v1/people`. */
        readonly door: string;
        readonly code: string;
        readonly rule: string | null;
      }
    /** Mistakes that deserve no entry each: how many of which code since when. */
    | {
        readonly kind: 'refusals_summed';
        readonly since: string;
        readonly codes: Readonly<Record<string, number>>;
      };
}

/** One of these revisions, or any: then the thing must merely exist. */
export type ExpectedRevision = 'any' | readonly number[];

/** What came of it. Both mean durable in PostgreSQL. */
export type Receipt =
  | {
      readonly kind: 'accepted';
      readonly answer: Answer;
      readonly revision: number;
      readonly entries: readonly number[];
      readonly replayed: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly replayed: boolean };

/** A page by keyset: `next` is the cursor of the following page, null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** All that is held about a person beside what entries say; null and empty once they were erased. */
export interface PersonalView {
  readonly name: string | null;
  readonly email: string | null;
  /** What they wrote as reasons and comments; the entries hold commitments to them. */
  readonly texts: readonly string[];
  /** More was held than one answer has room for. */
  readonly truncated: boolean;
}

/** A promotion as read: its state, its stream's revision, and what the words of a headline need. */
export interface PromotionView {
  readonly state: PromotionState;
  readonly revision: number;
  readonly production: LaneView | null;
  readonly people: Readonly<Record<string, PersonState>>;
  /** The newest look at its canary. */
  readonly lastLook: LookView | null;
}

/** How long people took to answer once, at a gate of a promotion of this prototype. */
export interface PastWait {
  readonly prototype: PrototypeId;
  readonly ms: number;
}

/** A prototype as read, with its stream's revision: what a change may be bound to. */
export interface PrototypeView {
  readonly state: PrototypeState;
  readonly revision: number;
}

/** A policy as read, with its stream's revision. */
export interface PolicyView {
  readonly state: PolicyState;
  readonly revision: number;
}

/** A workspace as read, with its stream's revision. */
export interface WorkspaceView {
  readonly state: WorkspaceState;
  readonly revision: number;
}

/** A lane as read: `leaseRemainingMs` is by the database's clock, null when no lease was ever granted. */
export interface LaneView {
  readonly state: LaneState;
  readonly revision: number;
  readonly leaseRemainingMs: number | null;
}

/** An entry as read: `bytes` is the canonical form that is hashed, `position` its place in the one public order. */
export interface EntryView {
  readonly id: number;
  readonly stream: StreamKind;
  readonly streamId: string;
  readonly sseq: number;
  readonly kind: string;
  readonly at: string;
  readonly bytes: string;
  readonly hash: string;
  readonly position: number | null;
}

/** What somebody has said about a promotion; the words are null once their writer was erased. */
export interface CommentView {
  readonly entry: EntryView;
  readonly text: string | null;
}

/** Which log positions are counted in: after a restored backup it is another, and its positions name other entries. */
export interface LogView {
  readonly incarnation: string;
  readonly last: number;
}

/** What an edge must make true, before the API adds the contracts of the releases. */
export interface EdgeLane {
  readonly lane: LaneView;
  readonly prototype: PrototypeState;
}

/** Reads of one workspace. Every one runs under that workspace's row-level security. */
export interface Reads {
  readonly promotion: (id: PromotionId) => Promise<PromotionView | null>;
  readonly promotions: (query: {
    prototype?: PrototypeId;
    open?: boolean;
    after?: string;
    limit: number;
  }) => Promise<Page<PromotionView>>;
  /** Waits for an answer at this gate in the workspace's newest promotions, newest first; a bounded number of both. */
  readonly pastWaits: (gate: GateName) => Promise<readonly PastWait[]>;
  readonly prototype: (id: PrototypeId) => Promise<PrototypeView | null>;
  readonly prototypes: (query: { after?: string; limit: number }) => Promise<Page<PrototypeView>>;
  /** Those of which a version was frozen from that repository at GitHub, `owner/name`. */
  readonly prototypesFrom: (repository: string, limit: number) => Promise<readonly PrototypeView[]>;
  readonly candidateByManifest: (prototype: PrototypeId, manifest: Digest) => Promise<Candidate | null>;
  /** What was answered under a key, whatever was asked; null: nothing was. */
  readonly receipt: (key: string) => Promise<Receipt | null>;
  readonly policy: (id: string) => Promise<PolicyView | null>;
  readonly policyNamed: (name: string) => Promise<PolicyState | null>;
  readonly policies: (query: { after?: string; limit: number }) => Promise<Page<PolicyView>>;
  readonly person: (id: PersonId) => Promise<PersonState | null>;
  /** The day of the last use of each of these tokens, `YYYY-MM-DD`; those that were never used are left out. */
  readonly tokenUses: (hashes: readonly Digest[]) => Promise<Readonly<Record<Digest, string>>>;
  readonly people: (query: { after?: string; limit: number }) => Promise<Page<PersonState>>;
  /**
   * Who changed within this time and is disabled now, or without any of these roles: whoever let them in by something
   * signed must let them out again.
   */
  readonly shutOutWithin: (ms: number, roles: readonly Role[]) => Promise<readonly PersonId[]>;
  /** All that the vault holds about a person. Whoever asks this records first that they do. */
  readonly personal: (id: PersonId) => Promise<PersonalView>;
  /** Names from the vault; a person who was erased is told so. */
  readonly names: (ids: readonly PersonId[]) => Promise<Readonly<Record<string, string>>>;
  /** Free-text reasons of a stream's entries by entry id, decrypted; one whose writer was erased is told so. */
  readonly reasons: (entries: readonly number[]) => Promise<Readonly<Record<number, string>>>;
  readonly lane: (id: LaneId) => Promise<LaneView | null>;
  readonly lanes: (query: { after?: string; limit: number }) => Promise<Page<LaneView>>;
  readonly edgeLanes: () => Promise<readonly EdgeLane[]>;
  /** The promotions of what serves in these lanes, by lane; a lane that serves nothing is left out. */
  readonly serving: (lanes: readonly LaneId[]) => Promise<Readonly<Record<LaneId, PromotionState>>>;
  readonly history: (query: {
    stream: StreamKind;
    id: string;
    after?: number;
    limit: number;
  }) => Promise<readonly EntryView[]>;
  /** The newest comments on a promotion, newest first. */
  readonly comments: (promotion: PromotionId, limit: number) => Promise<readonly CommentView[]>;
  /** Sequenced entries after a ledger position, oldest first. */
  readonly events: (query: { after: number; limit: number }) => Promise<readonly EntryView[]>;
  /** The log that positions belong to, and this workspace's last one in it; -1 before the first. */
  readonly log: () => Promise<LogView>;
  readonly looks: (promotion: PromotionId, limit: number) => Promise<readonly LookRow[]>;
  /** The stored looks as a series, oldest first, after a number and from a moment on. */
  readonly series: (query: SeriesQuery) => Promise<readonly LookPoint[]>;
  readonly workspaceName: () => Promise<string | null>;
  /** The workspace with its limits; null when it was never opened. */
  readonly workspace: () => Promise<WorkspaceView | null>;
  /** What it takes at the moment. */
  readonly usage: () => Promise<Usage>;
  /** Open promotions that run a candidate or wait for a limit before they do, oldest first. */
  readonly places: () => Promise<readonly { readonly promotion: PromotionId; readonly waits: boolean }[]>;
  /** True when no prototype of this workspace keeps the files of the artifact any more. */
  readonly artifactRemoved: (digest: Digest) => Promise<boolean>;
  /** Only evidence that an entry of this workspace names can be read by it. */
  readonly evidence: (digest: Digest) => Promise<EvidenceRef | null>;
  /** What was frozen or built here, newest first. */
  readonly artifacts: (limit: number) => Promise<readonly Digest[]>;
}

/** Who a credential belongs to; null when nobody, or expired. */
export interface Principal {
  readonly workspace: WorkspaceId;
  readonly person: PersonId;
}

/** The journal as every door and every activity sees it. */
export interface Journal {
  readonly submit: (submission: Submission) => Promise<Receipt>;
  /** Records what a door refused by itself. */
  readonly recordAtDoor: (said: DoorRefusal) => Promise<void>;
  readonly reads: (workspace: WorkspaceId) => Reads;
  readonly principalOfToken: (tokenHash: Digest) => Promise<Principal | null>;
  /** Whose account elsewhere it is. */
  readonly principalOfIdentity: (identity: Identity) => Promise<Principal | null>;
  readonly sessions: BrowserSessions;
  readonly webhooks: Webhooks;
  /** Where a channel's messages stand, and how far it has read the public order. */
  readonly prompts: (workspace: WorkspaceId, channel: Channel) => PromptRegister;
  /** Who waits outside for a word about a commit. */
  readonly questions: (workspace: WorkspaceId) => QuestionRegister;
  /** A keyed digest of the address that a commit names somebody by: only this deployment could try others against it. */
  readonly authorMark: (workspace: WorkspaceId, address: string) => Digest;
  /** Notes that a token was used today, by the database's clock. */
  readonly noteTokenUse: (workspace: WorkspaceId, tokenHash: Digest) => Promise<void>;
  /** Records the fences and releases that an edge says it runs. */
  readonly recordEdgeReport: (workspace: WorkspaceId, edge: string, report: unknown) => Promise<void>;
  readonly edgeReports: (
    workspace: WorkspaceId,
  ) => Promise<readonly { readonly edge: string; readonly report: unknown; readonly ageMs: number }[]>;
  /** Resolves when the database answers; throws a JournalFailure otherwise. */
  readonly ping: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** How to reach the database and who we are in it. */
export interface JournalOptions {
  /** Connects as a member of `proviso_app`; a superuser or a role with BYPASSRLS is refused at start. */
  readonly url: string;
  readonly connectionsMax: number;
  /** The deployment's name in every entry. */
  readonly origin: string;
  /** 32 bytes, hexadecimal: wraps the per-person keys of the vault. */
  readonly vaultKeyHex: string;
  readonly onError?: (error: Error) => void;
  /** Refuses a server that may forget what it acknowledged; true unless a test says otherwise. */
  readonly durable?: boolean;
}
