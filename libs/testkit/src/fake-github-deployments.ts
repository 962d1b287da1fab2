import type { components } from '@octokit/openapi-types/types.d.ts';
import type { FakeGitHubState } from './fake-github-app.ts';
import { textIn } from './fake-github-limits.ts';
import type { AppRoute, Answered, Asked, Part } from './fake-github-routes.ts';

type Schemas = components['schemas'];

/** A deployment as GitHub keeps it, with every status that it was given. */
export interface FakeDeployment {
  readonly id: number;
  readonly repository: string;
  readonly commit: string;
  readonly environment: string;
  readonly payload: Schemas['deployment']['payload'];
  readonly statuses: { readonly state: string; readonly description: string; readonly logUrl: string }[];
}

/** A deploy job that waits at a protection rule of ours, and what it was told. */
export interface FakeWaitingJob {
  readonly repository: string;
  readonly run: number;
  readonly environment: string;
  readonly reports: string[];
  answer: { readonly state: 'approved' | 'rejected'; readonly comment: string } | null;
}

/** As GitHub documents them. */
const reportsMax = 10;
const reportLettersMax = 1_024;
const environmentLettersMax = 255;
const descriptionLettersMax = 140;
const states = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'];

const notFound: Answered = { status: 404, body: { message: 'Not Found', status: '404' } };

/** Deployments with their statuses, and the jobs that wait at a protection rule, with GitHub's limits. */
export const deploymentRoutes: readonly AppRoute[] = [
  { method: 'POST', pattern: /^deployments$/, name: 'POST deployments', answer: createDeployment },
  {
    ...{ method: 'GET', pattern: /^deployments$/, name: 'GET deployments' },
    answer: ({ deployments }, { repository, query }) => {
      const found = deployments.filter((one) => one.repository === repository && one.commit === query.get('sha'));
      return { status: 200, body: found.toReversed().map(deploymentJson) };
    },
  },
  { method: 'POST', pattern: /^deployments\/(\d+)\/statuses$/, name: 'POST statuses', answer: addStatus },
  {
    ...{ method: 'DELETE', pattern: /^deployments\/(\d+)$/, name: 'DELETE deployments' },
    answer: (state, { ids: [id] }) => {
      const at = state.deployments.findIndex((one) => one.id === Number(id));
      const found = state.deployments[at];
      if (found === undefined) return notFound;
      if (found.statuses.at(-1)?.state !== 'inactive') return invalid(state, 'an active deployment deleted');
      state.deployments.splice(at, 1);
      return { status: 204, body: null };
    },
  },
  {
    ...{ method: 'POST', pattern: /^actions\/runs\/(\d+)\/deployment_protection_rule$/, name: 'POST rule' },
    answer: answerJob,
  },
];

function invalid({ complaints }: FakeGitHubState, complaint: string): Answered {
  complaints.push(complaint);
  return { status: 422, body: { message: complaint } };
}

/** With the defaults GitHub would merge the default branch into the commit, or wait for every check of it. */
function createDeployment(state: FakeGitHubState, { repository, fields }: Asked): Answered {
  const { ref, environment, payload, auto_merge: merges, required_contexts: contexts } = fields;
  if (merges !== false || !Array.isArray(contexts) || contexts.length > 0)
    return invalid(state, 'a deployment that merges, or that waits for checks');
  if (String(environment).length > environmentLettersMax) return invalid(state, 'an environment of too many letters');
  const made: FakeDeployment = {
    ...{ id: state.drawId(), repository, commit: String(ref), environment: String(environment) },
    ...{ payload: payload as FakeDeployment['payload'], statuses: [] },
  };
  state.deployments.push(made);
  return { status: 201, body: deploymentJson(made) };
}

function deploymentJson({ id, commit, environment, payload }: FakeDeployment): Part<Schemas['deployment']> {
  return { id, sha: commit, ref: commit, environment, payload };
}

function addStatus(state: FakeGitHubState, { repository, ids: [id], fields }: Asked): Answered {
  const found = state.deployments.find((one) => one.repository === repository && one.id === Number(id));
  if (found === undefined) return notFound;
  const { state: status, description = '', log_url: logUrl = '', auto_inactive: isLast = true } = fields;
  if (!states.includes(String(status))) return invalid(state, `state ${String(status)}`);
  if (String(description).length > descriptionLettersMax) return invalid(state, 'a description of too many letters');
  found.statuses.push({ state: String(status), description: String(description), logUrl: String(logUrl) });
  if (status === 'success' && isLast === true) endOthers(state, found);
  return { status: 201, body: { id: 1, state: 'success' } satisfies Part<Schemas['deployment-status']> };
}

function endOthers({ deployments }: FakeGitHubState, now: FakeDeployment): void {
  for (const other of deployments)
    if (other !== now && other.repository === now.repository && other.environment === now.environment)
      if (other.statuses.at(-1)?.state === 'success')
        other.statuses.push({ state: 'inactive', description: '', logUrl: '' });
}

/** Ten reports of 1,024 letters and one answer, for the job that waits and for no other. */
function answerJob(state: FakeGitHubState, { repository, ids: [run], fields }: Asked): Answered {
  const isAsked = (one: FakeWaitingJob) => one.repository === repository && one.run === Number(run);
  const job = state.jobs.find((one) => isAsked(one) && one.environment === fields['environment_name']);
  if (job === undefined) return notFound;
  const { state: verdict } = fields;
  const comment = textIn(fields, 'comment') ?? '';
  if (job.answer !== null) return invalid(state, 'an answer after the answer');
  if (comment.length > reportLettersMax) return invalid(state, 'a report of too many letters');
  if (verdict === 'approved' || verdict === 'rejected') {
    job.answer = { state: verdict, comment };
    return { status: 204, body: null };
  }
  if (verdict !== undefined) return invalid(state, `state ${JSON.stringify(verdict)}`);
  if (job.reports.length >= reportsMax) return invalid(state, 'too many reports');
  job.reports.push(comment);
  return { status: 200, body: { status: 'ok' } };
}
