import type { PersonId, PrototypeId } from './id.ts';
import type { Environment } from './lane.ts';
import { type Binding, type PersonEvent, type PersonState, bindingsMax } from './person.ts';
import type { PromotionState } from './promotion.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Scene } from './scene.ts';

/** Longer than a parental leave's hand-over; who is away for longer gives up the role. */
export const delegationDaysMax = 90;
const dayMs = 86_400_000;

/** What may be asked about somebody's right to vote in another's stead. The right is always that of who asks. */
export type DelegationCommand =
  | {
      readonly kind: 'Delegate';
      readonly person: PersonId;
      readonly until: number;
      /** Absent: everywhere the right reaches. */
      readonly prototype?: PrototypeId;
      readonly environment?: Environment;
    }
  | { readonly kind: 'EndDelegation'; readonly person: PersonId };

/** What a delegation is looked up with. */
export interface Rights {
  readonly people: Readonly<Record<string, PersonState>>;
  readonly now: number;
}

/** Decides whether a right may be given on, and takes it back. Whether it counts is asked again at each vote and quorum. */
export function decideDelegation(
  state: PersonState | null,
  command: DelegationCommand,
  { actor, now }: Pick<Scene, 'actor' | 'now'>,
): readonly PersonEvent[] | Refusal {
  if (state === null) return refusal('not_found', 'expected a known person');
  const held = state.bindings.find(({ from }) => from === actor.id);
  if (command.kind === 'EndDelegation') {
    if (held === undefined) return refusal('not_found', 'expected a person who votes in your stead');
    return [{ kind: 'delegation_ended', v: 1, from: actor.id }];
  }
  const { until, prototype, environment } = command;
  if (actor.kind !== 'human' || state.kind !== 'human' || state.id === actor.id)
    return refusal('not_permitted', 'a human votes in the stead of another human', { rule: 'humans_only' });
  if (state.disabled) return refusal('person_disabled', 'expected an active person to vote in your stead');
  if (!(until > now && until <= now + delegationDaysMax * dayMs))
    return refusal('until_invalid', `expected an end within ${delegationDaysMax} days`);
  if (held !== undefined && (held.until ?? 0) > now)
    return refusal('exists', 'this person votes in your stead already: end that first');
  if (state.bindings.length >= bindingsMax)
    return refusal('too_many', `expected at most ${bindingsMax} roles of one person, got one more`);
  const scope = { ...(prototype !== undefined && { prototype }), ...(environment !== undefined && { environment }) };
  return [{ kind: 'right_delegated', v: 1, binding: { role: 'approver', ...scope, from: actor.id, until } }];
}

/** Those in whose stead somebody may vote on this promotion at this moment; whether these may vote is for them to hold. */
export function delegatorsOf(
  voter: PersonState,
  promotion: Pick<PromotionState, 'prototype' | 'policy'>,
  { people, now }: Rights,
): readonly PersonState[] {
  return voter.bindings.flatMap((binding) => {
    const delegator = people[binding.from ?? ''];
    return delegator !== undefined && isOn(binding, promotion, now) ? [delegator] : [];
  });
}

function isOn(
  binding: Binding,
  { prototype, policy }: Pick<PromotionState, 'prototype' | 'policy'>,
  now: number,
): boolean {
  return (
    (binding.until ?? 0) > now &&
    (binding.prototype === undefined || binding.prototype === prototype) &&
    (binding.environment === undefined || binding.environment === policy.environment)
  );
}
