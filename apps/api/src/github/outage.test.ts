import { type Outlet, openDelivery } from '@proviso/channels';
import type { FakeGitHubNote } from '@proviso/testkit';
import { followerPorts } from '../channels.ts';
import { type Deployment, atApproval, frozenVersion, passByWorker, pickText } from '../deployment.contract.ts';
import { rowsIn } from '../slack/interleaving.contract.ts';
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

afterEach(() => {
  ground.github.fault = () => null;
});

type Scene = Awaited<ReturnType<typeof atApproval>>;

function isAsked({ promotion }: Pick<Scene, 'promotion'>): boolean {
  return askingCheck(ground, promotion) !== null;
}

function comments({ prototype }: Pick<Scene, 'prototype'>): readonly FakeGitHubNote[] {
  const repository = repositoryOf(prototype);
  return ground.github.notes.filter((note) => note.repository === repository && note.body.startsWith('<!-- proviso '));
}

async function asked(name: string): Promise<Scene> {
  const scene = await atApproval(here, name);
  await until(() => isAsked(scene) && comments(scene).length > 0);
  return scene;
}

async function decide({ decisions, digests }: Scene): Promise<void> {
  for (const actor of ['sam', 'kim'] as const)
    expect((await here.post(actor, decisions, { verdict: 'approve', ...digests })).status).toBe(201);
}

/** Both copies say that it is decided, each stands once, and nothing can be pressed. */
async function final(scene: Scene): Promise<void> {
  await until(() => checkOf(ground, scene.promotion)?.actions.length === 0, 20_000);
  await until(() => comments(scene).every(({ body }) => !body.includes('/proviso approve')), 20_000);
  await until(async () => (await rowsIn(here, scene.promotion)).every(({ behind }) => !behind), 20_000);
  const check = checkOf(ground, scene.promotion);
  expect(check).toMatchObject({ actions: [], status: 'in_progress' });
  expect(ground.github.checks.filter(({ headSha }) => headSha === check?.headSha)).toHaveLength(1);
  const bodies = comments(scene).map(({ body }) => body);
  expect(bodies).toEqual([expect.not.stringContaining('/proviso approve')]);
  expect(bodies[0]).toContain(check?.summary ?? 'no check');
}

describe('a GitHub that is away', () => {
  it('has its copies right as soon as it is back', async () => {
    const scene = await asked('away');
    ground.github.fault = () => ({ kind: 'away' });
    await decide(scene);
    expect(isAsked(scene)).toBe(true);
    ground.github.fault = () => null;
    await final(scene);
  });

  it.each([403, 429] as const)('and says %i and when to come back is left alone until then', async (status) => {
    const scene = await asked(`too-often-${status}`);
    ground.github.fault = () => ({ kind: 'rate_limited', status, retryAfterSeconds: 2 });
    const before = ground.github.calls.length;
    const since = performance.now();
    await decide(scene);
    await until(() => ground.github.calls.length > before);
    const first = ground.github.calls.length;
    while (performance.now() - since < 1_500) await here.ask(null, 'GET', '/healthz');
    // What was under way together was told together.
    expect(ground.github.calls.length - first).toBeLessThan(4);
    ground.github.fault = () => null;
    await final(scene);
  });

  it.each(['loses_answer', 'breaks_after'] as const)('and %s after it has posted gets no second copy', async (kind) => {
    const lost: string[] = [];
    ground.github.fault = (route) => {
      const isPosting = route === 'POST check-runs' || route === 'POST comments';
      if (!isPosting || lost.includes(route)) return null;
      lost.push(route);
      return { kind };
    };
    const scene = await atApproval(here, `lost-${kind.replaceAll('_', '-')}`);
    await until(() => isAsked(scene) && comments(scene).length > 0, 20_000);
    await decide(scene);
    await final(scene);
    expect(lost.toSorted()).toEqual(['POST check-runs', 'POST comments']);
  });

  it('cannot be asked for the head of a pull request: the command is tried again by whoever delivers it again', async () => {
    const scene = await asked('head-unknown');
    const deed = ground.member('sam').write(repositoryOf(scene.prototype), '/proviso approve');
    ground.github.fault = (route) => (route === 'GET pull' ? { kind: 'breaks' } : null);
    expect(await deed.send()).toMatchObject({ status: 503 });
    ground.github.fault = () => null;
    expect(await deed.send()).toEqual({ status: 202, outcome: 'Recorded.' });
  });
});

