/** How many visitors had been counted by a moment, under one share. */
export interface Mark {
  readonly at: number;
  readonly visitors: number;
}

/** As fine as people ask; a look takes longer where few come, and then every look is a mark. */
const markEveryMs = 60_000;
/** Ten intervals: the last ten minutes, or the last ten looks where they are further apart. */
const marksMax = 11;

/** The marks with one more when a minute has passed since the newest. */
export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const newest = marks.at(-1);
  if (newest !== undefined && mark.at - newest.at < markEveryMs) return marks;
  return [...marks, mark].slice(-marksMax);
}

/** How many came in a minute since the oldest mark; null before a minute was seen, so that a burst is no rate. */
export function arrivalsPerMinute(marks: readonly Mark[], now: Mark): number | null {
  const [oldest] = marks;
  if (oldest === undefined || now.at - oldest.at < markEveryMs) return null;
  return ((now.visitors - oldest.visitors) * 60_000) / (now.at - oldest.at);
}
