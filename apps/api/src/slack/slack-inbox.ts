import type { Inbox, InboxItem } from '@proviso/channels';
import { mayRead } from '@proviso/authority';
import { gateIdOf } from '@proviso/domain';
import type { Caller } from '../caller.ts';
import type { Parts } from '../parts.ts';
import { promotionView, viewerOf } from '../promotion-view.ts';
import type { PromotionResource } from '../resources.ts';
import { votedOn } from '../voted-on.ts';

/** Open promotions that one answer looks at, as the page of the inbox does. */
const openMax = 100;

type InboxParts = Pick<Parts, 'config' | 'now'>;

/** Open promotions as somebody may see them; of whoever has no role those on which they vote in another's stead. */
export async function openFor(
  parts: InboxParts,
  caller: Caller,
): Promise<readonly { readonly promotion: PromotionResource; readonly item: InboxItem }[]> {
  const all = async () => (await caller.reads.promotions({ open: true, limit: openMax })).items;
  const items = mayRead(caller.person) ? await all() : await votedOn(caller, all, parts.now());
  const viewer = await viewerOf(parts, caller, items);
  const ids = [...new Set(items.map(({ state }) => state.prototype))];
  const prototypes = await Promise.all(ids.map(async (id) => [id, await caller.reads.prototype(id)] as const));
  const names = new Map(prototypes.map(([id, one]) => [id, one?.state.name ?? id]));
  return items.map((view) => {
    const promotion = promotionView(view, viewer);
    const { candidate, headline } = promotion;
    const page = `${parts.config.publicUrl}/decide/${gateIdOf(view.state.id, 'approval')}`;
    const prototype = names.get(view.state.prototype) ?? view.state.prototype;
    return { promotion, item: { prototype, version: candidate.version, headline, page } };
  });
}

/** What waits for somebody, and what waits for others. */
export async function inboxOf(parts: InboxParts, caller: Caller): Promise<Inbox> {
  const waiting = (await openFor(parts, caller)).filter(({ promotion }) =>
    promotion.gates.some(({ name, status }) => name === 'approval' && status === 'waiting'),
  );
  const [mine, others] = [waiting.filter(isFor), waiting.filter((one) => !isFor(one))];
  return { mine: mine.map(({ item }) => item), others: others.map(({ item }) => item) };
}

/** Where a gate wants another way in it still waits for them, and the button leads there. */
function isFor({ promotion }: { readonly promotion: PromotionResource }): boolean {
  const elsewhere = ['step_up_required', 'channel_not_allowed'];
  return promotion.actions.some(
    ({ rel, allowed, code }) => rel === 'approve' && (allowed || elsewhere.includes(code ?? '')),
  );
}
