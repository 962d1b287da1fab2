import type { GitHubRequest } from './app.ts';

/** A repository as GitHub's routes name it. */
export interface GitHubPlace {
  readonly owner: string;
  readonly repo: string;
}

/** The place of `owner/name`. */
export function placeOf(repository: string): GitHubPlace {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}

/** The pull request whose head the commit is, or that was merged as it; of several the newest, and null when there is none. */
export async function pullRequestOf(ask: GitHubRequest, place: GitHubPlace, commit: string): Promise<number | null> {
  const { data } = await ask('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', {
    ...{ ...place, commit_sha: commit, per_page: 100 },
  });
  const own = data.filter(({ state, head, merged_at, merge_commit_sha }) => {
    const isMerged = merged_at !== null && merge_commit_sha === commit;
    return (head.sha === commit && (state === 'open' || merged_at !== null)) || isMerged;
  });
  return own.length === 0 ? null : Math.max(...own.map(({ number }) => number));
}
