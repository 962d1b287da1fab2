import type { Prompt } from '@proviso/domain';
import { OutletFailure } from '../outlet.ts';
import type { GitHubApp } from './app.ts';
import { code } from './markdown.ts';
import { commentMarkIn, markOf } from './message.ts';
import { commentIn } from './outlet.ts';
import { placeOf, pullRequestOf } from './place.ts';

/** Longer than any sentence of ours with its reason. */
const answerMax = 700;

/** A comment on a pull request, as whoever answers it needs it. */
export interface Asked {
  readonly repository: string;
  readonly pull: number;
}

/** What a pull request is about now: its head, and what it was merged as. */
export interface PullRequestHead {
  readonly head: string;
  readonly mergedAs: string | null;
  /** The head is in another repository: whoever may write there may move it. */
  readonly isFork: boolean;
}

/** What we say and ask at GitHub besides copies. Each may fail as an `OutletFailure`. */
export interface GitHubAnswers {
  /** Two eyes on a comment: it was read. */
  readonly see: (repository: string, comment: number) => Promise<void>;
  readonly reply: (to: Asked, answer: GitHubAnswer) => Promise<void>;
  /** Answers whoever did something at a commit: on its pull request, or at the commit itself when there is none. */
  readonly tell: (at: { readonly repository: string; readonly commit: string }, answer: GitHubAnswer) => Promise<void>;
  /** From GitHub itself and not from what was sent: that may be old. */
  readonly headOf: (of: Asked) => Promise<PullRequestHead>;
  /** Whether this copy, a comment of ours, stands on that pull request, and nothing else in its place. */
  readonly standsOn: (on: Asked, copy: Pick<Prompt, 'token' | 'address'>) => Promise<boolean>;
}

/** A line, and the page that it leads to. */
export interface GitHubAnswer {
  readonly text: string;
  readonly page: string | null;
}

/** Opens them. */
export function openGitHubAnswers(app: GitHubApp): GitHubAnswers {
  const comment = async ({ repository, pull }: Asked, body: string): Promise<void> => {
    const at = { ...placeOf(repository), issue_number: pull, body };
    await app.call(repository, (ask) => ask('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', at));
  };
  return {
    see: async (repository, comment_id) => {
      const at = { ...placeOf(repository), comment_id, content: 'eyes' as const };
      await app.call(repository, (ask) => ask('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', at));
    },
    reply: async (to, answer) => await comment(to, lineOf(answer)),
    tell: async ({ repository, commit }, answer) => {
      const place = placeOf(repository);
      const pull = await app.call(repository, (ask) => pullRequestOf(ask, place, commit));
      if (pull !== null) return await comment({ repository, pull }, lineOf(answer));
      const at = { ...place, commit_sha: commit, body: lineOf(answer) };
      await app.call(repository, (ask) => ask('POST /repos/{owner}/{repo}/commits/{commit_sha}/comments', at));
    },
    headOf: async ({ repository, pull }) => {
      const at = { ...placeOf(repository), pull_number: pull };
      return await app.call(repository, async (ask) => {
        const { data } = await ask('GET /repos/{owner}/{repo}/pulls/{pull_number}', at);
        const { head, base, merged, merge_commit_sha } = data;
        // A repository that is gone was another one.
        const isFork = head.repo?.id !== base.repo.id;
        return { head: head.sha, mergedAs: merged ? merge_commit_sha : null, isFork };
      });
    },
    standsOn: async ({ repository, pull }, { token, address }) => {
      const comment_id = commentIn(address);
      if (comment_id === null) return false;
      const at = { ...placeOf(repository), comment_id };
      return await app
        .call(repository, async (ask) => {
          const { data } = await ask('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', at);
          const isThere = data.issue_url.endsWith(`/issues/${pull}`);
          return isThere && commentMarkIn(data.body ?? '')?.mark === markOf(token);
        })
        .catch((error: unknown) => {
          // Somebody deleted it.
          if (error instanceof OutletFailure && error.code === 'not_found') return false;
          throw error;
        });
    },
  };
}

function lineOf({ text, page }: GitHubAnswer): string {
  return page === null ? code(text, answerMax) : `${code(text, answerMax)} ${new URL(page).href}`;
}
