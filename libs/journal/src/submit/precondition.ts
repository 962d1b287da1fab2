import { type Refusal, invariant, refusal } from '@proviso/domain';
import type { ExpectedRevision } from '../port.ts';
import type { Loaded } from './load.ts';
import type { LockPlan } from './lock.ts';

/**
 * The no to a sender who looked at another revision than the locked row has. Asked last, after rights and the decision:
 * what would be refused anyway is refused for that. Of two senders with one revision the second finds the row moved.
 */
export function staleRevision(
  expected: ExpectedRevision | undefined,
  plan: LockPlan,
  loaded: ReadonlyMap<string, Loaded>,
): Refusal | null {
  if (expected === undefined) return null;
  const [subject] = plan.others;
  // Behind the subject comes at most the workspace, whose row is held while something of it is taken.
  const beside = plan.others.slice(1).every(({ kind }) => kind === 'workspace');
  invariant(subject !== undefined && beside, 'a revision is expected of one stream');
  const revision = loaded.get(`${subject.kind}/${subject.id}`)?.head.revision ?? 0;
  if (expected === 'any' ? revision > 0 : expected.includes(revision)) return null;
  const sent = expected === 'any' ? 'any' : expected.join(' or ') || 'none of ours';
  const is = revision === 0 ? `no ${subject.kind} of that name yet` : `revision ${revision} of the ${subject.kind}`;
  return refusal('stale_revision', `expected ${is}, got ${sent}: look again and change that`);
}