it('a comment that somebody deleted is not made up for, nor asked for for ever', async () => {
  const scene = await asked('deleted');
  ground.github.forget(comments(scene));
  await decide(scene);
  await until(() => checkOf(ground, scene.promotion)?.actions.length === 0, 20_000);
  await until(async () => (await rowsIn(here, scene.promotion)).every(({ behind }) => !behind), 20_000);
  expect(comments(scene)).toEqual([]);
});

it('a follower that was frozen takes back what it has posted twice, under a name that nobody waits for', async () => {
  const scene = await asked('posted-twice');
  const { ports, register } = portsOf();
  const copies = await Promise.all((await rowsIn(here, scene.promotion)).map(({ token }) => register.byToken(token)));
  // It had noted that it would post, and froze before it did; another has posted meanwhile.
  const due = copies.flatMap((one) => (one === null ? [] : [{ ...one, address: null }]));
  await openDelivery({ ...ports, register: { ...register, due: async () => due, begin: async () => true } }).turn(0);
  const { headSha } = checkOf(ground, scene.promotion) ?? { headSha: '' };
  const checks = ground.github.checks.filter((check) => check.headSha === headSha);
  expect(checks.map(({ name, conclusion, actions }) => [name, conclusion, actions.length])).toEqual([
    ['Proviso (posted-twice)', 'action_required', 1],
    ['Proviso (withdrawn)', 'cancelled', 0],
  ]);
  expect(comments(scene)).toHaveLength(1);
});

it('a follower that wakes up with an older promotion in its hands writes over nothing that a newer one says', async () => {
  const old = await asked('frozen-old');
  const { ports, register } = portsOf();
  const stale = await ports.bulletin(old.promotion);
  const rows = await rowsIn(here, old.promotion);
  const candidate = await frozenVersion(here, { ...old, version: 'v2', words: 'newer' });
  const opened = await here.post('bea', '/v1/promotions', { prototype: old.prototype, candidate, policy: old.policy });
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'readiness');
  await until(() => isAsked({ promotion }) && comments(old)[0]?.body.includes('`v2`'));
  const copies = await Promise.all(rows.map(({ token }) => register.byToken(token)));
  const due = copies.flatMap((one) => (one?.key.endsWith('/comment') === true ? [{ ...one, drawn: null }] : []));
  await openDelivery({ ...ports, bulletin: async () => stale, register: { ...register, due: async () => due } }).turn(
    0,
  );
  expect(due).toHaveLength(1);
  expect(comments(old).map(({ body }) => body.includes('`v2`'))).toEqual([true]);
});

it('a repository without the App is told nothing, and holds up nobody', async () => {
  const name = 'not-installed';
  const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
  ground.github.uninstalled.add(repositoryOf(prototype));
  const candidate = await frozenVersion(here, { prototype, version: 'v1', words: name });
  const { policy } = await asked('beside-it');
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
  const promotion = pickText(opened.body, 'id');
  await until(async () => (await rowsIn(here, promotion)).length === 2);
  await asked('behind-it');
  expect(checkOf(ground, promotion)).toBeNull();
  expect(ground.github.complaints).toEqual([]);
});

function portsOf() {
  const outlet: Outlet | undefined = here.parts.github?.outlet as Outlet | undefined;
  if (outlet === undefined) throw new Error('expected a GitHub App');
  const ports = followerPorts(here.parts, { workspace: here.workspace, channel: 'github', outlet });
  return { ports, register: ports.register };
}
