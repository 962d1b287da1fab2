import { randomUUID } from 'node:crypto';
import { builtinPrincipals } from '@proviso/domain';
import type { FakeWaitingJob } from '@proviso/testkit';
import { type Deployment, passByWorker, pickText, registered } from '../deployment.contract.ts';
import { until } from '../slack/slack.contract.ts';
import { repositoryOf } from './github-config.contract.ts';
import { type GitHubGround, openGitHubGround } from './github.contract.ts';

let ground: GitHubGround;
let here: Deployment;
let runs = 0;

beforeAll(async () => {
  ground = await openGitHubGround();
  here = ground.here;
});

afterAll(async () => {
  expect(ground.github.complaints).toEqual([]);
  await ground.close();
});

/** What the worker does before users come to a canary. */
async function claimCanary(promotion: `prm_${string}`): Promise<void> {
  const submission = { workspace: here.workspace, actor: builtinPrincipals.worker.id, authn: 'service/worker' };
  const claim = { kind: 'Claim', promotion, step: 'canary', claimant: 'test' } as const;
  const receipt = await here.parts.journal.submit({ ...submission, idempotencyKey: randomUUID(), command: claim });
  expect(receipt.kind === 'accepted' && receipt.answer.kind).toBe('granted');
}

interface Pushed {
  readonly prototype: string;
  readonly policy: string;
  readonly commit: string;
}

/** A commit in the repository of a prototype, which nobody has promoted yet. */
async function pushed(name: string): Promise<Pushed> {
  const { prototype, policy } = await registered(here, name);
  const { commit } = here.push?.(prototype, `// ${name}`) ?? { commit: '' };
  return { prototype, policy, commit };
}

/** A deploy job waits, and GitHub tells us of it, twice. */
async function waits({ prototype, commit }: Pushed, environment: string): Promise<FakeWaitingJob> {
  const run = (runs += 1);
  const repository = repositoryOf(prototype);
  const job = ground.github.wait({ repository, run, environment });
  const deed = ground.github.happens('deployment_protection_rule', {
    ...{ action: 'requested', environment, event: 'push', deployment: { id: run, sha: commit, ref: 'main' } },
    // Of the address nothing is taken but the number of the run.
    deployment_callback_url: `https://evil.example/repos/x/y/actions/runs/${run}/deployment_protection_rule`,
    repository: { full_name: repository },
  });
  expect(await deed.send()).toMatchObject({ status: 202, outcome: 'kept until it is answered' });
  expect(await deed.send()).toMatchObject({ status: 202 });
  return job;
}

/** A merge queue makes a group that ends with the pull request of the repository. */
async function queued({ prototype, commit }: Pushed): Promise<string> {
  const repository = repositoryOf(prototype);
  const head = ground.github.push(repository, { 'main.js': 'merged' }, { to: 'nowhere' });
  const merging = { head_sha: head, head_ref: `refs/heads/gh-readonly-queue/main/pr-1-${commit}`, base_sha: commit };
  const payload = { action: 'checks_requested', merge_group: merging, repository: { full_name: repository } };
  expect(await ground.github.happens('merge_group', payload).send()).toMatchObject({ status: 202 });
  return head;
}

async function promote({ prototype, policy, commit }: Pushed) {
  const github = { owner: 'acme', repository: prototype, commit };
  const frozen = await here.post('bea', `/v1/prototypes/${prototype}/candidates`, { version: 'v7', github });
  const candidate = pickText(frozen.body, 'candidate', 'id');
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'readiness');
  const gate = `gate_${promotion.slice('prm_'.length)}-approval`;
  const shown = await here.ask('sam', 'GET', `/v1/gates/${gate}`);
  const [artifactDigest, evidenceDigest] = ['artifactDigest', 'evidenceDigest'].map((name) =>
    pickText(shown.body, name),
  );
  const vote = { verdict: 'approve', attempt: 1, artifactDigest, evidenceDigest };
  const approve = async (voter: 'sam' | 'kim') =>
    expect((await here.post(voter, `/v1/gates/${gate}/decisions`, vote, randomUUID())).status).toBe(201);
  return { promotion, gate, approve };
}

