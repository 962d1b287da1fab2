import { votesInStead } from '@proviso/authority';
import { type Digest, gateOf, isDigest, isId } from '@proviso/domain';
import type { PromotionView, Reads } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import { paramOf } from './parsing.ts';
import { peopleBehind } from './person-ref.ts';

/** Open promotions among which a document is looked for: a workspace has some dozen at a time. */
const openMax = 100;

type Voter = Pick<Caller, 'person' | 'reads'>;

/**
 * True when the address names what the caller is to vote on by a right that was given to them, and as long as it is: the
 * promotion, a gate of it or, while it is open, a document that one of its gates rests on; where it names nothing, any that
 * is open.
 */
export async function votesOnNamed(voter: Voter, request: FastifyRequest, now: number): Promise<boolean> {
  return (await votedOn(voter, () => viewsNamed(request, voter.reads), now)).length > 0;
}

/** Those of the promotions on which the caller is to vote by a right that was given to them; without one none is read. */
export async function votedOn(
  { person, reads }: Voter,
  views: () => Promise<readonly PromotionView[]>,
  now: number,
): Promise<readonly PromotionView[]> {
  const given = person.bindings.filter(({ from, until = 0 }) => from !== undefined && until > now);
  if (given.length === 0) return [];
  const behind = given.map(({ from }) => from);
  const [people, found] = await Promise.all([peopleBehind(reads, behind), views()]);
  return found.filter(({ state }) => votesInStead(person, state, { people, now }));
}

async function viewsNamed(request: FastifyRequest, reads: Reads): Promise<readonly PromotionView[]> {
  if (Object.keys(request.params as object).length === 0)
    return (await reads.promotions({ open: true, limit: openMax })).items;
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
