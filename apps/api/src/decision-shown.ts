import type { ChangeSinceLive } from './change-since-live.ts';
import type { CommentsShown } from './comment-section.ts';
import type { Html } from './html.ts';
import type { Reader } from './page.ts';
import type { GateResource, PromotionResource } from './resources.ts';

/** Everything the page of one gate shows. */
export interface DecisionShown {
  readonly promotion: PromotionResource;
  readonly gate: GateResource;
  readonly prototype: string;
  readonly change: ChangeSinceLive | null;
  readonly comments: CommentsShown;
  readonly reader: Reader & { readonly id: string };
  /** Who may break the glass, as the pinned policy says; null when it has none. */
  readonly glassFrom: string | null;
  /** For how many days a risk may be let pass, as the pinned policy says; null when nobody may let one. */
  readonly waiverDaysMax: number | null;
  /** Until when the reader counts as freshly signed in; null when they do not. */
  readonly freshUntil: string | null;
  readonly now: number;
  /** Makes a form that is sent twice one decision. */
  readonly key: string;
  /** What the reader was refused just now, if anything. */
  readonly told: Html | null;
}
