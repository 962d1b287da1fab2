import { createHash } from 'node:crypto';
import { markdownLines } from '@proviso/channels';
import { type FakeGitHubApp, type FakeGitHubDeed, linkAtGitHub, startFakeGitHubApp } from '@proviso/testkit';
import { acknowledged } from './acknowledged.ts';
import type { Approval, BroughtVersion, Call, Person, PlayedChannel } from './played-channel.ts';
import { askedAt, checkOf, doubledAt, finalSince, repositoryOf, shownAt } from './github-sight.ts';
import { protectionRule } from './protection.ts';

const inComment = 'in a comment';
const onCheck = 'on the check';

/** GitHub, with a repository for each prototype, the head of whose pull request each version is. */
export async function githubChannel(): Promise<PlayedChannel> {
  const github = await startFakeGitHubApp();
  const channel = channelAt(github);
  return { ...channel, besides: [protectionRule(github, channel)] };
}

function channelAt(github: FakeGitHubApp): Omit<PlayedChannel, 'besides'> {
  let apiUrl = '';
  return {
    name: 'github',
    prototype: 'helpdesk',
    ways: [inComment, onCheck],
    environment: (workspace) => ({
      ...{ PROVISO_GITHUB_API: github.apiUrl, PROVISO_GITHUB_APP_ID: String(github.appId) },
      ...{ PROVISO_GITHUB_APP_KEY: github.privateKey, PROVISO_GITHUB_WEBHOOK_SECRET: github.webhookSecret },
      ...{ PROVISO_GITHUB_WORKSPACE: workspace, PROVISO_GITHUB_ENVIRONMENTS: 'production=live,preview=approved' },
    }),
    join: (stage) => {
      ({ apiUrl } = stage);
      github.eventsUrl = `${apiUrl}/github/webhooks`;
    },
    link: async (person) => {
      const status = await linkAtGitHub({ apiUrl, token: person.token, github, user: userOf(person) });
      if (status !== 200) throw new Error(`expected an account to be linked, got ${status}`);
    },
    brought: async (version) => await brought(github, version),
    start: async (starting) => {
      const words = `/proviso start ${starting.name} with ${starting.policy}`;
      const deed = github.member(userOf(starting.builder)).write(repositoryOf(starting), words);
      await acknowledged(async () => (await deed.send()).status === 202);
      return markdownLines(await deed.told()).join(' ');
    },
    asking: (promotion) => askedAt(github, promotion),
    approve: async (approval) => {
      const deed = deedOf(github, approval);
      const acknowledgedMs = await acknowledged(async () => (await deed.send()).status === 202);
      const acknowledgedAt = Date.now();
      return { told: markdownLines(await deed.told()).join(' '), acknowledgedMs, acknowledgedAt };
    },
    shown: (promotion) => shownAt(github, promotion),
    finalAt: (promotion) => finalSince(github, promotion),
    unended: (promotion) => shownAt(github, promotion).filter((line) => line.includes('Waiting for ')),
    doubled: () => doubledAt(github),
    setBreakage: (breakage) => {
      github.fault = (route, said) => {
        const kind = breakage(callOf(route), said);
        return kind === null ? null : { kind };
      };
    },
    complaints: () => github.complaints,
    close: () => github.close(),
  };
}

/** Pushed to the head of its pull request, and frozen from there at its commit. */
async function brought(github: FakeGitHubApp, version: BroughtVersion): Promise<string> {
  const { door, builder, prototype } = version;
  const files = Object.fromEntries(Object.entries(version.files).map(([path, content]) => [path, content.toString()]));
  const [owner, repository] = repositoryOf(version).split('/');
  const commit = github.push(repositoryOf(version), files, { account: userOf(builder) });
  const source = { version: version.version, github: { owner, repository, commit } };
  return (await door.post<{ candidate: { id: string } }>(`/v1/prototypes/${prototype}/candidates`, source)).candidate
    .id;
}

function userOf({ id }: Person): number {
  return Number.parseInt(createHash('sha256').update(id).digest('hex').slice(0, 10), 16) + 1;
}

/** What they press is what was on the screen when it was still to be answered, if it is not any more. */
function deedOf(github: FakeGitHubApp, { person, promotion, way }: Approval): FakeGitHubDeed {
  const check = checkOf(github, promotion);
  const action = check?.drawn.at(-1);
  if (check === null || action === undefined) throw new Error(`expected a check run about ${promotion}, got none`);
  const member = github.member(userOf(person));
  return way === onCheck ? member.press(check, action.identifier) : member.write(check.repository, '/proviso approve');
}

/** Answers to people are comments, too; they come after votes, when no strike waits for a posting any more. */
function callOf(route: string): Call {
  if (route === 'POST check-runs' || route === 'POST comments') return 'post';
  return route === 'PATCH check-runs' || route === 'PATCH comments' ? 'change' : 'other';
}
