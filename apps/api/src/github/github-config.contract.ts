import type { WorkspaceId } from '@proviso/domain';
import type { FakeGitHubApp } from '@proviso/testkit';
import type { Config } from '../config.ts';
import type { Push } from '../deployment.contract.ts';

/** The settings of an API whose people are asked at this GitHub. */
export function githubConfig(github: FakeGitHubApp, workspace: WorkspaceId): Pick<Config, 'github' | 'githubApi'> {
  // Of an environment that nobody names, deploy jobs wait for people.
  const environments = { production: 'live' } as const;
  const { apiUrl: githubApi, appId, privateKey, webhookSecret } = github;
  return { githubApi, github: { appId: String(appId), privateKey, webhookSecret, workspace, environments } };
}

/** Puts versions into repositories there, each prototype's into its own, at the head of its pull request. */
export function pushTo(github: FakeGitHubApp): Push {
  return (prototype, words) => {
    const commit = github.push(repositoryOf(prototype), { 'app/main.js': words });
    return { owner: 'acme', repository: prototype, commit };
  };
}

/** The repository of a prototype. */
export function repositoryOf(prototype: string): string {
  return `acme/${prototype}`;
}
