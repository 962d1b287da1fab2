import { OutletFailure } from '../outlet.ts';
import { type GitHubRequest, numberOf } from './app.ts';
import { type GitHubComment, commentMarkIn } from './message.ts';
import type { GitHubPlace } from './place.ts';

/** Comments that one look goes through; what stands further down is not found, and another comment is posted. */
const pagesMax = 10;
const pageSize = 100;

interface OnPull {
  readonly place: GitHubPlace;
  readonly pull: number;
}

interface Standing {
  readonly id: number;
  readonly body: string;
}

/** The one comment that a prototype has on a pull request: later promotions take it over from earlier ones. */
export interface SharedComments {
  readonly appId: number;
  /** Takes the comment that stands there, or posts one; answers its number. */
  readonly stand: (ask: GitHubRequest, at: OnPull & { readonly message: GitHubComment }) => Promise<number>;
  /** Fails for good when a later promotion has it. */
  readonly update: (
    ask: GitHubRequest,
    at: { readonly place: GitHubPlace; readonly id: number; readonly message: GitHubComment },
  ) => Promise<void>;
  /** The comment with that mark; null: there is none. */
  readonly marked: (ask: GitHubRequest, at: OnPull & { readonly mark: string }) => Promise<number | null>;
}

/** Opens them for one App: whoever writes a comment that looks like ours is somebody else. */
export function openSharedComments(appId: number): SharedComments {
  const alone = inTurns();
  return {
    appId,
    stand: async (ask, { place, pull, message }) =>
      await alone(place, async () => {
        const comments = await ours(ask, appId, { place, pull });
        const same = comments.filter(({ body }) => commentMarkIn(body)?.prototype === message.prototype).at(-1);
        if (same === undefined) {
          const comment = { ...place, issue_number: pull, body: message.body };
          return numberOf((await ask('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', comment)).data);
        }
        await write(ask, place, { standing: same, message });
        return same.id;
      }),
    update: async (ask, { place, id, message }) =>
      await alone(place, async () => {
        const at = { ...place, comment_id: id };
        const { data } = await ask('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', at);
        await write(ask, place, { standing: { id, body: data.body ?? '' }, message });
      }),
    marked: async (ask, { mark, ...at }) => {
      const comments = await ours(ask, appId, at);
      return comments.find(({ body }) => commentMarkIn(body)?.mark === mark)?.id ?? null;
    },
  };
}

/** An earlier promotion never writes over what a later one says. */
async function write(
  ask: GitHubRequest,
  place: GitHubPlace,
  { standing, message }: { readonly standing: Standing; readonly message: GitHubComment },
): Promise<void> {
  if ((commentMarkIn(standing.body)?.openedAt ?? 0) > message.openedAt)
    throw new OutletFailure('taken_over', { permanent: true });
  await ask('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
    ...{ ...place, comment_id: standing.id, body: message.body },
  });
}

async function ours(ask: GitHubRequest, appId: number, { place, pull }: OnPull): Promise<readonly Standing[]> {
  const found: Standing[] = [];
  for (let page = 1; page <= pagesMax; page += 1) {
    const { data } = await ask('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      ...{ ...place, issue_number: pull, per_page: pageSize, page },
    });
    for (const { id, body, performed_via_github_app: app } of data)
      if (app?.id === appId) found.push({ id: Number(id), body: body ?? '' });
    if (data.length < pageSize) break;
  }
  return found;
}

/**
 * Looking and writing belong together, and this process is the only one that follows: one at a time in each repository is
 * enough, and a slow one holds up no other.
 */
function inTurns(): <Result>(place: GitHubPlace, work: () => Promise<Result>) => Promise<Result> {
  const lasts = new Map<string, Promise<unknown>>();
  return async ({ owner, repo }, work) => {
    const name = `${owner}/${repo}`.toLowerCase();
    const mine = (lasts.get(name) ?? Promise.resolve()).then(work, work);
    lasts.set(name, mine);
    try {
      return await mine;
    } finally {
      if (lasts.get(name) === mine) lasts.delete(name);
    }
  };
}
