import { checkLines, markdownLines } from '@proviso/channels';
import type { FakeCheckRun, FakeDeployment, FakeGitHubApp, FakeGitHubNote } from '@proviso/testkit';

/** The repository of a prototype. */
export function repositoryOf({ name }: { readonly name: string }): string {
  return `acme/${name}`;
}

/** The check run of a promotion, told by the page that it leads to; should it stand twice, the one that was made last. */
export function checkOf({ checks }: FakeGitHubApp, promotion: string): FakeCheckRun | null {
  return (
    checks.findLast((check) => check.detailsUrl?.endsWith(addressOf(promotion)) === true && !isWithdrawn(check)) ?? null
  );
}

/** Check run and comment, once both ask; null before. */
export function askedAt(github: FakeGitHubApp, promotion: string): readonly string[] | null {
  const check = checkOf(github, promotion);
  const comment = check === null ? null : commentOf(github, { check, promotion });
  const isAsking = check !== null && comment !== null && check.actions.length > 0 && asks(comment.body, promotion);
  return isAsking ? [...linesOf(check), ...commentLines(comment, check)] : null;
}

function addressOf(promotion: string): string {
  return `gate_${promotion.slice('prm_'.length)}-approval`;
}

function isWithdrawn({ name }: FakeCheckRun): boolean {
  return name === 'Proviso (withdrawn)';
}

/** The comment that is kept up to date, while it is about this promotion. */
function commentOf(
  { notes }: FakeGitHubApp,
  { check, promotion }: { readonly check: FakeCheckRun; readonly promotion: string },
): FakeGitHubNote | null {
  const ours = notes.filter(({ repository, body }) => repository === check.repository && isKept(body));
  return ours.find(({ body }) => body.includes(addressOf(promotion))) ?? null;
}

function isKept(body: string): boolean {
  return body.startsWith('<!-- proviso ');
}

function asks(body: string, promotion: string): boolean {
  return body.includes(addressOf(promotion)) && body.includes('/proviso approve');
}

/** All that stands about a promotion: check run, comment and deployment. */
export function shownAt(github: FakeGitHubApp, promotion: string): readonly string[] {
  const check = checkOf(github, promotion);
  if (check === null) return [];
  const comment = commentOf(github, { check, promotion });
  const deployments = github.deployments.filter(({ commit }) => commit === check.headSha);
  return [...linesOf(check), ...(comment === null ? [] : commentLines(comment, check)), ...deployments.map(lineOf)];
}

function linesOf(check: FakeCheckRun): readonly string[] {
  const standing = (check.conclusion ?? check.status).replaceAll('_', ' ');
  return [`check run, ${standing}`, ...checkLines(check).map(indented)];
}

/** The comment says what the check run does, as a rule: then it is not told twice. */
function commentLines({ body }: FakeGitHubNote, { summary }: FakeCheckRun): readonly string[] {
  const [lines, same] = [markdownLines(body), markdownLines(summary)];
  return lines.join('\n') === same.join('\n')
    ? ['comment on the pull request, the same words']
    : ['comment on the pull request', ...lines.map(indented)];
}

function lineOf({ environment, statuses }: FakeDeployment): string {
  const last = statuses.at(-1);
  return `deployment in ${environment}: ${last?.state.replaceAll('_', ' ')}. ${last?.description}`;
}

function indented(line: string): string {
  return `  ${line}`;
}

/** Check run and comment, each since it asks no more: what they say afterwards is another matter. */
export function finalSince(github: FakeGitHubApp, promotion: string): number | null {
  const check = checkOf(github, promotion);
  if (check === null) return null;
  const kept = github.notes.filter(({ repository, body }) => repository === check.repository && isKept(body));
  const copies = [
    check.offers.map(({ at, actions }) => ({ at, isAsking: actions.length > 0 })),
    ...kept.map(({ bodies, times }) =>
      bodies.map((body, index) => ({ at: times[index] ?? 0, isAsking: asks(body, promotion) })),
    ),
  ];
  const ends = copies.map((states) => states[states.findLastIndex(({ isAsking }) => isAsking) + 1]?.at ?? null);
  const hasAsked = copies.every((states) => states.some(({ isAsking }) => isAsking));
  return kept.length === 0 || !hasAsked || ends.includes(null) ? null : Math.max(...ends.map(Number));
}

/** A commit has one check run of each name and one deployment, and a pull request one comment of each prototype. */
export function doubledAt({ checks, notes, deployments }: FakeGitHubApp): readonly string[] {
  const marks = [
    ...checks.filter((check) => !isWithdrawn(check)).map(({ name, headSha }) => `${name} at ${headSha}`),
    ...notes.filter(({ body }) => isKept(body)).map(({ repository }) => `comment in ${repository}`),
    ...deployments.map(({ environment, commit }) => `deployment of ${commit} in ${environment}`),
  ];
  return marks.filter((mark, index) => marks.indexOf(mark) !== index);
}
