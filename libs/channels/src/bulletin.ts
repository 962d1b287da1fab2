import type { Digest, GateName, GateStatus, PromotionId, PromotionStanding } from '@proviso/domain';

/**
 * What every channel may say about a promotion at one revision, in the server's own words. No person is named in it: what
 * stands in other people's places could not be erased with them.
 */
export interface Bulletin {
  readonly promotion: PromotionId;
  readonly revision: number;
  /** As its builder named it: a stranger's words, like the version and the paths of files. */
  readonly prototype: string;
  readonly version: string;
  /** The commit that it was frozen from, where GitHub is its source; null for everything else. */
  readonly source: CommitSource | null;
  /** Of two promotions of one thing the later one is told. */
  readonly openedAt: number;
  readonly standing: PromotionStanding;
  readonly headline: string;
  readonly ended: boolean;
  /** Machine gates that have said something, in the policy's order. */
  readonly checks: readonly Check[];
  /** What is other than live; null: nobody is served yet. */
  readonly change: Change | null;
  /** The approval gate; null: the policy asks nobody. */
  readonly ask: Ask | null;
  /** Users are on this version, or some of them, and it can be taken back from here. */
  readonly canRollBack: boolean;
  /** Where a person sees all of it: our page of its gate, and the version itself. */
  readonly links: { readonly page: string; readonly preview: string | null };
}

/** A commit at GitHub. */
export interface CommitSource {
  /** As `owner/name`. */
  readonly repository: string;
  readonly commit: string;
}

/** A machine gate's word, and what the live version got at the same gate. */
export interface Check {
  readonly gate: GateName;
  readonly attempt: number;
  readonly status: GateStatus;
  /** The measured value, or the first reason. */
  readonly words: string;
  readonly live: string | null;
  readonly evidence: readonly { readonly kind: string; readonly url: string }[];
}

/** What another version would bring to users who are on the live one. */
export interface Change {
  readonly liveVersion: string;
  /** Parts that differ, such as code, model or prompt. */
  readonly types: readonly string[];
  /** Null when the files of one of them are gone. */
  readonly files: {
    readonly added: number;
    readonly changed: number;
    readonly removed: number;
    readonly named: readonly { readonly word: string; readonly path: string }[];
  } | null;
}

/** What people are asked at a promotion's approval, as far as they are asked now. */
export interface Ask {
  readonly attempt: number;
  readonly status: GateStatus;
  /** What a decision would be bound to; null while nobody can be asked. */
  readonly bound: { readonly artifact: Digest; readonly evidenceDigest: Digest } | null;
  /** Whose word is asked for, such as `group/security`, with how many have given it. */
  readonly requirements: readonly { readonly from: string; readonly count: number; readonly have: number }[];
  /** The ways in that the policy names; null: all. */
  readonly channels: readonly string[] | null;
  /** Whether it wants a fresh sign-in at the page. */
  readonly stepUp: boolean;
  /** It was passed in an emergency, without the people who were to agree. */
  readonly isGlassBroken: boolean;
  readonly reminded: number;
  readonly escalatedTo: string | null;
}

/** True when it is people's turn and there is something to decide on. */
export function isAsking(ask: Ask | null): ask is Ask & { readonly bound: NonNullable<Ask['bound']> } {
  return ask !== null && ask.status === 'waiting' && ask.bound !== null;
}
