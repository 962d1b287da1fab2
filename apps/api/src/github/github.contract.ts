import { randomUUID } from 'node:crypto';
import { type FakeCheckRun, type FakeGitHubApp, type FakeGitHubMember, startFakeGitHubApp } from '@proviso/testkit';
import { type Channels, startChannels } from '../channels.ts';
import { type Actor, type Deployment, listening, openDeployment } from '../deployment.contract.ts';
import { startOrder } from '../slack/slack.contract.ts';
import { githubConfig, linkAtGitHub, pushTo } from './github-config.contract.ts';

/** Accounts at the fake GitHub that are linked to people of the cast. */
export const githubUsers = { bea: 101, sam: 102, kim: 103, olga: 104, max: 105 } as const;

/** A deployment with a GitHub App, its follower at work, and a sequencer, as a worker has one. */
export interface GitHubGround {
  readonly here: Deployment;
  readonly github: FakeGitHubApp;
  readonly url: string;
  readonly member: (actor: keyof typeof githubUsers) => FakeGitHubMember;
  /** The follower of this process; ends and begins as an API's does. */
  readonly channels: { stop: () => Promise<void>; start: () => void };
  readonly close: () => Promise<void>;
}

/** Opens one; close it in `afterAll`. */
export async function openGitHubGround(): Promise<GitHubGround> {
  const github = await startFakeGitHubApp();
  const workspace = `wsp_${randomUUID().replaceAll('-', '')}` as const;
  const here = await openDeployment(githubConfig(github, workspace), pushTo(github));
  const url = await listening(here);
  github.eventsUrl = `${url}/github/webhooks`;
  const order = await startOrder(here);
  for (const [actor, user] of Object.entries(githubUsers)) await linkAtGitHub(here, here.people[actor as Actor], user);
  let channels: Channels = startChannels(here.parts);
  return {
    ...{ here, github, url },
    member: (actor) => github.member(githubUsers[actor]),
    channels: {
      stop: () => channels.stop(),
      start: () => {
        channels = startChannels(here.parts);
      },
    },
    close: async () => {
      await channels.stop();
      await order.stop();
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
