import { type CandidateManifest, type ManifestPart, changedParts } from './candidate.ts';
import { type ChangeType, type GateName, type Policy, changeTypes } from './policy.ts';
import { type Refusal, refusal } from './refusal.ts';

/** What a policy is resolved for when a promotion opens. */
export interface PolicySubject {
  /** What the policy owner has said about the prototype; null while nobody has. */
  readonly tier: string | null;
  /** What serves users; null when nothing does, or when its version is not known any more. */
  readonly live: CandidateManifest | null;
  readonly candidate: CandidateManifest;
}

/** The policy as one promotion is decided by it, with what led to it. */
export interface ResolvedPolicy {
  readonly policy: Policy;
  readonly tier: string | null;
  /** What changed since the live version; null when every gate is asked, whatever changed. */
  readonly changed: readonly ChangeType[] | null;
}

/** Chooses the gates and the people for one candidate. A tier that the policy does not know blocks: it may be a stricter one. */
export function resolvePolicy(policy: Policy, subject: PolicySubject): ResolvedPolicy | Refusal {
  const { tier } = subject;
  const known = Object.keys(policy.tiers ?? {});
  if (tier !== null && known.length > 0 && !known.includes(tier))
    return refusal('policy_unknown', `expected one of the policy's tiers (${known.join(', ')}), got ${tier}`);
  const tiered = atTier(policy, tier);
  const named = tier !== null && known.includes(tier) ? tier : null;
  const changed = changesOf(subject);
  const again = changed === null ? null : askedAgain(policy, changed);
  if (again === null) return { policy: tiered, tier: named, changed: null };
  const gates = tiered.gates.filter((rule) => again.includes(rule.gate));
  // Tier and change may have no gate in common; then the tier's gates are met in full, since nobody passes none.
  return { policy: gates.length === 0 ? tiered : { ...tiered, gates }, tier: named, changed };
}

/** The policy of one tier, or of no tier: with tiers and changes resolved away. */
export function atTier({ tiers, changes: _changes, ...policy }: Policy, tier: string | null): Policy {
  const { gates: chosen, requirements } = (tier !== null && tiers?.[tier]) || {};
  const gates = policy.gates
    .filter((rule) => chosen === undefined || chosen.includes(rule.gate))
    .map((rule) => (rule.gate === 'approval' && requirements !== undefined ? { ...rule, requirements } : rule));
  return { ...policy, gates };
}

/** Each type of change is one part of a manifest. */
const partOf: Readonly<Record<ChangeType, ManifestPart>> = {
  code: 'code',
  model: 'model',
  prompt: 'prompt',
  flag: 'configuration',
  data: 'schema',
};

/** What differs between two versions, by the types that policies know. */
export function changeTypesBetween(from: CandidateManifest, to: CandidateManifest): readonly ChangeType[] {
  const parts = changedParts(from, to);
  return changeTypes.filter((type) => parts.includes(partOf[type]));
}

/** Null when it cannot be told: the first version, the same one again, or content that no part accounts for. */
function changesOf({ live, candidate }: PolicySubject): readonly ChangeType[] | null {
  if (live === null) return null;
  const found = changeTypesBetween(live, candidate);
  return found.length === 0 ? null : found;
}

/** What must run again for all of these changes together; null when one of them asks for every gate. */
function askedAgain({ changes }: Policy, changed: readonly ChangeType[]): readonly GateName[] | null {
  const lists = changed.map((type) => changes?.[type]);
  return lists.every((list) => list !== undefined) ? lists.flat() : null;
}
