import {
  type AnsweringPorts,
  type Bulletin,
  type DeploymentNeed,
  type FollowerPorts,
  type GitHubApp,
  conversationOf,
} from '@proviso/channels';
import type { WorkspaceId } from '@proviso/domain';
import type { GitHubConfig } from '../config.ts';
import type { Parts } from '../parts.ts';
import type { GitHubOutcome } from './github-desk.ts';
import { deploymentRule, mergeGroup } from './github-payload.ts';

/** What keeping a question takes: whoever hears an event has more. */
export interface QuestionParts extends Pick<Parts, 'journal'> {
  readonly github: Pick<GitHubConfig, 'workspace'>;
}

const passedOver: GitHubOutcome = { outcome: 'nothing to do', isSure: true };
const kept: GitHubOutcome = { outcome: 'kept until it is answered', isSure: true };

/** A deploy job waits at a protection rule. It is durable before GitHub hears that we got it. */
export async function heardDeploymentRule(
  parts: QuestionParts,
  heard: { readonly payload: unknown },
): Promise<GitHubOutcome> {
  const read = deploymentRule.safeParse(heard.payload);
  if (!read.success) return passedOver;
  const { environment, deployment, deployment_callback_url: url } = read.data;
  const run = Number(/\/runs\/(\d+)\//.exec(url)?.[1]);
  const repository = read.data.repository.full_name.toLowerCase();
  const at = { repository, commit: deployment.sha, environment, run, pull: null };
  await parts.journal
    .questions(parts.github.workspace)
    .ask({ id: `rule/${repository}/${run}/${deployment.id}`, kind: 'rule', ...at });
  return kept;
}

/** A merge queue waits. Its last pull request is in the name of the branch that it has made. */
export async function heardMergeGroup(
  parts: QuestionParts,
  heard: { readonly payload: unknown },
): Promise<GitHubOutcome> {
  const read = mergeGroup.safeParse(heard.payload);
  if (!read.success) return passedOver;
  const { head_sha: commit, head_ref: branch } = read.data.merge_group;
  const number = /\/pr-(\d{1,9})-[0-9a-f]+$/.exec(branch)?.[1];
  const repository = read.data.repository.full_name.toLowerCase();
  const at = { repository, commit, environment: null, run: null, pull: number === undefined ? null : Number(number) };
  await parts.journal
    .questions(parts.github.workspace)
    .ask({ id: `queue/${repository}/${commit}`, kind: 'queue', ...at });
  return kept;
}

/** Who follows the promotions for the same App knows where they stand. */
type Follower = Pick<FollowerPorts, 'register' | 'log' | 'bulletin' | 'pause' | 'note'>;

/** How long an answer waits for the follower, which needs a part of a second as a rule; later it is tried again. */
const followMsMax = 3_000;
const followPollMs = 100;

/** What answers them: the same bulletins, by the same code, as stand at the commit. */
export function answeringPorts(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  {
    app,
    workspace,
    follower,
  }: { readonly app: GitHubApp; readonly workspace: WorkspaceId; readonly follower: Follower },
): AnsweringPorts {
  return {
    ...{ register: journal.questions(workspace), app, page: `${config.publicUrl}/` },
    bulletinsAt: (source) => bulletinsAt(follower, conversationOf(source)),
    isFollowed: () => isFollowed(follower),
    needOf: (environment) => needIn(config.github?.environments ?? {}, environment),
    ...{ pause: follower.pause, note: follower.note },
  };
}

/** What nobody has named waits for people, and not for users. */
function needIn(environments: GitHubConfig['environments'], environment: string): DeploymentNeed {
  return (Object.hasOwn(environments, environment) ? environments[environment] : undefined) ?? 'approved';
}

/** Waits for the place where the log ends now, and not for what comes meanwhile. */
async function isFollowed({ register, log, pause }: Follower): Promise<boolean> {
  const { incarnation, last } = await log.log();
  for (let waitedMs = 0; waitedMs < followMsMax; waitedMs += followPollMs) {
    const cursor = await register.followed();
    if (cursor?.incarnation === incarnation && cursor.position >= last) return true;
    await pause(followPollMs, new AbortController().signal);
  }
  return false;
}

async function bulletinsAt({ register, bulletin }: Follower, conversation: string): Promise<readonly Bulletin[]> {
  const copies = await register.inConversation(conversation);
  const promotions = [...new Set(copies.map(({ promotion }) => promotion))];
  return (await Promise.all(promotions.map(bulletin))).flatMap((one) => one ?? []);
}