it('lets deploy jobs go on by what people decided about their commit, also when they waited before it was promoted', async () => {
  const things = await pushed('asked');
  const [preview, production] = [await waits(things, 'preview'), await waits(things, 'production')];
  await until(() => preview.reports[0] === 'Proviso: no version of this commit was promoted yet.');
  const { promotion, gate, approve } = await promote(things);
  await approve('sam');
  expect(preview.answer).toBeNull();
  await approve('kim');
  await until(() => preview.answer);
  expect(preview.answer).toEqual({ state: 'approved', comment: expect.stringContaining(`/decide/${gate}`) });
  expect(production.answer).toBeNull();
  await here.post('bea', `/v1/promotions/${promotion}/cancel`, { reason: 'not today' });
  await until(() => production.answer);
  expect(production.answer?.state).toBe('rejected');
  // A reason is a person's words, and stands on our page.
  expect(production.answer?.comment).not.toContain('not today');
});

it('shows at GitHub which users have a version, and that they have it no more', async () => {
  const things = await pushed('shown');
  const { promotion, approve } = await promote(things);
  await Promise.all([approve('sam'), approve('kim')]);
  const { commit } = things;
  expect(ground.github.deployments.filter((one) => one.commit === commit)).toEqual([]);
  await claimCanary(promotion);
  const deployment = await until(() => ground.github.deployments.find((one) => one.commit === commit));
  await until(() => deployment.statuses.at(-1)?.state === 'in_progress');
  await here.post('bea', `/v1/promotions/${promotion}/rollback`, { reason: 'wrong prices' });
  await until(() => deployment.statuses.at(-1)?.state === 'failure');
  expect(deployment.environment).toBe('Proviso (shown)');
});

it('answers what was asked while GitHub, or every process of ours, was away', async () => {
  const things = await pushed('while-away');
  const job = await waits(things, 'preview');
  // Its contents are still there, else nothing could be promoted.
  ground.github.fault = (route) => (route === 'contents' ? null : { kind: 'away' });
  const { approve } = await promote(things);
  await Promise.all([approve('sam'), approve('kim')]);
  await ground.channels.stop();
  const head = await queued(things);
  ground.github.fault = () => null;
  ground.channels.start();
  await until(() => job.answer?.state === 'approved', 20_000);
  const check = await until(() => ground.github.checks.find(({ headSha }) => headSha === head));
  expect([check.name, check.conclusion]).toEqual(['Proviso (while-away)', 'success']);
});

it('lets nothing through a merge queue that nobody has approved, and answers it all the same', async () => {
  const things = await pushed('unapproved');
  await promote(things);
  const checkAt = async (head: string) =>
    await until(() => ground.github.checks.find(({ headSha }) => headSha === head));
  expect((await checkAt(await queued(things))).conclusion).toBe('failure');
  const unknown = await pushed('never-promoted');
  expect(await checkAt(await queued(unknown))).toMatchObject({ name: 'Proviso', conclusion: 'failure' });
});

it('keeps nothing of what is no such question', async () => {
  const { github } = ground;
  const rule = { action: 'requested', environment: 'e', deployment: { id: 1, sha: 'a'.repeat(40) } };
  const repository = { full_name: 'acme/atlas' };
  const address = { deployment_callback_url: '/actions/runs/1/deployment_protection_rule' };
  for (const payload of [
    {},
    { ...rule, repository, deployment_callback_url: 'https://api.github.com/elsewhere' },
    { ...rule, ...address, repository: { full_name: '../../x' } },
    { ...rule, ...address, repository, action: 'deleted' },
  ])
    expect(await github.happens('deployment_protection_rule', payload).send()).toMatchObject({
      outcome: 'nothing to do',
    });
  const destroyed = { action: 'destroyed', repository };
  expect(await github.happens('merge_group', destroyed).send()).toMatchObject({ outcome: 'nothing to do' });
});
