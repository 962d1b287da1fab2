import { inert, quoted } from '@proviso/channels';
import { type Candidate, type PolicyId, type PromotionId, type PrototypeId, idFrom } from '@proviso/domain';
import type { Caller } from './caller.ts';
import { type SubmitParts, type Told, pageOf, seedOf, toldByChannel } from './channel-submission.ts';
import { uuidOfSeed } from './submission.ts';
import { said } from './typed-order.ts';

/** Reads what stands behind `start`: names, and the policy behind `with`; null: none is named. */
export function startWords(words: readonly string[]): {
  readonly names: readonly string[];
  readonly policy: string | null;
} {
  const at = words.indexOf('with');
  return at < 0 ? { names: words, policy: null } : { names: words.slice(0, at), policy: words[at + 1] ?? '' };
}

/** What may be promoted, of which prototype, by which policy. */
export interface TypedStart {
  readonly prototype: { readonly id: PrototypeId; readonly name: string };
  readonly candidate: Pick<Candidate, 'id' | 'version'>;
  /** As typed behind `with`; null: the one it went by before. */
  readonly policy: string | null;
  readonly deed: readonly string[];
  readonly again: string;
}

/**
 * Opens a promotion with the person's own rights. The same version a second time would supersede itself, so whoever types
 * it twice, or after somebody else, is shown what is under way.
 */
export async function startTyped(parts: SubmitParts, caller: Caller, start: TypedStart): Promise<Told> {
  const { prototype, candidate, deed, again } = start;
  const { items } = await caller.reads.promotions({ prototype: prototype.id, open: true, limit: openMax });
  const same = items.find(({ state }) => state.candidate.id === candidate.id);
  const what = `${quoted(prototype.name)} ${inert(candidate.version, 64)}`;
  if (same !== undefined) return { ...said(`${what} is under way already.`), page: pageOf(parts, same.state.id) };
  const policy = await policyMeant(caller, prototype.id, start.policy);
  if (policy.kind === 'none') return said(policy.why);
  const { channel } = caller.door;
  const promotion: PromotionId = idFrom('prm', uuidOfSeed(`${channel} ${caller.person.id} ${seedOf(deed)}`));
  const { id: policyId, name } = policy;
  const command = {
    kind: 'OpenPromotion' as const,
    ...{ promotion, prototype: prototype.id, candidate: candidate.id, policyId },
  };
  const done = { text: `Started: ${what}, by the policy ${name}.`, page: pageOf(parts, promotion) };
  return await toldByChannel(parts, caller, { promotion, order: { deed, command, done }, again });
}

/** A prototype has one on its way to people and one with users; older ones are superseded. */
const openMax = 20;

/** Names that one answer has room for. */
const policiesMax = 20;

type PolicyMeant =
  | { readonly kind: 'some'; readonly id: PolicyId; readonly name: string }
  | { readonly kind: 'none'; readonly why: string };

/** The one that is named; else the one that the prototype went by last, or the only one there is. */
async function policyMeant({ reads }: Caller, prototype: PrototypeId, named: string | null): Promise<PolicyMeant> {
  if (named === null) {
    const { items } = await reads.promotions({ prototype, limit: 1 });
    const before = items[0]?.state;
    if (before !== undefined) return { kind: 'some', id: before.policyId, name: before.policy.name };
  } else {
    const found = await reads.policyNamed(named);
    if (found !== null) return { kind: 'some', id: found.id, name: found.name };
  }
  const { items } = await reads.policies({ limit: policiesMax });
  const [one, ...others] = items;
  if (named === null && one !== undefined && others.length === 0)
    return { kind: 'some', id: one.state.id, name: one.state.name };
  const names = items
    .map(({ state }) => state.name)
    .toSorted()
    .join(', ');
  const lead = named === null ? 'Name the policy, such as “with standard”' : `No policy is called ${quoted(named)}`;
  return { kind: 'none', why: `${lead}: nothing was recorded. Published: ${names === '' ? 'none' : names}.` };
}
