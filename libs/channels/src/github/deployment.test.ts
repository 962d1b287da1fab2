import type { PromotionStanding } from '@proviso/domain';
import { type FakeGitHubApp, startFakeGitHubApp } from '@proviso/testkit';
import type { Bulletin } from '../bulletin.ts';
import { openGitHubApp } from './app.ts';
import { githubWishes } from './copy.ts';
import { githubMessage, markOf } from './message.ts';
import { openGitHubOutlet } from './outlet.ts';
import { promoted, repository } from './promoted.contract.ts';

let github: FakeGitHubApp;
let conversation: string;
const staged = [{ gate: 'staging', attempt: 1, status: 'passed', words: '', live: null, evidence: [] }] as const;

beforeAll(async () => {
  github = await startFakeGitHubApp();
  conversation = `${repository}@${github.push(repository, { 'main.js': '//' })}`;
});

afterAll(async () => {
  expect(github.complaints).toEqual([]);
  await github.close();
});

function outlet() {
  const { apiUrl, privateKey } = github;
  return openGitHubOutlet(openGitHubApp({ apiUrl, appId: '77', privateKey }, Date.now));
}

function drawn(bulletin: Bulletin, token: string, address: string | null = 'deployment/1') {
  const copy = { key: `${bulletin.promotion}/deployment`, token, address, postingSince: null };
  const message = githubMessage(copy, bulletin);
  if (message === null) throw new Error('expected something to say');
  return message;
}

function isWished(bulletin: Bulletin): boolean {
  return githubWishes(bulletin).some(({ key }) => key.endsWith('/deployment'));
}

describe('a deployment of a promotion', () => {
  it('is there once the version was somewhere, and not before', () => {
    expect(isWished(promoted('running'))).toBe(false);
    expect(isWished(promoted('waiting_for_human', { asked: 'waiting' }))).toBe(false);
    expect(isWished(promoted('waiting_for_human', { checks: staged }))).toBe(true);
    expect(isWished(promoted('canary'))).toBe(true);
    expect(isWished(promoted('held', { canRollBack: true }))).toBe(true);
    expect(isWished({ ...promoted('canary'), source: null })).toBe(false);
  });

  it('goes from staging over a canary to everybody, each told once, and the one before it becomes inactive', async () => {
    const before = drawn(promoted('live', { number: 1 }), 'before');
    const old = await outlet().post(before, { conversation, thread: null, token: 'before' });
    const address = await outlet().post(drawn(promoted('running', { checks: staged, number: 2 }), 'now'), {
      ...{ conversation, thread: null, token: 'now' },
    });
    for (const standing of ['canary', 'live'] as const)
      await outlet().update(drawn(promoted(standing, { number: 2 }), 'now'), { conversation, address });
    const [one, two] = [old, address].map((at) => github.deployments.find(({ id }) => at === `deployment/${id}`));
    expect(two?.environment).toBe('Proviso (atlas)');
    expect(two?.statuses.map(({ state, description }) => [state, description])).toEqual([
      ['queued', 'In staging'],
      ['in_progress', 'Some users are on it: a canary'],
      ['success', 'Everybody is on it'],
    ]);
    expect(one?.statuses.at(-1)?.state).toBe('inactive');
  });

  it.each<[PromotionStanding, string]>([
    ['rolled_back', 'failure'],
    ['demoted', 'inactive'],
    ['superseded', 'inactive'],
    ['rejected', 'inactive'],
  ])('ends, when %s, as %s', (standing, state) => {
    expect(drawn(promoted(standing), 't')).toMatchObject({ kind: 'deployment', state });
  });

  it('is found after its answer was lost, and so is not made twice', async () => {
    const message = drawn(promoted('canary'), 'lost');
    github.fault = (route) => (route === 'POST deployments' ? { kind: 'loses_answer' } : null);
    const spot = { conversation, thread: null, token: 'lost' };
    await expect(outlet().post(message, spot)).rejects.toMatchObject({ more: { uncertain: true } });
    github.fault = () => null;
    const made = github.deployments.find(({ payload }) => JSON.stringify(payload).includes(markOf('lost')));
    expect(await outlet().find(spot, 0)).toBe(`deployment/${made?.id}`);
    expect(await outlet().find({ ...spot, token: 'never' }, 0)).toBeNull();
  });

  it('is taken back where it stands twice', async () => {
    const spot = { conversation, thread: null, token: 'twice' };
    const address = await outlet().post(drawn(promoted('canary'), 'twice'), spot);
    await outlet().withdraw({ conversation, address });
    expect(await outlet().find(spot, 0)).toBeNull();
  });

  it('is told at the end even if GitHub was away until then, when users had the version', () => {
    const copy = { key: `${promoted('live').promotion}/deployment`, token: 't', address: null, postingSince: null };
    expect(githubMessage(copy, promoted('live'))).toMatchObject({ state: 'success' });
    expect(githubMessage(copy, promoted('rolled_back'))).toMatchObject({ state: 'failure' });
    expect(githubMessage(copy, promoted('rejected'))).toBeNull();
  });
});
