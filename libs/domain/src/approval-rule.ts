import type { Channel } from './door.ts';
import { type Demand, demandProblem } from './demand.ts';
import type { PolicyProblem } from './policy.ts';

/** What a policy asks for at its approval gate. All that may be absent came later: policies pinned before have none of it. */
export interface ApprovalRule {
  readonly requirements: readonly Demand[];
  readonly expiresMs: number;
  /** The group that is told when the time is nearly over; its votes count no more than the requirements say. */
  readonly escalate?: string;
  /** Where this gate may be decided; absent: everywhere. */
  readonly channels?: readonly Channel[];
  /** High risk: only whoever has just logged in at the page decides. */
  readonly stepUp?: boolean;
  /** What fresh evidence on the same digests does to votes; absent: it voids them. */
  readonly onRefresh?: 'keep' | 'void';
  /** Whose members may break the glass; absent: nobody ever. */
  readonly breakGlass?: { readonly from: string };
  /** Who may let a finding or a gate pass for a time; absent: nobody ever. */
  readonly waivers?: { readonly from: string; readonly daysMax: number };
}

/** What is wrong between the fields of an approval gate; null when nothing is. */
export function approvalProblem(rule: ApprovalRule, evidenceAgeMaxMs: number): PolicyProblem | null {
  const asked = demandProblem(rule.requirements);
  if (asked !== null) return { path: ['requirements'], message: asked };
  if (rule.expiresMs > evidenceAgeMaxMs && rule.onRefresh !== 'keep') {
    const message = 'expected evidence to stay fresh at least as long as the approval may take, or onRefresh: keep';
    return { path: ['expires'], message };
  }
  if (rule.stepUp === true && rule.channels?.includes('page') === false)
    return { path: ['channels'], message: 'expected page among the channels of a gate that needs a fresh login' };
  return null;
}
