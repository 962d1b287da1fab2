import type { Calendar, Freeze, FreezeWindow } from '@proviso/domain';
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';

/** A longer freeze is no window but a lane that somebody holds. */
const daysMax = 92;
/** Windows that touch are one freeze. Each look at the calendar is some milliseconds, and nobody writes more than this. */
const chainedMax = 100;
/** Finer rules make windows that nobody can plan with, and a search through millions of them. */
const frequencies = new Set(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']);
/** Occurrences are counted from the first; a plan for a deployment does not begin earlier. */
const yearMin = 2000;

/** Windows as RFC 5545 has them, with the changes of daylight saving of their zones. */
export const calendar: Calendar = { freezeAt, windowProblem };

/** The freeze at a moment. Ends are not part of a window, so one that begins as another ends goes on seamlessly. */
function freezeAt(windows: readonly FreezeWindow[], now: number): Freeze | null {
  let until = now;
  let why: string | null = null;
  for (let chained = 0; chained < chainedMax; chained += 1) {
    const last = latestOf(windows, until);
    if (last === null) break;
    until = last.until;
    why ??= last.why;
  }
  return why === null ? null : { until, why };
}

function latestOf(windows: readonly FreezeWindow[], at: number): Freeze | null {
  const on = windows.flatMap((window): readonly Freeze[] => {
    const until = endOf(window, at);
    return until === null ? [] : [{ until, why: window.why }];
  });
  return on.toSorted((a, b) => b.until - a.until)[0] ?? null;
}

/** When the occurrence that covers a moment ends; null when none does. */
function endOf(window: FreezeWindow, at: number): number | null {
  const { zone } = window;
  const { from, length } = spanOf(window);
  const wall = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDateTime();
  // A day more on each side: the wall's clock may have been turned back within the window.
  const earliest = wall.subtract({ days: daysMax + 1 });
  const latest = wall.add({ days: 1 });
  for (const start of startsBetween(window, { from, earliest, latest })) {
    const begins = momentOf(start, zone);
    const ends = momentOf(start.add(length), zone);
    if (begins <= at && at < ends) return ends;
  }
  return null;
}

/**
 * Occurrences by the wall's clock, newest first. The rule runs in a zone without changes and each start is placed in its
 * own zone afterwards: run there, a start in the hour that is skipped in spring would be left out, and with it the freeze.
 */
function startsBetween(
  { every }: FreezeWindow,
  { from, earliest, latest }: Record<'from' | 'earliest' | 'latest', Temporal.PlainDateTime>,
): readonly Temporal.PlainDateTime[] {
  if (every === undefined) return [from];
  const found = ruleOf(every, from).between(dateOf(earliest), dateOf(latest), true);
  return found
    .map((start) => Temporal.PlainDateTime.from(start.toString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)))
    .reverse();
}

function ruleOf(every: string, from: Temporal.PlainDateTime) {
  const start = from.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const rule = every.replace(/(UNTIL=\d{8}T\d{6})/, '$1Z');
  return new RRuleTemporal({ rruleString: `DTSTART:${start}Z\nRRULE:${rule}`, strict: true, cache: false });
}

function spanOf({ from, until }: FreezeWindow) {
  const begin = Temporal.PlainDateTime.from(from);
  return { from: begin, length: begin.until(Temporal.PlainDateTime.from(until), { largestUnit: 'day' }) };
}

/** In the hour that is skipped a time is taken as before the change, in the hour that comes twice as the first. */
function momentOf(wall: Temporal.PlainDateTime, zone: string): number {
  return wall.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
}

function dateOf(wall: Temporal.PlainDateTime): Date {
  return new Date(momentOf(wall, 'UTC'));
}

function windowProblem(window: FreezeWindow): string | null {
  const { zone, from, until, every } = window;
  if (!isZone(zone)) return `expected a time zone such as Europe/Berlin, got ${zone}`;
  if (!isWall(from)) return `expected from as a local time such as 2026-12-19T18:00, got ${from}`;
  if (!isWall(until)) return `expected until as a local time such as 2026-12-19T18:00, got ${until}`;
  const { from: begin, length } = spanOf(window);
  if (length.sign <= 0) return `expected until after from, got ${from} to ${until}`;
  const days = length.total({ unit: 'day', relativeTo: begin });
  if (days > daysMax) return `expected at most ${daysMax} days, got ${Math.ceil(days)}`;
  return every === undefined ? null : ruleProblem(every, begin);
}

function ruleProblem(every: string, from: Temporal.PlainDateTime): string | null {
  const frequency = /(?:^|;)FREQ=([A-Z]+)/.exec(every)?.[1] ?? 'none';
  if (!frequencies.has(frequency)) return `expected FREQ to be one of ${[...frequencies].join(', ')}, got ${frequency}`;
  // The end of a rule is a local time like all others here.
  if (/UNTIL=[^;]*Z/.test(every)) return 'expected UNTIL as a local time without Z';
  if (/[^A-Z0-9=;,+-]/.test(every)) return 'expected a recurrence rule such as FREQ=WEEKLY;BYDAY=FR';
  if (from.year < yearMin) return `expected from in ${yearMin} or later, got ${from.year}`;
  try {
    ruleOf(every, from).next(dateOf(from), true);
    return null;
  } catch (error) {
    return `expected a recurrence rule of RFC 5545, got one that cannot be read: ${error instanceof Error ? error.message : 'unknown'}`;
  }
}

function isZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

/** The calendar's own check: the 30th of February has the form of a day. */
function isWall(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text)) return false;
  try {
    Temporal.PlainDateTime.from(text, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}
