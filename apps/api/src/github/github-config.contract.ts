import { randomUUID } from 'node:crypto';
import type { PersonId, WorkspaceId } from '@proviso/domain';
import type { FakeGitHubApp } from '@proviso/testkit';
import type { Config } from '../config.ts';
import type { Deployment, Push } from '../deployment.contract.ts';
import { githubIdentity } from './github-caller.ts';

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

/** Links an account as its person does at the page. */
export async function linkAtGitHub(here: Deployment, person: PersonId, user: number): Promise<void> {
  const { config, journal, now } = here.parts;
  const receipt = await journal.submit({
    ...{ workspace: here.workspace, actor: person, idempotencyKey: randomUUID(), authn: 'test' },
    command: { kind: 'LinkIdentity', person, identity: githubIdentity(user, config) },
    door: { channel: 'page', freshAt: now() },
  });
  if (receipt.kind === 'refused') throw new Error(`expected a link, got ${receipt.refusal.code}`);
}
