import type { Told } from '../channel-submission.ts';
import type { Parts } from '../parts.ts';

/** The page at which a person is told what to type. */
export function linkPageOf({ config }: Pick<Parts, 'config'>): string {
  return `${config.publicUrl}/slack/link`;
}

/** What somebody is told whose account is nobody's. */
export function unlinkedText(parts: Pick<Parts, 'config'>): string {
  return `Your Slack account is not linked to a person here, so nothing was recorded. Link it: ${linkPageOf(parts)}`;
}

/** What came of something, in one line. */
export function wordsOf({ text, code, page }: Told): string {
  const where = page === null ? [] : [code === null ? page : `Decide here: ${page}`];
  return [text, ...where, ...(code === null ? [] : [`(${code})`])].join(' ');
}
