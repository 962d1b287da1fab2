import type { ApprovalRule } from './approval-rule.ts';
import { doorsField } from './door-strength.ts';
import type { Judged, Strength } from './policy-strength.ts';

type Optional = Omit<ApprovalRule, 'requirements' | 'expiresMs'>;

/** Which way the fields point that an approval gate may do without. */
export const optionalApprovalFields: { readonly [Field in keyof Optional]-?: Judged<ApprovalRule[Field]> } = {
  // Who is told counts for nothing.
  escalate: { name: 'escalate', judge: () => 'neutral', say: (to) => to ?? 'nobody' },
  channels: doorsField,
  stepUp: {
    name: 'stepUp',
    judge: (_from, to) => (to === true ? 'stronger' : 'weaker'),
    say: (value) => String(value ?? false),
  },
  onRefresh: {
    name: 'onRefresh',
    judge: (_from, to) => (to === 'keep' ? 'weaker' : 'stronger'),
    say: (value) => value ?? 'void',
  },
  breakGlass: {
    name: 'breakGlass',
    judge: (_from, to) => exception(to),
    say: (rule) => rule?.from ?? 'never',
  },
  waivers: {
    name: 'waivers',
    judge: (from, to) =>
      from !== undefined && from.from === to?.from && to.daysMax < from.daysMax ? 'stronger' : exception(to),
    say: (rule) => (rule === undefined ? 'never' : `${rule.from}, at most ${rule.daysMax} days`),
  },
};

/** No exception at all is stronger than any; two whose people differ cannot be compared, which counts as weaker. */
function exception(to: object | undefined): Strength {
  return to === undefined ? 'stronger' : 'weaker';
}
