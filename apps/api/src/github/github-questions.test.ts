import { randomBytes } from 'node:crypto';
import { answerTurn, followTurn, openGitHubApp, openGitHubOutlet } from '@proviso/channels';
import { idFrom } from '@proviso/domain';
import {
  type FakeGitHub,
  type FakeGitHubDeployments,
  startFakeGitHub,
  startFakeGitHubDeployments,
} from '@proviso/testkit';
import { followerPorts } from '../channels.ts';
import {
  type Deployment,
  openDeployment,
  passByWorker,
  pickText,
  registered,
  sequence,
} from '../deployment.contract.ts';
import { answeringPorts, heardDeploymentRule, heardMergeGroup } from './github-questions.ts';

let here: Deployment;
let contents: FakeGitHub;
let github: FakeGitHubDeployments;
let turn: () => Promise<void>;
let questions: { readonly journal: Deployment['parts']['journal']; readonly github: { workspace: `wsp_${string}` } };

const asked = [1, 2].map((run) => `rule/acme/helpdesk/${run}/${run}`);
const commit = 'a'.repeat(40);
const group = 'b'.repeat(40);

beforeAll(async () => {
  const author = { name: 'A', email: 'a@elsewhere.example' };
  contents = await startFakeGitHub({
    'Acme/Helpdesk': { commits: [{ sha: commit, message: 'change', author, files: { 'main.js': '//' } }] },
  });
  github = await startFakeGitHubDeployments();
  const workspace = idFrom('wsp', 'c0ffee00-0000-4000-8000-000000000001');
  const { privateKey } = github;
  const config = { appId: '77', privateKey, webhookSecret: 'secret', workspace, environments: { production: 'live' } };
  here = await openDeployment({
    githubApi: contents.baseUrl,
    github: { ...config, environments: { production: 'live' } },
  });
  const app = openGitHubApp({ apiUrl: github.apiUrl, appId: '77', privateKey }, Date.now);
  const follower = followerPorts(here.parts, { workspace, channel: 'github', outlet: openGitHubOutlet(app) });
  const answering = answeringPorts(here.parts, { app, workspace, follower });
  questions = { journal: here.parts.journal, github: { workspace } };
  turn = async () => {
    await sequence(here);
    await followTurn(follower);
    // Every question is looked at, whenever it would have been its turn.
    for (const id of asked) await answering.register.putOff(id, 0);
    await answerTurn(answering);
  };
});

afterAll(async () => {
  expect(github.complaints).toEqual([]);
  await here.close();
  await contents.close();
  await github.close();
});

/** A deploy job waits, and GitHub tells us of it. */
async function waits(run: number, environment: string) {
  const job = github.wait(run, environment);
  const payload = {
    ...{ action: 'requested', environment, event: 'push', deployment: { id: run, sha: commit, ref: 'main' } },
    deployment_callback_url: `https://evil.example/repos/x/y/actions/runs/${run}/deployment_protection_rule`,
    repository: { full_name: 'Acme/Helpdesk' },
  };
  for (let delivery = 0; delivery < 2; delivery += 1) await heardDeploymentRule(questions, { payload });
  return job;
}

it('lets a deploy job go on by the decisions of people, and a merge queue with it, and takes no other end for a yes', async () => {
  const [preview, production] = [await waits(1, 'preview'), await waits(2, 'production')];
  await turn();
  expect(preview.reports).toEqual(['Proviso: no version of this commit was promoted yet.']);

  const { prototype, policy } = await registered(here, 'asked');
  const frozen = await here.post('bea', `/v1/prototypes/${prototype}/candidates`, {
    version: 'v7',
    github: { owner: 'Acme', repository: 'Helpdesk', commit },
  });
  const candidate = pickText(frozen.body, 'candidate', 'id');
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'readiness');
  await turn();
  expect([preview.answer, production.answer]).toEqual([null, null]);

  const gate = `gate_${promotion.slice('prm_'.length)}-approval`;
  const shown = await here.ask('sam', 'GET', `/v1/gates/${gate}`);
  const digests = {
    artifactDigest: pickText(shown.body, 'artifactDigest'),
    evidenceDigest: pickText(shown.body, 'evidenceDigest'),
  };
  const vote = { verdict: 'approve', attempt: 1, ...digests };
  for (const voter of ['sam', 'kim'] as const) {
    expect(preview.answer).toBeNull();
    const voted = await here.post(voter, `/v1/gates/${gate}/decisions`, vote, randomBytes(8).toString('hex'));
    expect(voted.status).toBe(201);
    await turn();
  }
  expect(preview.answer).toEqual({ state: 'approved', comment: expect.stringContaining(`/decide/${gate}`) });
  expect(production.answer).toBeNull();

  github.pulls.set(7, commit);
  const merging = { head_sha: group, head_ref: `refs/heads/gh-readonly-queue/main/pr-7-${commit}`, base_sha: commit };
  const payload = { action: 'checks_requested', merge_group: merging, repository: { full_name: 'Acme/Helpdesk' } };
  await heardMergeGroup(questions, { payload });
  await turn();
  expect(github.checks).toMatchObject([{ name: 'Proviso (asked)', headSha: group, conclusion: 'success' }]);

  await here.post('bea', `/v1/promotions/${promotion}/cancel`, { reason: 'not today' });
  await turn();
  expect(production.answer?.state).toBe('rejected');
  // A reason is a person's words, and stands on our page.
  expect(production.answer?.comment).not.toContain('not today');
});

it('keeps nothing of what is no such question', async () => {
  const rule = { action: 'requested', environment: 'e', deployment: { id: 1, sha: commit } };
  const repository = { full_name: 'acme/helpdesk' };
  for (const payload of [
    null,
    { ...rule, repository, deployment_callback_url: 'https://api.github.com/elsewhere' },
    {
      ...rule,
      repository: { full_name: '../../x' },
      deployment_callback_url: '/actions/runs/1/deployment_protection_rule',
    },
    { ...rule, action: 'deleted', repository, deployment_callback_url: '/actions/runs/1/deployment_protection_rule' },
  ])
    expect(await heardDeploymentRule(questions, { payload })).toEqual({ outcome: 'nothing to do', isSure: true });
  expect(await heardMergeGroup(questions, { payload: { action: 'destroyed', repository } })).toMatchObject({
    isSure: true,
  });
  expect(await here.parts.journal.questions(here.workspace).take(9, 0)).toEqual([]);
});
