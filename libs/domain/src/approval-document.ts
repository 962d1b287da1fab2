import type { ApprovalRule } from './approval-rule.ts';
import { demands } from './demand-document.ts';
import { type Of, about, choice, duration, flag, group, integer, list, preset, text } from './shape.ts';

/** A week: long enough for holidays of one approver, short enough that evidence is not history. */
const expiryDefault = '7d';
/** Nobody should find an approval waiting from last season. */
const expiryMsMax = 60 * 86_400_000;
/** A risk that is taken for longer than a year is not taken, it is forgotten. */
const waiverDaysMax = 365;

const somebody = text({ pattern: '^(group|role)/[a-z][a-z0-9-]{0,62}$', meaning: 'group/<name> or role/<name>' });
const someGroup = text({ pattern: '^group/[a-z][a-z0-9-]{0,62}$', meaning: 'group/<name>' });

/** The approval gate as it is written. */
export const approvalShape = group(
  { requirements: demands },
  {
    expires: preset(duration({ minMs: 1_000, maxMs: expiryMsMax }), expiryDefault),
    escalate: about(someGroup, 'who is told when the time is nearly over'),
    channels: about(
      list(choice(['rest', 'page', 'slack', 'github']), { min: 1, max: 4 }),
      'where it may be decided; all when absent',
    ),
    stepUp: about(flag(), 'high risk: decided only by whoever has just logged in at the page'),
    onRefresh: about(
      choice(['keep', 'void']),
      'what fresh evidence on the same digests does to votes; void when absent',
    ),
    breakGlass: about(group({ from: someGroup }), 'who may let a candidate pass in an emergency; nobody when absent'),
    waivers: about(
      group({ from: somebody, maxDays: integer({ min: 1, max: waiverDaysMax }) }),
      'who may let a finding or a gate pass for a time; nobody when absent',
    ),
  },
);

/** From the words and units of the file to those of the product. */
export function approvalRuleFrom(document: Of<typeof approvalShape>): ApprovalRule {
  const { requirements, expires, waivers, ...rest } = document;
  const waived = waivers === undefined ? {} : { waivers: { from: waivers.from, daysMax: waivers.maxDays } };
  return { requirements, expiresMs: expires, ...rest, ...waived };
}
