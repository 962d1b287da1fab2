import type { GateState } from './gate.ts';
import { ruleOf } from './policy.ts';
import type { PromotionState } from './promotion.ts';
import type { PromotionEvent } from './promotion-event.ts';
import type { PersonId } from './id.ts';

/**
 * A person's hand on the ramp. It moves the clock and never the evidence: a paused ramp has no dwell that could be over, a
 * hastened one has no dwell to wait for, and what condemns or proves is the judge's as ever.
 */
export type Pace =
  | { readonly kind: 'paused'; readonly by: PersonId; readonly at: number }
  /** Holds for this share alone: the next one has its dwell again. */
  | { readonly kind: 'hastened'; readonly weight: number; readonly by: PersonId; readonly at: number };

/** How fast a ramp climbs: as its policy says, or as a person does. */
export const paceKinds = ['usual', 'paused', 'hastened'] as const;
/** One of them. */
export type PaceKind = (typeof paceKinds)[number];

/** What people do to the pace of a canary. */
export type PaceEvent = Extract<
  PromotionEvent,
  { readonly kind: 'canary_paused' | 'canary_unpaused' | 'canary_hastened' }
>;

/** The pace after such an event; null: the policy's own. */
export function paceAfter(event: PaceEvent, at: number): Pace | null {
  switch (event.kind) {
    case 'canary_paused':
      return { kind: 'paused', by: event.by, at };
    case 'canary_unpaused':
      return null;
    case 'canary_hastened':
      return { kind: 'hastened', weight: event.percent, by: event.by, at };
  }
}

/** The pace at the share of now. It lies on the gate, so that a canary which is run again begins at its policy's own. */
export function paceOf(state: PromotionState): PaceKind {
  const pace = state.gates.find(({ name }) => name === 'canary')?.pace ?? null;
  if (pace === null || (pace.kind === 'hastened' && pace.weight !== state.weight)) return 'usual';
  return pace.kind;
}

/** True while users are on a canary at its gate: before its first share and after its last there is none to stay at. */
export function isSteerable({ weight }: PromotionState, { name, status }: GateState): boolean {
  return name === 'canary' && (status === 'claimed' || status === 'errored') && weight > 0;
}

/** True while the policy has a next share below everybody's: to everybody the judge goes alone, once it has proof. */
export function mayHasten({ policy, weight }: PromotionState): boolean {
  const next = ruleOf(policy, 'canary')?.weights.find((one) => one > weight);
  return next !== undefined && next < 100;
}
