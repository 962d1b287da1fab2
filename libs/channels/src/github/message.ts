import { createHash } from 'node:crypto';
import type { PromotionStanding } from '@proviso/domain';
import { type Bulletin, type Check, isAsking } from '../bulletin.ts';
import { inert } from '../inert.ts';
import { type GitHubAction, approveAction, isDecidedHere } from './action.ts';
import { githubTopicOf } from './copy.ts';
import { type GitHubDeployment, deploymentOf, wasServed } from './deployment.ts';
import { code, codeLines, link } from './markdown.ts';

/** A check run, a comment that is kept up to date on the pull request of its commit, or its deployment. */
export type GitHubMessage = GitHubCheck | GitHubComment | GitHubDeployment;

/** A check run as GitHub takes it. */
export interface GitHubCheck {
  readonly kind: 'check';
  readonly name: string;
  readonly status: 'in_progress' | 'completed';
  /** Null while it is in progress. */
  readonly conclusion: GitHubConclusion | null;
  readonly title: string;
  readonly summary: string;
  readonly actions: readonly GitHubAction[];
  readonly page: string;
}

/** How a check run may end. `neutral` and `skipped` are left out: GitHub lets a merge pass on them. */
export type GitHubConclusion = 'action_required' | 'success' | 'failure' | 'cancelled' | 'timed_out';

/** A comment, and which one it is: of one prototype there is one on a pull request, and the later promotion has it. */
export interface GitHubComment {
  readonly kind: 'comment';
  readonly body: string;
  readonly prototype: string;
  readonly openedAt: number;
}

/** A headline with the longest reason of a gate in it. */
const headlineMax = 600;
/** Of a title GitHub shows no more. */
const titleMax = 200;
/** Paths that are shown; the rest is counted, and stands on the page. */
const pathsMax = 8;
/** Documents that are linked. */
const linksMax = 12;

/** What a copy says, given how its promotion stands; null: nothing any more. Whoever calls this twice gets the same. */
export function githubMessage(
  copy: {
    readonly key: string;
    readonly token: string;
    readonly address: string | null;
    readonly postingSince: number | null;
  },
  bulletin: Bulletin,
): GitHubMessage | null {
  const topic = githubTopicOf(copy.key);
  // What never stood anywhere says nothing after the end, unless users were served meanwhile.
  const isLate = bulletin.ended && copy.address === null && copy.postingSince === null;
  if (isLate && !(topic === 'deployment' && wasServed(bulletin))) return null;
  switch (topic) {
    case 'check':
      return checkOf(copy.token, bulletin);
    case 'comment':
      return commentOf(copy.token, bulletin);
    case 'deployment':
      return deploymentOf(markOf(copy.token), bulletin);
    case null:
      return null;
  }
}

/** The mark by which a copy is found again. It tells nobody the token. */
export function markOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** What the first line of a comment says unseen: whose it is. */
export interface CommentMark {
  readonly prototype: string;
  readonly openedAt: number;
  readonly mark: string;
}

/** Reads it; null for a comment without one. */
export function commentMarkIn(body: string): CommentMark | null {
  const [, prototype, openedAt, mark] = /^<!-- proviso ([a-z0-9-]+) (\d{1,16}) ([0-9a-f]{64}) -->/.exec(body) ?? [];
  if (prototype === undefined || mark === undefined) return null;
  return { prototype, openedAt: Number(openedAt), mark };
}

function checkOf(token: string, bulletin: Bulletin): GitHubCheck {
  const { prototype, links } = bulletin;
  return {
    ...{ kind: 'check', name: `Proviso (${prototype})`, ...conclusionOf(bulletin) },
    // GitHub takes no empty title.
    title: inert(bulletin.headline, titleMax) || '–',
    summary: sectionsOf(bulletin).join('\n\n'),
    actions: actionsOf(token, bulletin),
    page: links.page,
  };
}

function actionsOf(token: string, { ask }: Bulletin): readonly GitHubAction[] {
  if (!isAsking(ask) || !isDecidedHere(ask)) return [];
  return [approveAction({ token, attempt: ask.attempt, ...ask.bound })];
}

