import { randomUUID } from 'node:crypto';
import type { FakeGitHubDeed } from '@proviso/testkit';
import { openCanaryStage } from '../canary.contract.ts';
import { type Deployment, atApproval, pick, pickText } from '../deployment.contract.ts';
import { until } from '../slack/slack.contract.ts';
import { repositoryOf } from './github-config.contract.ts';
import { type GitHubGround, askingCheck, checkOf, openGitHubGround } from './github.contract.ts';

let ground: GitHubGround;
let here: Deployment;

beforeAll(async () => {
  ground = await openGitHubGround();
  here = ground.here;
});

afterAll(async () => {
  await ground.close();
});

type Member = 'bea' | 'sam' | 'olga';

async function told(actor: Member, repository: string, words: string): Promise<string> {
  return await done(ground.member(actor).write(repository, words));
}

async function done(deed: FakeGitHubDeed): Promise<string> {
  expect(await deed.send()).toMatchObject({ status: 202 });
  return await deed.told();
}

async function newestOf(prototype: string) {
  const { body } = await here.ask('aud', 'GET', `/v1/promotions?prototype=${prototype}`);
  return pick(body, 'items', 0);
}

/** A prototype that was promoted from its repository, with another commit at the head of the pull request by now. */
async function pushedAgain(name: string) {
  const { prototype } = await atApproval(here, name);
  const repository = repositoryOf(prototype);
  const commit = ground.github.push(repository, { 'app/main.js': `newer ${name}` });
  return { prototype, repository, commit };
}

describe('/proviso start', () => {
  it('freezes the head commit and promotes it, and finds it under way when it is written again', async () => {
    const { prototype, repository, commit } = await pushedAgain('pushed-again');
    const version = commit.slice(0, 12);
    expect(await told('bea', repository, '/proviso start')).toMatch(
      new RegExp(`^\`Started: “pushed-again” ${version}, by the policy careful\\.\` http.*/decide/gate_`),
    );
    const opened = await newestOf(prototype);
    expect(opened).toMatchObject({
      candidate: { version, origin: { commit } },
      requester: { id: here.people.bea },
    });
    const check = await until(() => ground.github.checks.find(({ headSha }) => headSha === commit));
    expect(check.name).toBe('Proviso (pushed-again)');
    expect(await told('bea', repository, '/proviso start')).toMatch(
      /^`“pushed-again” [0-9a-f]{12} is under way already\.`/,
    );
    expect(await newestOf(prototype)).toMatchObject({ id: pickText(opened, 'id') });
  });

  it('delivered again starts once', async () => {
    const { prototype, repository } = await pushedAgain('delivered-again');
    const deed = ground.member('bea').write(repository, '/proviso start');
    const answers = await Promise.all([deed.send(), deed.send()]);
    expect(new Set(answers.map(({ outcome }) => outcome)).size).toBe(1);
    const { body } = await here.ask('aud', 'GET', `/v1/promotions?prototype=${prototype}`);
    expect(pick(body, 'items')).toHaveLength(2);
  });

  it('of a repository that nothing came from yet takes the name, and says what is missing', async () => {
    const name = 'first-of-all';
    const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
    const repository = `acme/new-${randomUUID().slice(0, 8)}`;
    const commit = ground.github.push(repository, { 'app/main.js': name });
    expect(await told('bea', repository, '/proviso start')).toBe(
      '`No prototype was promoted from this repository: nothing was recorded. Name one: /proviso start PROTOTYPE`',
    );
    expect(await told('bea', repository, '/proviso start nobodys')).toMatch(/^`No prototype is called “nobodys” here/);
    expect(await told('bea', repository, '/proviso start first-of-all with nothing')).toMatch(
      /^`No policy is called “nothing”: nothing was recorded\. Published: careful\.`$/,
    );
    expect(await told('bea', repository, '/proviso start first-of-all with careful')).toMatch(
      /^`Started: “first-of-all”/,
    );
    expect(await newestOf(prototype)).toMatchObject({ candidate: { origin: { commit } } });
  });

  it('is refused to who may not freeze, and where strangers could move the head', async () => {
    const { prototype, repository } = await pushedAgain('not-by-them');
    const before = pickText(await newestOf(prototype), 'id');
    expect(await told('sam', repository, '/proviso start')).toMatch(/^`You may not do this.*\(not_permitted\)`$/);
    ground.github.pull(repository).isFork = true;
    expect(await told('bea', repository, '/proviso start')).toMatch(/^`Its head is in another repository: merge it/);
    expect(await newestOf(prototype)).toMatchObject({ id: before });
  });

  it('after a merge promotes what it was merged as', async () => {
    const { prototype, repository } = await pushedAgain('merged');
    const mergedAs = ground.github.push(repository, { 'app/main.js': 'merged' }, { to: 'nowhere' });
    Object.assign(ground.github.pull(repository), { state: 'closed', mergedAs, isFork: true });
    expect(await told('bea', repository, '/proviso start')).toContain(mergedAs.slice(0, 12));
    expect(await newestOf(prototype)).toMatchObject({ candidate: { origin: { commit: mergedAs } } });
  });

  it('is told when GitHub does not give the commit, and counts once when it is written again', async () => {
    const { repository } = await pushedAgain('not-given');
    ground.github.fault = (route) => (route === 'contents' ? { kind: 'breaks' } : null);
    expect(await told('bea', repository, '/proviso start')).toMatch(/^`Nothing was recorded: write it again\.`$/);
    ground.github.fault = () => null;
    expect(await told('bea', repository, '/proviso start')).toMatch(/^`Started: /);
  });
});

