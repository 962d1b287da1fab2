import type { PromotionId, PrototypeId } from './id.ts';

/** A copy that should stand somewhere, as whoever decides about it names it. */
export interface PromptWish {
  /** What it is about and where: the same wish twice is one copy. */
  readonly key: string;
  readonly promotion: PromotionId;
  readonly conversation: string;
  /** The key of the copy in whose thread it belongs; null: it stands by itself. */
  readonly thread: string | null;
  /** Said once and never changed, such as a reminder. */
  readonly once: boolean;
}

/** A copy as registered. What it should say is not in here: that follows from its promotion alone. */
export interface Prompt extends PromptWish {
  /** Unguessable; what is pressed on a copy names it by this. */
  readonly token: string;
  /** Its id over there; null until it was posted. */
  readonly address: string | null;
  /** The address of the copy in whose thread it belongs. */
  readonly threadAddress: string | null;
  /** Since when a posting is under way whose end nobody knows; null: none is. */
  readonly postingSince: number | null;
  /** Grows with whatever happens to its promotion; a copy that shows less is behind. */
  readonly wanted: number;
  readonly shown: number;
  /** A digest of what was drawn last; null before, and when somebody else may have drawn over it. */
  readonly drawn: string | null;
  readonly tries: number;
}

/** What a copy says now. */
export interface PromptShown {
  readonly key: string;
  readonly address: string;
  /** The count that was wanted when it was drawn. */
  readonly shown: number;
  /** The promotion's revision that it was drawn from. */
  readonly revision: number;
  readonly drawn: string;
  /** Its promotion has ended. */
  readonly final: boolean;
}

/** How far a channel has read the public order; null before its first turn. */
export interface Cursor {
  readonly incarnation: string;
  readonly position: number;
}

/** The right to follow for a channel, for a while. */
export interface FollowerLease {
  readonly epoch: number;
  readonly cursor: Cursor | null;
}

/** A channel's cursor and its copies, as kept. Every write but `disturb` asks for the epoch, so a frozen follower that wakes up changes nothing. */
export interface PromptRegister {
  /** Takes or keeps the lease; null while another process holds it. */
  readonly lease: (holder: string, forMs: number) => Promise<FollowerLease | null>;
  /** Lets it go at once, so that the next process need not wait for its end. */
  readonly release: (holder: string) => Promise<void>;
  /** How far the channel has followed the log; null before it ever has. */
  readonly followed: () => Promise<Cursor | null>;
  /**
   * Moves the cursor, calls every copy of the named promotions behind, with those of the open ones of these prototypes, or
   * every copy that is not final, and registers what is wished for and not there, all in one transaction. False: the lease
   * was lost, and nothing was written.
   */
  readonly advance: (
    epoch: number,
    step: {
      readonly cursor: Cursor;
      readonly named: readonly PromotionId[];
      readonly prototypes: readonly PrototypeId[];
      readonly all: boolean;
      readonly wishes: readonly (PromptWish & { readonly token: string })[];
    },
  ) => Promise<boolean>;
  /** Copies that are behind and may be tried now; of a thread only once the copy that it hangs on is there. */
  readonly due: (limit: number) => Promise<readonly Prompt[]>;
  /** Notes that a posting begins. If we die after it, the next try looks for the message before it posts another. */
  readonly begin: (epoch: number, key: string) => Promise<boolean>;
  /** False: the lease was lost meanwhile, or another message is the copy. */
  readonly settle: (epoch: number, shown: PromptShown) => Promise<boolean>;
  /** Tries again after this time, or never when a reason is given. */
  readonly putOff: (
    epoch: number,
    what: {
      readonly key: string;
      readonly forMs: number;
      readonly givenUp: string | null;
      readonly isCertain: boolean;
    },
  ) => Promise<void>;
  /**
   * Somebody who lost the lead has posted this copy at an address, or written an older text over it there: whoever follows
   * draws it anew. Answers the address that counts, which is the first that was told.
   */
  readonly disturb: (key: string, address: string) => Promise<string>;
  readonly byToken: (token: string) => Promise<Prompt | null>;
  /** The copies of a conversation, such as of a commit at GitHub; empty when nothing stands or should stand there. */
  readonly inConversation: (conversation: string) => Promise<readonly Prompt[]>;
}