/** What each standing is as the end of a check run; null: it has none yet. */
const conclusions: Readonly<Record<PromotionStanding, GitHubConclusion | null>> = {
  ...{ queued: null, running: null, canary: null },
  // Somebody has to do something, or nothing goes on.
  ...{ waiting_for_human: 'action_required', blocked: 'action_required', held: 'action_required' },
  // No data is never a pass.
  ...{ live: 'success', rejected: 'failure', rolled_back: 'failure', demoted: 'failure', inconclusive: 'failure' },
  ...{ expired: 'timed_out', superseded: 'cancelled', cancelled: 'cancelled' },
};

function conclusionOf({ standing }: Bulletin): Pick<GitHubCheck, 'status' | 'conclusion'> {
  const conclusion = conclusions[standing];
  return conclusion === null ? { status: 'in_progress', conclusion } : { status: 'completed', conclusion };
}

function commentOf(token: string, bulletin: Bulletin): GitHubComment {
  const { prototype, openedAt } = bulletin;
  const first = `<!-- proviso ${prototype} ${openedAt} ${markOf(token)} -->`;
  return { kind: 'comment', body: [first, ...sectionsOf(bulletin)].join('\n\n'), prototype, openedAt };
}

/** The same words in both places: only names of ours and what we have checked ourselves stand outside of code. */
function sectionsOf(bulletin: Bulletin): readonly string[] {
  const { prototype, version, source } = bulletin;
  const commit = source === null ? '' : ` from commit ${code(source.commit.slice(0, 12))}`;
  const sections = [
    `**Proviso**: ${code(prototype)} ${code(version, 64)}${commit}`,
    codeLines([bulletin.headline], headlineMax),
    ...changeSections(bulletin),
    codeLines(bulletin.checks.map(lineOfCheck), headlineMax),
    ...askSections(bulletin),
    linksOf(bulletin),
  ];
  return sections.filter((section) => section !== '');
}

function changeSections({ change }: Bulletin): readonly string[] {
  if (change === null) return ['Nobody is served yet: this would be the first version.'];
  const { liveVersion, types, files } = change;
  const other = types.length === 0 ? '' : ` Other than live: ${types.join(', ')}.`;
  const live = `Users are on ${code(liveVersion, 64)}.${other}`;
  if (files === null) return [`${live} Its files are not kept any more, so they cannot be compared.`];
  const counts = `${files.changed} files changed, ${files.added} new, ${files.removed} removed.`;
  const named = files.named.slice(0, pathsMax).map(({ word, path }) => `${word}: ${path}`);
  const rest = files.added + files.changed + files.removed - named.length;
  return [`${live} ${counts}`, codeLines([...named, ...(rest > 0 && named.length > 0 ? [`and ${rest} more`] : [])])];
}

function lineOfCheck({ gate, status, words, live }: Check): string {
  const before = live === null ? '' : ` (live: ${inert(live)})`;
  return `${gate}: ${status.replaceAll('_', ' ')}${words === '' ? '' : `. ${inert(words)}`}${before}`;
}

/** What a decision is bound to, and how one is made here or elsewhere. */
function askSections({ ask, links }: Bulletin): readonly string[] {
  if (!isAsking(ask)) return [];
  const { artifact, evidenceDigest } = ask.bound;
  const bound = `Bound to files \`${shortOf(artifact)}\`, evidence \`${shortOf(evidenceDigest)}\`, attempt ${ask.attempt}.`;
  const how = isDecidedHere(ask)
    ? 'Decide with **Approve** on the check, or in a comment on the pull request that begins with ' +
      '`/proviso approve`, `/proviso reject REASON` or `/proviso request-changes REASON`.'
    : `This gate is not decided here: ${link(links.page, 'review and approve')}.`;
  return [bound, how];
}

function linksOf({ links, checks }: Bulletin): string {
  const evidence = checks.flatMap((check) => check.evidence.map(({ kind, url }) => link(url, code(lettersOf(kind)))));
  const preview = links.preview === null ? [] : [link(links.preview, 'preview')];
  return [link(links.page, 'all of it'), ...preview, ...evidence.slice(0, linksMax)].join(' · ');
}

/** A kind of evidence may be a stranger's word, so in a link only its letters and digits are left, and stand in code: it may be a verdict. */
function lettersOf(kind: string): string {
  const letters = inert(kind, 40)
    .replaceAll(/[^\p{L}\p{N} -]+/gu, ' ')
    .trim();
  return letters === '' ? 'document' : letters;
}

function shortOf(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
