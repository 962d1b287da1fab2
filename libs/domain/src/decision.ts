import type { DecisionId, Digest, PersonId } from './id.ts';
import type { Binding } from './person.ts';

/** What a person may say at an approval gate. */
export const decisionVerdicts = ['approve', 'reject', 'request_changes'] as const;
/** One of them. */
export type DecisionVerdict = (typeof decisionVerdicts)[number];

/** A vote as recorded: bound to the artifact and the evidence that were shown, with the rights held at that moment. */
export interface Decision {
  readonly id: DecisionId;
  readonly person: PersonId;
  /** In whose stead; absent: by their own right. */
  readonly rightOf?: PersonId;
  readonly verdict: DecisionVerdict;
  readonly at: number;
  readonly artifact: Digest;
  readonly evidenceDigest: Digest;
  readonly bindingsAt: readonly Binding[];
  /** Why it no longer counts; null while it does. */
  readonly voided: VoidReason | null;
}

/** Why a vote stopped counting. */
export const voidReasons = ['role_lost', 'delegation_ended', 'superseded', 'reopened'] as const;
/** One of them. */
export type VoidReason = (typeof voidReasons)[number];

/** The votes that still count. */
export function standing(decisions: readonly Decision[]): readonly Decision[] {
  return decisions.filter((decision) => decision.voided === null);
}

/** That a vote counts no more, and why: the right was not theirs, or is not theirs any more. */
export function lossOf({ id, rightOf }: Decision) {
  const why = rightOf === undefined ? 'role_lost' : 'delegation_ended';
  return { kind: 'decision_voided', v: 1, gate: 'approval', decision: id, why } as const;
}
