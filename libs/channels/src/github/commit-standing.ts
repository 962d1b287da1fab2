import { createHash } from 'node:crypto';
import type { PromotionStanding } from '@proviso/domain';
import type { Bulletin } from '../bulletin.ts';
import { code, link } from './markdown.ts';

/** What has to be true of a commit's promotions before somebody's own deploy job goes on. */
export const deploymentNeeds = ['approved', 'live'] as const;
/** One of them. */
export type DeploymentNeed = (typeof deploymentNeeds)[number];

/** What is said about a commit to whoever asks whether it may go on. */
export interface CommitStanding {
  /** Null while that is not known. */
  readonly verdict: 'approved' | 'rejected' | null;
  /** The same for the same standings, whatever time it is: by this nothing is said twice. */
  readonly mark: string;
  readonly words: string;
  readonly prototypes: readonly { readonly name: string; readonly verdict: CommitStanding['verdict'] }[];
}

/** GitHub takes so many letters of a report. */
export const reportMax = 1_024;

/** Headlines of more prototypes in one repository would not fit; the rest is counted. */
const linesMax = 2;
const headlineMax = 180;

/** These ends say no, whatever was said before them: users are not to get this commit. */
const refusals: ReadonlySet<PromotionStanding> = new Set([
  ...(['rejected', 'expired', 'superseded', 'cancelled', 'rolled_back', 'demoted'] as const),
]);

/**
 * Where a commit stands, given every promotion of it. Of each prototype the newest promotion counts; one no is a no, and a
 * yes takes all of them. A commit that nobody has promoted waits: that is no yes.
 */
export function commitStanding(bulletins: readonly Bulletin[], need: DeploymentNeed): CommitStanding {
  const newest = newestOfEach(bulletins);
  const prototypes = newest.map((one) => ({ name: one.prototype, verdict: verdictOn(one, need) }));
  const verdicts = prototypes.map(({ verdict }) => verdict);
  const isYes = verdicts.length > 0 && verdicts.every((one) => one === 'approved');
  const verdict = verdicts.includes('rejected') ? 'rejected' : isYes ? 'approved' : null;
  const standings = newest.map(({ promotion, standing }) => [promotion, standing]);
  const mark = createHash('sha256')
    .update(JSON.stringify([verdict, standings]))
    .digest('hex')
    .slice(0, 16);
  return { verdict, mark, words: wordsOf(newest), prototypes };
}

function newestOfEach(bulletins: readonly Bulletin[]): readonly Bulletin[] {
  const byAge = bulletins.toSorted((one, other) => one.openedAt - other.openedAt);
  return [...new Map(byAge.map((one) => [one.prototype, one])).values()];
}

function verdictOn({ standing, ask }: Bulletin, need: DeploymentNeed): CommitStanding['verdict'] {
  if (refusals.has(standing)) return 'rejected';
  if (standing === 'live') return 'approved';
  return need === 'approved' && ask?.status === 'passed' ? 'approved' : null;
}

/** In the words of every other surface, with our page, and with a stranger's words inert. */
function wordsOf(newest: readonly Bulletin[]): string {
  if (newest.length === 0) return 'Proviso: no version of this commit was promoted yet.';
  const lines = newest
    .slice(0, linesMax)
    .map(({ prototype, version, headline, links }) =>
      [code(prototype, 64), code(version, 40), code(headline, headlineMax), shortLink(links.page)].join(' '),
    );
  const rest = newest.length - lines.length;
  return [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n\n').slice(0, reportMax);
}

function shortLink(page: string): string {
  return page.length > 120 ? '' : link(page, 'look');
}
