/** Why there are no numbers. Each is a gap for the judge, and none is ever good news. */
export type UnreadReason =
  | 'away'
  | 'token_unreadable'
  | 'not_let_in'
  | 'redirected'
  | 'address_refused'
  | 'too_large'
  | 'not_understood'
  | 'query_refused'
  | 'warned'
  | 'empty'
  | 'several_series'
  | 'native_histogram'
  | 'not_a_number'
  | 'not_a_count'
  | 'not_a_histogram'
  | 'stale';

/** What each reason means to a person. */
export const unreadWords: Readonly<Record<UnreadReason, string>> = {
  away: 'it does not answer in time',
  token_unreadable: 'the token for it cannot be read',
  not_let_in: 'it does not let us in',
  redirected: 'it sends us elsewhere, and we do not go',
  address_refused: 'its name leads to an address that is not allowed',
  too_large: 'its answer is too large',
  not_understood: 'its answer is none of its protocol',
  query_refused: 'it refuses the query',
  warned: 'it warns that its answer may not be whole',
  empty: 'it has no such series',
  several_series: 'it has several series where one was expected',
  native_histogram: 'the series is a native histogram, and buckets with bounds were expected',
  not_a_number: 'a value is no number',
  not_a_count: 'a value is no count',
  not_a_histogram: 'the values are not the buckets of one histogram',
  stale: 'its newest values are too old',
};

/** The histogram of one arm since its process began, or why there is none. */
export type Reading =
  | {
      readonly kind: 'read';
      /** When it was asked, and when the oldest of the series was scraped, both by the clock of Prometheus. */
      readonly askedAtMs: number;
      readonly scrapedAtMs: number;
      /** Upper bounds, rising. */
      readonly bounds: readonly number[];
      /** One for each bound, and a last one for what is above all of them. */
      readonly counts: readonly number[];
    }
  | { readonly kind: 'unread'; readonly why: UnreadReason };

/** No numbers, and why. */
export function unread(why: UnreadReason): Extract<Reading, { kind: 'unread' }> {
  return { kind: 'unread', why };
}
