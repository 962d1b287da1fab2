import type { MetricQuery, QueryMatcher, QueryValue } from '@proviso/domain';

/** One arm of one canary, as a query may name it. Prototypes and versions are named by strangers. */
export type QuerySubject = Readonly<Record<QueryValue, string>>;

/** Marks the one row of an answer that is no bucket: when the oldest of its series was scraped. */
export const scrapeMark = { label: 'scraped', value: 'oldest' } as const;

/**
 * The query of one arm: the buckets, and in the same answer when they were scraped. Prometheus itself dates a row by the
 * moment of the question, so a number that stands still for minutes would look fresh.
 */
export function promqlOf(query: MetricQuery, subject: QuerySubject): string {
  const series = `${query.metric}{${query.matchers.map((matcher) => matcherText(matcher, subject)).join(',')}}`;
  const buckets = query.sums ? `sum by (le) (${series})` : series;
  return `${buckets} or label_replace(min(timestamp(${series})), "${scrapeMark.label}", "${scrapeMark.value}", "", "")`;
}

function matcherText({ label, operator, parts }: QueryMatcher, subject: QuerySubject): string {
  const isExpression = operator.endsWith('~');
  const filled = parts.map((part) => {
    if (typeof part === 'string') return part;
    const value = subject[part.value].toWellFormed();
    return isExpression ? `(?:${literalExpression(value)})` : value;
  });
  return `${label}${operator}${quoted(filled.join(''))}`;
}

/** RE2 takes any ASCII punctuation behind a backslash as itself. */
function literalExpression(value: string): string {
  return value.replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`);
}

/** Only printable ASCII stands for itself: whatever else a value holds is written as its number. */
function quoted(text: string): string {
  const letters = Array.from(text, (letter) => {
    if (letter === '"' || letter === '\\') return `\\${letter}`;
    if (/[ -~]/.test(letter)) return letter;
    return `\\U${(letter.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
  });
  return `"${letters.join('')}"`;
}
