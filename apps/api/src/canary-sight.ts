import { type CanarySight, findGate, outlookOf, paceOf } from '@proviso/domain';
import type { LookView, PromotionView } from '@proviso/journal';
import { EMPTY_LOOKS_MAX, type JudgeReason } from '@proviso/judge';
import { timeOf } from './person-ref.ts';
import type { PromotionResource } from './resources.ts';

/** Reasons with which the judge says that it has nothing to go by. */
const missing: ReadonlySet<string> = new Set<JudgeReason>([
  'stale_sample',
  'look_refused',
  'metric_silent',
  'rules_refused',
  'state_damaged',
]);

/** The newest look in the headline's terms. A reason that we do not know is not taken for good news. */
export function canarySight(look: LookView): CanarySight {
  const { at, weight, unitsSeen: units, countedAt, weightSince, needed, perMinute, gaps = null } = look;
  return { at, weight, units, countedAt, weightSince, needed, perMinute, gaps, finding: findingOf(look) };
}

/** What a promotion tells of its canary: numbers; the words are in its headline. */
export function canaryView({ state, production, lastLook }: PromotionView, now: number): PromotionResource['canary'] {
  const sight = lastLook === null ? null : canarySight(lastLook);
  const outlook = findGate(state, 'canary') === undefined ? null : outlookOf(state, sight, now);
  return {
    weight: state.weight,
    unitsSeen: lastLook?.unitsSeen ?? null,
    leaseRemainingMs: production?.state.owner === state.id ? production.leaseRemainingMs : null,
    pace: paceOf(state),
    outlook: outlook && {
      needed: outlook.needed,
      perMinute: outlook.perMinute,
      at: outlook.at === null ? null : timeOf(outlook.at),
      deadline: timeOf(outlook.deadline),
    },
  };
}

function findingOf({ reason, idleLooks }: LookView): CanarySight['finding'] {
  if (missing.has(reason)) return 'missing';
  if (idleLooks >= EMPTY_LOOKS_MAX) return 'quiet';
  return reason === 'suspicious' ? 'suspicious' : 'healthy';
}
