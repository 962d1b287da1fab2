import type { ApprovalRule } from './approval-rule.ts';
import { type GateState, earliestOf } from './gate.ts';
import type { PersonId } from './id.ts';
import type { PromotionEvent } from './promotion-event.ts';

/** When people are asked again, as shares of the time they have. */
export const reminderShares = [0.5, 0.9] as const;
/** Half of what is left after the last reminder: those who were asked had their chance, the others still have theirs. */
export const escalationShare = 0.95;

/** An approver's "not now": until then nobody is reminded. */
export interface Deferral {
  readonly by: PersonId;
  readonly until: number;
  readonly at: number;
}

/** A fact of the clock that is told once it is due. */
export interface Reminder {
  readonly at: number;
  readonly event: Extract<PromotionEvent, { kind: 'reminder_due' | 'gate_escalated' }>;
}

/** What the clock will still say at a gate before it expires, in order; whoever put it off moves what was not said yet. */
export function remindersOf(gate: GateState, { escalate }: Pick<ApprovalRule, 'escalate'>): readonly Reminder[] {
  const { status, expiresAt, attempt } = gate;
  if (status !== 'waiting' || expiresAt === null) return [];
  const from = Math.max(gate.since, gate.deferral?.until ?? 0);
  const at = (share: number) => Math.round(from + share * (expiresAt - from));
  const about = { v: 1, gate: gate.name, attempt } as const;
  const reminders = reminderShares.map((share, index): Reminder => {
    return { at: at(share), event: { kind: 'reminder_due', ...about, n: index + 1 } };
  });
  const untold = reminders.slice(gate.reminded ?? 0);
  if (escalate === undefined || gate.escalatedTo !== undefined) return untold;
  return [...untold, { at: at(escalationShare), event: { kind: 'gate_escalated', ...about, to: escalate } }];
}

/** When somebody has to look at a waiting gate again: at its next reminder, or at its end. */
export function looksAgainAt(gate: GateState, rule: Pick<ApprovalRule, 'escalate'>): number | null {
  return earliestOf([gate.expiresAt, ...remindersOf(gate, rule).map(({ at }) => at)]);
}