it('/proviso comment, rerun and pause are said of the head commit, and advance is no word here', async () => {
  const scene = await atApproval(here, 'said-of-it');
  const repository = repositoryOf(scene.prototype);
  await until(() => askingCheck(ground, scene.promotion));
  const says = async (words: string, actor: Member = 'bea') => await told(actor, repository, words);
  await here.post('sam', scene.decisions, { verdict: 'request_changes', reason: 'shorter', ...scene.digests });
  expect(await says('/proviso comment the tone\r\nis off', 'sam')).toBe('`Recorded.`');
  const history = await here.ask('aud', 'GET', `/v1/promotions/${scene.promotion}/history`);
  expect(JSON.stringify(history.body)).toContain('the tone\\nis off');
  expect(await says('/proviso rerun')).toBe('`Recorded.`');
  const gate = (await here.ask('aud', 'GET', `/v1/gates/${scene.gate}`)).body;
  expect(gate).toMatchObject({ status: 'waiting', attempt: 2 });
  expect(await says('/proviso pause now')).toMatch(/^`.*expected a canary that users are on.*\(gate_closed\)`$/i);
  const stage = openCanaryStage(here);
  const canary = await stage.canaryOf('paused-there');
  const { prototype } = (await here.ask('aud', 'GET', `/v1/promotions/${canary.promotion}`)).body;
  const there = repositoryOf(String(prototype));
  await until(() => checkOf(ground, canary.promotion));
  expect(await told('bea', there, '/proviso pause')).toMatch(/^`Say why behind the word/);
  expect(await told('sam', there, '/proviso pause odd')).toMatch(/\(not_permitted\)`$/);
  expect(await told('bea', there, '/proviso pause odd')).toBe('`Recorded.`');
  expect(await told('olga', there, '/proviso advance now')).toContain('/proviso approve, reject REASON');
  const shown = (await here.ask('aud', 'GET', `/v1/promotions/${canary.promotion}`)).body;
  expect(shown).toMatchObject({ canary: { pace: 'paused', weight: 10 } });
  expect(await told('olga', there, '/proviso rollback errors')).toBe('`Recorded.`');
});
