import { votesInStead } from '@proviso/authority';
import { type Digest, gateOf, isDigest, isId } from '@proviso/domain';
import type { PromotionView, Reads } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import { paramOf } from './parsing.ts';
import { peopleBehind } from './person-ref.ts';

/** Open promotions among which a document is looked for: a workspace has some dozen at a time. */
const openMax = 100;

/**
 * True when the address names what the caller is to vote on by a right that was given to them, and as long as it is: the
 * promotion, a gate of it or, while it is open, a document that one of its gates rests on.
 */
export async function votesOnNamed(
  { person, reads }: Pick<Caller, 'person' | 'reads'>,
  request: FastifyRequest,
  now: number,
): Promise<boolean> {
  const given = person.bindings.filter(({ from, until = 0 }) => from !== undefined && until > now);
  if (given.length === 0) return false;
  const [people, views] = await Promise.all([
    peopleBehind(
      reads,
      given.map(({ from }) => from),
    ),
    viewsNamed(request, reads),
  ]);
  return views.some(({ state }) => votesInStead(person, state, { people, now }));
}

async function viewsNamed(request: FastifyRequest, reads: Reads): Promise<readonly PromotionView[]> {
  const digest = paramOf(request, 'digest');
  if (isDigest(digest)) return await restingOn(digest, reads);
  const id = paramOf(request, 'id');
  const promotion = isId('prm', id) ? id : gateOf(id)?.promotion;
  const view = promotion === undefined ? null : await reads.promotion(promotion);
  return view === null ? [] : [view];
}

async function restingOn(digest: Digest, reads: Reads): Promise<readonly PromotionView[]> {
  const { items } = await reads.promotions({ open: true, limit: openMax });
  return items.filter(({ state }) => state.gates.some(({ evidence }) => evidence.some((one) => one.digest === digest)));
}
