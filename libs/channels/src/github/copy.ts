import type { PromptWish } from '@proviso/domain';
import type { Bulletin, CommitSource } from '../bulletin.ts';
import { isDeployed } from './deployment.ts';

/** What a copy is: a promotion's check run at its commit, the comment on that commit's pull request, or its deployment. */
export const githubTopics = ['check', 'comment', 'deployment'] as const;
/** One of them. */
export type GitHubTopic = (typeof githubTopics)[number];

/** Where everything about a commit stands. GitHub takes names in any case, and so do builders. */
export function conversationOf({ repository, commit }: CommitSource): string {
  return `${repository.toLowerCase()}@${commit}`;
}

/** The commit of a conversation. */
export function commitOf(conversation: string): CommitSource {
  const [repository = '', commit = ''] = conversation.split('@');
  return { repository, commit };
}

/** Which copies should stand at GitHub, given how a promotion stands: none for what was frozen from somewhere else. */
export function githubWishes(bulletin: Bulletin): readonly PromptWish[] {
  const { source, ended, promotion } = bulletin;
  // Who comes late to what has ended says nothing about it; copies that stand already are registered.
  if (source === null || ended) return [];
  const conversation = conversationOf(source);
  const topics = githubTopics.filter((topic) => topic !== 'deployment' || isDeployed(bulletin));
  return topics.map((topic) => ({
    ...{ key: `${promotion}/${topic}`, promotion, conversation, thread: null, once: false },
  }));
}

/** Reads a key; null for one that this version does not know. */
export function githubTopicOf(key: string): GitHubTopic | null {
  const [, word] = key.split('/');
  return githubTopics.find((topic) => topic === word) ?? null;
}
