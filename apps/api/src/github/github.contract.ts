import { randomUUID } from 'node:crypto';
import { type FakeCheckRun, type FakeGitHubApp, type FakeGitHubMember, startFakeGitHubApp } from '@proviso/testkit';
import { type Actor, type Deployment, listening, openDeployment } from '../deployment.contract.ts';
import { type Following, startFollowing } from '../following.contract.ts';
import { githubConfig, linkAtGitHub, pushTo } from './github-config.contract.ts';

/** Accounts at the fake GitHub that are linked to people of the cast. */
export const githubUsers = { bea: 101, sam: 102, kim: 103, olga: 104, max: 105 } as const;

/** A deployment with a GitHub App, its follower at work, and a sequencer, as a worker has one. */
export interface GitHubGround {
  readonly here: Deployment;
  readonly github: FakeGitHubApp;
  readonly url: string;
  readonly member: (actor: keyof typeof githubUsers) => FakeGitHubMember;
  readonly channels: Following['channels'];
  readonly close: () => Promise<void>;
}

/** Opens one; close it in `afterAll`. */
export async function openGitHubGround(): Promise<GitHubGround> {
  const github = await startFakeGitHubApp();
  const workspace = `wsp_${randomUUID().replaceAll('-', '')}` as const;
  const here = await openDeployment(githubConfig(github, workspace), pushTo(github));
  const url = await listening(here);
  github.eventsUrl = `${url}/github/webhooks`;
  for (const [actor, user] of Object.entries(githubUsers)) await linkAtGitHub(here, here.people[actor as Actor], user);
  const following = await startFollowing(here);
  return {
    ...{ here, github, url },
    member: (actor) => github.member(githubUsers[actor]),
    channels: following.channels,
    close: async () => {
      await following.stop();
      await github.close();
      await here.close();
    },
  };
}

/** The check run of a promotion, told by the page that it leads to. */
export function checkOf({ github }: Pick<GitHubGround, 'github'>, promotion: string): FakeCheckRun | null {
  const address = `gate_${promotion.slice('prm_'.length)}-approval`;
  return github.checks.find(({ detailsUrl }) => detailsUrl?.endsWith(address)) ?? null;
}

/** The check run that asks people about a promotion now; null while none does. */
export function askingCheck(ground: Pick<GitHubGround, 'github'>, promotion: string): FakeCheckRun | null {
  const found = checkOf(ground, promotion);
  return found?.conclusion === 'action_required' ? found : null;
}
