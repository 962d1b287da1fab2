import type { CanarySight } from '@proviso/domain';
import type { LookView } from '@proviso/journal';
import { EMPTY_LOOKS_MAX, type JudgeReason } from '@proviso/judge';

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
  const { at, weight, unitsSeen: units, countedAt, weightSince } = look;
  return { at, weight, units, countedAt, weightSince, finding: findingOf(look) };
}

function findingOf({ reason, idleLooks }: LookView): CanarySight['finding'] {
  if (missing.has(reason)) return 'missing';
  if (idleLooks >= EMPTY_LOOKS_MAX) return 'quiet';
  return reason === 'suspicious' ? 'suspicious' : 'healthy';
}
