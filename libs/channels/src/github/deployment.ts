import type { PromotionStanding } from '@proviso/domain';
import type { Bulletin } from '../bulletin.ts';
import { type GitHubRequest, numberOf } from './app.ts';
import type { GitHubPlace } from './place.ts';

/** A deployment at GitHub: one for each promotion of a commit, with a status for each way that it stands. */
export interface GitHubDeployment {
  readonly kind: 'deployment';
  readonly environment: string;
  readonly state: DeploymentState;
  readonly words: string;
  readonly page: string;
  /** By which it is found again. */
  readonly mark: string;
}

type DeploymentState = 'queued' | 'in_progress' | 'success' | 'failure' | 'inactive';

/** Where a version is, as far as anybody can be served by it: its state at GitHub, and words of our own for it. */
interface Stage {
  readonly state: DeploymentState;
  readonly words: string;
}

const canary: Stage = { state: 'in_progress', words: 'Some users are on it: a canary' };

/** By where a promotion stands; what stands still or waits is wherever it was brought before. */
const stages: Readonly<Partial<Record<PromotionStanding, Stage>>> = {
  canary,
  live: { state: 'success', words: 'Everybody is on it' },
  rolled_back: { state: 'failure', words: 'Rolled back: nobody is on it' },
  demoted: { state: 'inactive', words: 'Taken from its users' },
  rejected: { state: 'inactive', words: 'Rejected: it leaves staging' },
  expired: { state: 'inactive', words: 'Nobody answered in time: it leaves staging' },
  superseded: { state: 'inactive', words: 'A newer version took its place' },
  cancelled: { state: 'inactive', words: 'Cancelled' },
};

/** True once a version was somewhere, or is: before that there is no deployment to tell of. */
export function isDeployed({ standing, checks, canRollBack }: Bulletin): boolean {
  const passedStaging = checks.some(({ gate, status }) => gate === 'staging' && status === 'passed');
  return passedStaging || canRollBack || ['canary', 'live', 'rolled_back', 'demoted'].includes(standing);
}

/** True when users had it, or have it: that is told even to whoever hears of it only at the end. */
export function wasServed({ standing }: Bulletin): boolean {
  return ['live', 'rolled_back', 'demoted'].includes(standing);
}

/** What a deployment says, given how its promotion stands. */
export function deploymentOf(mark: string, bulletin: Bulletin): GitHubDeployment {
  const { standing, prototype, canRollBack, links } = bulletin;
  const staging: Stage = { state: 'queued', words: 'In staging' };
  const { state, words } = stages[standing] ?? (canRollBack ? canary : staging);
  return { kind: 'deployment', environment: `Proviso (${prototype})`, state, words, page: links.page, mark };
}

/**
 * Creates the deployment and its first status. A commit may have been deployed a hundred times: GitHub would else merge the
 * default branch into it, or wait for checks, of which ours is one.
 */
export async function postDeployment(
  ask: GitHubRequest,
  {
    place,
    commit,
    message,
  }: { readonly place: GitHubPlace; readonly commit: string; readonly message: GitHubDeployment },
): Promise<number> {
  const { data } = await ask('POST /repos/{owner}/{repo}/deployments', {
    ...{ ...place, ref: commit, environment: message.environment, payload: { proviso: message.mark } },
    ...{ auto_merge: false, required_contexts: [], production_environment: true },
  });
  if (!('id' in data)) throw new Error('expected a deployment, got none');
  const id = numberOf(data);
  await postStatus(ask, { place, id, message });
  return id;
}

/** Tells how a deployment stands now. What was live before it becomes inactive by that, as GitHub does by itself. */
export async function postStatus(
  ask: GitHubRequest,
  { place, id, message }: { readonly place: GitHubPlace; readonly id: number; readonly message: GitHubDeployment },
): Promise<void> {
  const { state, words, page } = message;
  await ask('POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
    ...{ ...place, deployment_id: id, state, description: words, log_url: page, auto_inactive: true },
  });
}

/** The deployment that was made with this mark, if one was: its answer may have been lost. */
export async function findDeployment(
  ask: GitHubRequest,
  { place, commit, mark }: { readonly place: GitHubPlace; readonly commit: string; readonly mark: string },
): Promise<number | null> {
  const { data } = await ask('GET /repos/{owner}/{repo}/deployments', { ...place, sha: commit, per_page: 100 });
  const found = data.find(({ payload }) => markIn(payload) === mark);
  return found === undefined ? null : Number(found.id);
}

/** GitHub keeps a payload as it was sent, or as text. */
function markIn(payload: unknown): unknown {
  const read: unknown = typeof payload === 'string' ? safely(payload) : payload;
  return typeof read === 'object' && read !== null && 'proviso' in read ? read.proviso : undefined;
}

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** One that stands twice: only what is inactive may be deleted. */
export async function withdrawDeployment(
  ask: GitHubRequest,
  { place, id }: { readonly place: GitHubPlace; readonly id: number },
): Promise<void> {
  const at = { ...place, deployment_id: id };
  await ask('POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', { ...at, state: 'inactive' });
  await ask('DELETE /repos/{owner}/{repo}/deployments/{deployment_id}', at);
}
