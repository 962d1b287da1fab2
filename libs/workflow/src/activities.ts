import type { Onward, PromotionId, Step, WatchCheck, WorkspaceId } from '@proviso/domain';

/** All that a run knows: which promotion it drives. What to do is the journal's to say. */
export interface PromotionSubject {
  readonly workspace: WorkspaceId;
  readonly promotion: PromotionId;
}

/** What the story needs done; the worker's `createActivities` satisfies it. */
export interface Activities {
  /** Asks the journal what is next; a passed deadline becomes a fact by asking. */
  readonly look: (subject: PromotionSubject) => Promise<Onward>;
  /** Claim, act, report: one step with its side effects. Answers what is next, whoever did the step in the end. */
  readonly carry: (subject: PromotionSubject & { readonly step: Step }) => Promise<Onward>;
  /** Claim, act, report: one look at a live release. Over: it serves nobody any more, and no other look is needed. */
  readonly watch: (subject: PromotionSubject & { readonly check: WatchCheck }) => Promise<'seen' | 'over'>;
  /** The run was cancelled: orders the way back in the journal. */
  readonly abandon: (subject: PromotionSubject) => Promise<void>;
}
