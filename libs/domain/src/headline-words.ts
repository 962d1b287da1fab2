/** When somebody reads a sentence and by which clock; both are arguments, so that the same facts give the same words. */
export interface Reading {
  readonly now: number;
  /** A name of the IANA zone table. A deployment has one, so that people who talk about a promotion read the same time. */
  readonly timeZone: string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** From here on a weekday alone could mean this week or another. */
const weekdayMsMax = 6 * dayMs;

/** Past waits that make a "usually": a median of fewer is an anecdote. */
export const pastWaitsMin = 5;

/** A moment as people say it: `10:02` today, `Fri 14:00` this week, else with its date, and its year when it is another. */
export function momentWords(at: number, { now, timeZone }: Reading): string {
  const [said, today] = [partsOf(at, timeZone), partsOf(now, timeZone)];
  const clock = `${said.hour}:${said.minute}`;
  const sameYear = said.year === today.year;
  if (sameYear && said.month === today.month && said.day === today.day) return clock;
  if (Math.abs(at - now) < weekdayMsMax) return `${said.weekday} ${clock}`;
  return `${said.day} ${said.month}${sameYear ? '' : ` ${said.year}`} ${clock}`;
}

/** A length of time in its largest unit that still tells something. */
export function durationWords(ms: number): string {
  if (ms < minuteMs) return 'less than a minute';
  // Compared after rounding: 59.6 minutes are an hour, and nobody says 60 min.
  const [minutes, hours] = [Math.round(ms / minuteMs), Math.round(ms / hourMs)];
  if (minutes < 60) return `${minutes} min`;
  return hours < 48 ? `${hours} h` : `${Math.round(ms / dayMs)} days`;
}

/** A number that is an estimate: two figures of it, so that it does not look like a count. */
export function aboutWords(count: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, count))) - 1);
  return String(Math.round(count / step) * step);
}

/** How often something comes, by the first clock on which it comes at least once. */
export function rateWords(perMinute: number): string {
  if (perMinute >= 1) return `${aboutWords(perMinute)} a minute`;
  if (perMinute * 60 >= 1) return `${aboutWords(perMinute * 60)} an hour`;
  return `${aboutWords(Math.max(1, perMinute * 60 * 24))} a day`;
}

/** What waits of this kind usually take; null while there are too few to say so. */
export function usualMs(pastWaitsMs: readonly number[]): number | null {
  if (pastWaitsMs.length < pastWaitsMin) return null;
  const sorted = pastWaitsMs.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}

interface Parts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly weekday: string;
  readonly hour: string;
  readonly minute: string;
}

function partsOf(at: number, timeZone: string): Parts {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'short', day: 'numeric', weekday: 'short' },
    ...{ hour: '2-digit', minute: '2-digit' },
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  const date = { year: part('year'), month: part('month'), day: part('day'), weekday: part('weekday') };
  return { ...date, hour: part('hour'), minute: part('minute') };
}
