import { markdownLines } from '@proviso/channels';
import type { FakeGitHubApp, FakeWaitingJob } from '@proviso/testkit';
import { checkOf, repositoryOf } from './github-sight.ts';
import type { BroughtVersion, PlayedChannel } from './played-channel.ts';

/** A deploy job of somebody's own pipeline, and the version that it would deploy. */
interface Job extends FakeWaitingJob {
  readonly version: string;
  readonly commit: string;
}

/** Each run has a job for both: the first waits for people's word, the second for everybody to be on the version. */
const environments = ['preview', 'production'] as const;

/**
 * Pipelines whose deploy jobs are held by a custom deployment protection rule, which is the App: people decide at GitHub, and
 * the jobs go on, or fail, by what came of it. Jobs while GitHub or we are away: `libs/channels/src/github/answering.test.ts`
 * and `apps/api/src/github/github-questions.test.ts`.
 */
export function protectionRule(
  github: FakeGitHubApp,
  channel: Omit<PlayedChannel, 'besides'>,
): Omit<PlayedChannel, 'besides'> {
  const jobs: Job[] = [];
  const jobsAbout = (promotion: string): readonly Job[] => {
    const repository = checkOf(github, promotion)?.repository;
    return jobs.filter((job) => job.repository === repository);
  };
  return {
    ...channel,
    name: 'protection',
    prototype: 'deskjob',
    brought: async (version) => {
      const candidate = await channel.brought(version);
      jobs.push(...(await begun(github, version, jobs.length + 1)));
      return candidate;
    },
    asking: (promotion) => {
      const asked = channel.asking(promotion);
      return asked === null ? null : [...titleOf(github, promotion), ...jobsAbout(promotion).flatMap(linesOf)];
    },
    shown: (promotion) => [...titleOf(github, promotion), ...jobsAbout(promotion).flatMap(linesOf)],
    finalAt: (promotion) => {
      const commit = checkOf(github, promotion)?.headSha;
      const waits = jobs.some((job) => job.commit === commit && job.answer === null);
      return waits ? null : channel.finalAt(promotion);
    },
  };
}

/** The push has started a run there, whose jobs wait: they are heard of before anybody promotes the commit. */
async function begun(github: FakeGitHubApp, version: BroughtVersion, run: number): Promise<readonly Job[]> {
  const repository = repositoryOf(version);
  const { head: commit } = github.pull(repository);
  const waits = environments.map(async (environment, index) => {
    const job = github.wait({ repository, run, environment });
    const deed = github.happens('deployment_protection_rule', {
      ...{ action: 'requested', environment, event: 'push', deployment: { id: run + index, sha: commit, ref: 'main' } },
      deployment_callback_url: `${github.apiUrl}/repos/${repository}/actions/runs/${run}/deployment_protection_rule`,
      repository: { full_name: repository },
    });
    const { status, outcome } = await deed.send();
    if (outcome !== 'kept until it is answered') throw new Error(`expected a job to be kept, got ${status} ${outcome}`);
    return Object.assign(job, { version: version.version, commit });
  });
  return await Promise.all(waits);
}

function titleOf(github: FakeGitHubApp, promotion: string): readonly string[] {
  const check = checkOf(github, promotion);
  return check === null ? [] : [`check run ${check.name}`, `  ${check.title}`];
}

/** What a job goes on by is of the moment at which people had decided, and the next moment has other words. */
function linesOf({ version, environment, answer }: Job): readonly string[] {
  const line = `deploy job of ${version} for ${environment}: `;
  if (answer === null) return [`${line}waits`];
  if (environment === 'preview' && answer.state === 'approved') return [`${line}goes on`];
  const words = markdownLines(answer.comment).map((one) => `  ${one}`);
  return [line + (answer.state === 'approved' ? 'goes on' : 'fails'), ...words];
}
