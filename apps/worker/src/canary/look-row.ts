import type { PromotionId } from '@proviso/domain';
import type { LookRow } from '@proviso/journal';
import { decidesByObjective, type JudgeVerdict, logAgainst, logFor } from '@proviso/judge';
import { canaryWords } from '@proviso/gates';
import { canaryPerMinute, type Course, type Move } from './course.ts';

/** A look as stored: the course to go on from, and what a person is shown. */
export function lookRow(
  promotion: PromotionId,
  number: number,
  look: { readonly course: Course; readonly judged: JudgeVerdict; readonly move: Move; readonly at: number },
): LookRow {
  const { course, judged, move, at } = look;
  const { bad, ok } = course.judge.canary;
  const body = {
    v: 1,
    at,
    course,
    unitsSeen: bad + ok,
    weight: course.weight,
    counts: course.sample,
    move: move.kind,
    verdict: judged.kind,
    reason: judged.reason,
    words: [canaryWords(judged), ...(course.gaps ?? [])].join('; '),
    explanation: judged.explanation,
    evidence: {
      against: logAgainst(course.judge),
      advance: logFor(course.judge),
      by: decidesByObjective(course.judge) ? 'objective' : 'stable',
    },
    perMinute: canaryPerMinute(course, at),
  };
  return { promotion, number, body };
}

/** What a course lacks that was begun when errors alone were judged; the plan of its judge asks for nothing else. */
const beforeMetrics = { usedUp: {}, servedSince: null } as const;

/** The newest stored look, whose course is continued; number 0 before the first. */
export function lastLook(rows: readonly LookRow[]): { readonly number: number; readonly course: Course | null } {
  const newest = rows.reduce<LookRow | null>(
    (last, row) => (last === null || row.number > last.number ? row : last),
    null,
  );
  // Written by nobody but `lookRow`. A row of another version cannot be continued; its number still counts.
  const stored = newest?.body.course as Course | undefined;
  return { number: newest?.number ?? 0, course: stored?.v === 1 ? { ...beforeMetrics, ...stored } : null };
}
