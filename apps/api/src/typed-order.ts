import { type PromotionRel, mayRead } from '@proviso/authority';
import { quoted } from '@proviso/channels';
import { type PrototypeId, currentGate } from '@proviso/domain';
import type { PromotionView, PrototypeView } from '@proviso/journal';
import type { Caller } from './caller.ts';
import { type SubmitParts, type Told, toldByChannel } from './channel-submission.ts';
import { bodies } from './forms.ts';
import type { Parts } from './parts.ts';
import { promotionView, viewerOf } from './promotion-view.ts';
import { prototypeIdOf } from './prototype-id.ts';

/** What may be typed about a promotion beside votes. Which word stands for it, and whether there is one, each channel says. */
export type TypedOrder = 'Comment' | 'Rerun' | 'Pause' | 'Advance' | 'Rollback';

/** By what the actions of a promotion call it. */
const relOf: Readonly<Record<TypedOrder, PromotionRel>> = {
  Comment: 'comment',
  Rerun: 'rerun',
  Pause: 'pause',
  Advance: 'advance',
  Rollback: 'rollback',
};

/** Newest promotions of a prototype that are looked through: what users are on may be older than what waits for people. */
const lookedMax = 20;

/**
 * The promotion that an order about a prototype means: the newest for which it makes sense, whoever asks. Where it makes
 * sense for none, the newest that is under way, or else the newest: the journal then says why not.
 */
export async function promotionMeant(
  parts: Pick<Parts, 'config' | 'now'>,
  caller: Caller,
  { prototype, kind }: { readonly prototype: PrototypeId; readonly kind: TypedOrder },
): Promise<PromotionView | null> {
  const { items } = await caller.reads.promotions({ prototype, limit: lookedMax });
  const viewer = await viewerOf(parts, caller, items);
  const isOffered = (view: PromotionView) => promotionView(view, viewer).actions.some(({ rel }) => rel === relOf[kind]);
  return items.find(isOffered) ?? items.find(({ state }) => state.outcome === null) ?? items[0] ?? null;
}

/** An order as it was typed. */
export interface Ordered {
  readonly kind: TypedOrder;
  readonly view: PromotionView;
  readonly reason: string;
  /** What was done there, so that the same sent again is one change. */
  readonly deed: readonly string[];
  readonly again: string;
}

/** Does it with the person's own rights, by the same function as every other door, and says what came of it. */
export async function toldOfOrder(
  parts: SubmitParts,
  caller: Caller,
  { kind, view, reason: typed, deed, again }: Ordered,
): Promise<Told> {
  const reason = bodies.reason.safeParse({ reason: typed });
  const isOptional = kind === 'Rerun' && typed === '';
  if (!reason.success && !isOptional) return said(kind === 'Comment' ? sayWhat : sayWhy);
  const { id: promotion } = view.state;
  const command =
    kind === 'Rerun' ? { kind, promotion, gate: currentGate(view.state)?.name ?? 'readiness' } : { kind, promotion };
  const order = { deed, command, ...(reason.success ? reason.data : {}) };
  return await toldByChannel(parts, caller, { promotion, order, again });
}

/** What comes of something that never reached the journal. */
export function said(text: string): Told {
  return { text, code: null, page: null, isSure: true };
}

/** The one prototype that somebody means, or why it is none. */
export type Meant =
  | { readonly kind: 'one'; readonly prototype: PrototypeView }
  | { readonly kind: 'none'; readonly why: string };

/** Finds it by the name that was typed. Whoever may not read here learns of no name. */
export async function prototypeMeant({ person, reads, workspace }: Caller, name: string): Promise<Meant> {
  if (!mayRead(person)) return none(noRole);
  if (name === '') return none('Name the prototype: nothing was recorded.');
  const prototype = await reads.prototype(prototypeIdOf(workspace, name.toLowerCase()));
  return prototype === null
    ? none(`No prototype is called ${quoted(name)} here: nothing was recorded.`)
    : { kind: 'one', prototype };
}

/** Nobody is meant, for this reason. */
export function none(why: string): Meant {
  return { kind: 'none', why };
}

/** What people are told who gave no reason where one is wanted. */
export const sayWhy = 'Say why behind the word, in up to 2,000 letters: nothing was recorded.';

const sayWhat = 'Write behind the word what you want to say, in up to 2,000 letters: nothing was recorded.';

/** What people without a role are told. */
export const noRole = 'You have no role that reads this workspace: ask an administrator for one.';
