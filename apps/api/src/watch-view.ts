import {
  type PromotionState,
  durationText,
  seenOf,
  watchActions,
  watchChecks,
  watchStandings,
  watchTimes,
} from '@proviso/domain';
import { z } from 'zod';
import { digest, time } from './forms.ts';
import { timeOf } from './person-ref.ts';

const reason = z.strictObject({
  code: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.int().optional(),
});

/** What is looked at while a release is live, with what was found. */
export const watchShape = z.strictObject({
  every: z.string().describe('such as 6h'),
  last: time.nullable().describe('when it was looked at last'),
  next: time.nullable().describe('when it will be, at the latest; null when it serves nobody any more'),
  checks: z.array(
    z.strictObject({
      check: z.enum(watchChecks),
      do: z.enum(watchActions).describe('what the policy orders when it is breached'),
      standing: z.enum(watchStandings).nullable().describe('null: not looked at yet; unseen: it could not be told'),
      at: time.nullable(),
      figure: z.number().nullable().describe('what was measured'),
      reasons: z.array(reason),
      evidence: z.array(z.strictObject({ kind: z.string(), digest })),
      breachedSince: time.nullable(),
      done: z.enum(watchActions).nullable().describe('what this look has done'),
    }),
  ),
});

/** The watch over what a promotion has made live; null where its policy has none, and before it is live. */
export function watchView(state: PromotionState, serves: boolean): z.infer<typeof watchShape> | null {
  const rule = state.policy.watch;
  const seen = new Map(seenOf(state).map((one) => [one.check, one]));
  if (rule === undefined || (state.outcome !== 'live' && seen.size === 0)) return null;
  const { last, next } = watchTimes(state, serves);
  const checks = watchChecks.flatMap((check) => {
    const row = rule[check];
    return row === undefined ? [] : [checkView({ check, do: row.do }, seen.get(check))];
  });
  return { every: durationText(rule.everyMs), last: timeOrNull(last), next: timeOrNull(next), checks };
}

type CheckResource = z.infer<typeof watchShape>['checks'][number];

function checkView(
  row: Pick<CheckResource, 'check' | 'do'>,
  seen: ReturnType<typeof seenOf>[number] | undefined,
): CheckResource {
  return {
    ...row,
    standing: seen?.standing ?? null,
    at: timeOrNull(seen?.at ?? null),
    figure: seen?.figure ?? null,
    reasons: [...(seen?.reasons ?? [])],
    evidence: [...(seen?.evidence ?? [])],
    breachedSince: timeOrNull(seen?.breachedSince ?? null),
    done: seen?.action ?? null,
  };
}

function timeOrNull(at: number | null): string | null {
  return at === null ? null : timeOf(at);
}
