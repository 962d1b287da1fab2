import type { PromotionId } from '@proviso/domain';

/** One look of the judge with the state after it: evidence continues over retries, steps and parking. */
export interface LookRow {
  readonly promotion: PromotionId;
  readonly number: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a look says to people; the judge's memory stays in the row. Times are of the worker's clock. */
export interface LookView {
  readonly at: number;
  readonly weight: number;
  readonly unitsSeen: number;
  /** The judge's reason. */
  readonly reason: string;
  /** Looks in a row in which nobody came. */
  readonly idleLooks: number;
  readonly countedAt: number | null;
  readonly weightSince: number | null;
  /** Visitors of the canary until its proof, and how many of them come in a minute; null while unknown. */
  readonly needed: number | null;
  readonly perMinute: number | null;
  /** Why metrics had no values, in words; null in looks from before they were told. */
  readonly gaps?: readonly string[] | null;
}

/** A look as a point of its canary's series. Evidence is ln E; what was no number when it was stored is null. */
export interface LookPoint {
  readonly number: number;
  /** By the worker's clock. */
  readonly at: number;
  /** The share it was taken under, in percent. */
  readonly weight: number;
  readonly samples: Readonly<Record<'canary' | 'stable', { readonly bad: number; readonly ok: number }>>;
  readonly evidence: {
    readonly against: number | null;
    readonly advance: number | null;
    readonly by: 'stable' | 'objective';
  };
  /** ln E against the canary of errors alone. */
  readonly errors: number | null;
  readonly metrics: readonly {
    readonly metric: string;
    readonly logEvidence: number | null;
    readonly samples: { readonly canary: number; readonly stable: number };
  }[];
  readonly move: string;
  readonly verdict: string;
  readonly reason: string;
  readonly words: string;
}

/** Which points: those after a number, from a moment on by the database's clock, oldest first. */
export interface SeriesQuery {
  readonly promotion: PromotionId;
  readonly after?: number;
  readonly since?: number;
  readonly limit: number;
}
