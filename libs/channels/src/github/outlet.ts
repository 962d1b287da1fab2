import { type Outlet, OutletFailure, type Spot } from '../outlet.ts';
import { type GitHubApp, type GitHubRequest, numberOf } from './app.ts';
import { type GitHubPlace, placeOf, pullRequestOf } from './place.ts';
import { commitOf, githubWishes } from './copy.ts';
import { type GitHubCheck, type GitHubComment, type GitHubMessage, githubMessage, markOf } from './message.ts';
import { findDeployment, postDeployment, postStatus, withdrawDeployment } from './deployment.ts';
import { type SharedComments, openSharedComments } from './shared-comment.ts';

/** Where messages of ours stand at GitHub: check runs at commits, and comments on the pull requests of these. */
export function openGitHubOutlet(app: GitHubApp): Outlet<GitHubMessage> {
  const comments = openSharedComments(app.appId);
  return {
    wishes: githubWishes,
    draw: githubMessage,
    post: async (message, spot) => {
      const { repository, commit } = commitOf(spot.conversation);
      return await app.call(repository, async (ask) => {
        const place = placeOf(repository);
        if (message.kind === 'check') return await postCheck(ask, { place, commit, message, token: spot.token });
        if (message.kind === 'deployment')
          return deploymentAddress(await postDeployment(ask, { place, commit, message }));
        const pull = await pullRequestOf(ask, place, commit);
        if (pull === null) throw new OutletFailure('no_pull_request');
        return commentAddress(await comments.stand(ask, { place, pull, message }));
      });
    },
    update: async (message, { conversation, address }) => {
      const { repository } = commitOf(conversation);
      await app.call(repository, async (ask) => {
        const at = { ask, place: placeOf(repository), id: idIn(address) };
        if (message.kind === 'deployment') return await postStatus(ask, { ...at, message });
        await (message.kind === 'check' ? updateCheck(at, message) : updateComment(comments, at, message));
      });
    },
    withdraw: async ({ conversation, address }) => {
      const { repository } = commitOf(conversation);
      await app.call(repository, async (ask) => await withdraw(ask, placeOf(repository), address));
    },
    find: async (spot) => {
      const { repository, commit } = commitOf(spot.conversation);
      return await app.call(
        repository,
        async (ask) => await find(ask, comments, { ...placeOf(repository), commit, spot }),
      );
    },
  };
}

function deploymentAddress(id: number): string {
  return `deployment/${id}`;
}

function checkAddress(id: number): string {
  return `check/${id}`;
}

function commentAddress(id: number): string {
  return `comment/${id}`;
}

/** The number of a check run in its address; null for that of anything else. */
export function checkRunIn(address: string | null): number | null {
  const [, id] = /^check\/(\d{1,16})$/.exec(address ?? '') ?? [];
  return id === undefined ? null : Number(id);
}

/** The number of a comment in its address; null for that of anything else. */
export function commentIn(address: string | null): number | null {
  const [, id] = /^comment\/(\d{1,16})$/.exec(address ?? '') ?? [];
  return id === undefined ? null : Number(id);
}

function idIn(address: string): number {
  return Number(address.slice(address.indexOf('/') + 1));
}

interface Posting {
  readonly place: GitHubPlace;
  readonly commit: string;
  readonly message: GitHubCheck;
  readonly token: string;
}

async function postCheck(ask: GitHubRequest, { place, commit, message, token }: Posting): Promise<string> {
  const { data } = await ask('POST /repos/{owner}/{repo}/check-runs', {
    ...{ ...place, ...contentOf(message), head_sha: commit, external_id: markOf(token) },
  });
  return checkAddress(numberOf(data));
}

interface At {
  readonly ask: GitHubRequest;
  readonly place: GitHubPlace;
  readonly id: number;
}

async function updateCheck({ ask, place, id }: At, message: GitHubCheck): Promise<void> {
  const check = { ...place, ...contentOf(message), check_run_id: id };
  await ask('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', check);
}

function contentOf({ name, status, conclusion, title, summary, actions, page }: GitHubCheck) {
  const content = { name, status, details_url: page, output: { title, summary }, actions: [...actions] };
  return conclusion === null ? content : { ...content, conclusion };
}

async function updateComment(comments: SharedComments, { ask, place, id }: At, message: GitHubComment): Promise<void> {
  await comments.update(ask, { place, id, message });
}

/** A check run cannot be taken away, so it is given a name under which nobody waits for it, and an end that passes nothing. */
async function withdraw(ask: GitHubRequest, place: GitHubPlace, address: string): Promise<void> {
  if (address.startsWith('deployment/')) return await withdrawDeployment(ask, { place, id: idIn(address) });
  const id = checkRunIn(address);
  if (id === null) {
    await ask('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...place, comment_id: idIn(address) });
    return;
  }
  const output = { title: 'Withdrawn', summary: 'Another check run of this commit says where it stands.' };
  await ask('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
    ...{
      ...place,
      check_run_id: id,
      name: 'Proviso (withdrawn)',
      status: 'completed',
      conclusion: 'cancelled',
      output,
    },
    actions: [],
  });
}

interface Lost extends GitHubPlace {
  readonly commit: string;
  readonly spot: Spot;
}

async function find(ask: GitHubRequest, comments: SharedComments, { commit, spot, ...place }: Lost) {
  const mark = markOf(spot.token);
  const { data } = await ask('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
    ...{ ...place, ref: commit, app_id: comments.appId, filter: 'all', per_page: 100 },
  });
  const check = data.check_runs.find(({ external_id }) => external_id === mark);
  if (check !== undefined) return checkAddress(Number(check.id));
  const pull = await pullRequestOf(ask, place, commit);
  const comment = pull === null ? null : await comments.marked(ask, { place, pull, mark });
  if (comment !== null) return commentAddress(comment);
  const deployment = await findDeployment(ask, { place, commit, mark });
  return deployment === null ? null : deploymentAddress(deployment);
}
