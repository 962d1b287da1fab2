import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { signedIn } from './browser.contract.ts';
import { type CanaryStage, looked, openCanaryStage } from './canary.contract.ts';
import {
  type Actor,
  type Deployment,
  atApproval,
  listening,
  openDeployment,
  pick,
  pickText,
} from './deployment.contract.ts';

const commandFile = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));

let here: Deployment;
let stage: CanaryStage;

beforeAll(async () => {
  here = await openDeployment();
  stage = openCanaryStage(here);
});

afterAll(async () => {
  await here.close();
});

const at = (promotion: string, verb = '') => `/v1/promotions/${promotion}${verb}`;
const hand = async (actor: Actor, promotion: string, verb: 'pause' | 'unpause' | 'advance' | 'rollback' | 'cancel') =>
  await here.post(actor, at(promotion, `/${verb}`), { reason: 'a look at the dashboard' });
const shown = async (promotion: string, actor: Actor = 'olga') => (await here.ask(actor, 'GET', at(promotion))).body;

async function relsOf(promotion: string, actor: Actor): Promise<Readonly<Record<string, boolean>>> {
  const { actions } = (await shown(promotion, actor)) as unknown as {
    actions: readonly { rel: string; allowed: boolean }[];
  };
  return Object.fromEntries(actions.map(({ rel, allowed }) => [rel, allowed]));
}

describe('the series of a canary', () => {
  it('comes oldest first, page after page, each look with its numbers and its verdict in words', async () => {
    const canary = await stage.canaryOf('series');
    for (let number = 2; number <= 5; number += 1) await stage.look(canary, null, looked(number));
    const first = await here.ask('aud', 'GET', at(canary.promotion, '/looks?limit=2'));
    expect(first.body).toMatchObject({
      next: 2,
      thresholds: { rollback: expect.closeTo(Math.log(100), 9), advance: expect.closeTo(Math.log(20), 9) },
    });
    expect(pick(first.body, 'items', 0)).toEqual({
      ...{ number: 1, at: expect.any(String), weight: 10, move: 'hold', verdict: 'hold', reason: 'collecting' },
      samples: { canary: { units: 40, failed: 1 }, stable: { units: 360, failed: 2 } },
      evidence: { against: -0.2, advance: 1.5, by: 'stable' },
      metrics: [
        { metric: 'errors', against: -0.3, samples: { canary: 40, stable: 360 } },
        { metric: 'latency', against: 0.4, samples: { canary: 40, stable: 360 } },
      ],
      words: 'there is not enough traffic yet to decide: new 1 of 40 failed',
    });
    const numbers: unknown[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = await here.ask('aud', 'GET', at(canary.promotion, `/looks?limit=2&after=${after}`));
      numbers.push(...(page.body['items'] as readonly { number: number }[]).map(({ number }) => number));
      after = page.body['next'] as number | null;
    }
    expect(numbers).toEqual([1, 2, 3, 4, 5]);
  });

  it('comes from a moment on, and has no point for a look that kept no evidence to plot', async () => {
    const canary = await stage.canaryOf('since');
    await stage.look(canary, null, looked(2, { evidence: undefined }));
    await stage.look(canary, null, looked(3));
    const all = await here.ask('aud', 'GET', at(canary.promotion, '/looks'));
    expect((all.body['items'] as readonly { number: number }[]).map(({ number }) => number)).toEqual([1, 3]);
    const later = new Date(here.parts.now() + 60_000).toISOString();
    const none = await here.ask('aud', 'GET', at(canary.promotion, `/looks?since=${later}`));
    expect(none.body).toMatchObject({ items: [], next: null });
    for (const wrong of ['after=-1', 'after=one', 'since=yesterday', 'limit=501', 'limit=0'])
      expect([wrong, (await here.ask('aud', 'GET', at(canary.promotion, `/looks?${wrong}`))).status]).toEqual([
        wrong,
        422,
      ]);
  });

  it('is empty before there is a look', async () => {
    const { promotion } = await atApproval(here, 'no-looks');
    expect((await here.ask('aud', 'GET', at(promotion, '/looks'))).body).toMatchObject({ items: [], next: null });
  });
});

it('a promotion tells how much longer its canary takes, in numbers and in words', async () => {
  const { promotion } = await stage.canaryOf('outlook');
  const body = await shown(promotion);
  expect(pick(body, 'canary')).toMatchObject({ weight: 10, pace: 'usual', outlook: { needed: 280, perMinute: 2 } });
  const { at: when, deadline } = pick(body, 'canary', 'outlook') as { at: string; deadline: string };
  expect(Date.parse(when) - here.parts.now()).toBeGreaterThan(139 * 60_000);
  expect(Date.parse(deadline)).toBeGreaterThan(here.parts.now());
  expect(pickText(body, 'headline')).toMatch(
    /It needs about 280 more visitors to be proven: at the present 2 a minute/,
  );
});

it('is followed by the command line, each look printed once and the end last', async () => {
  const url = await listening(here);
  const canary = await stage.canaryOf('watched');
  for (let number = 2; number <= 3; number += 1) await stage.look(canary, null, looked(number));
  const words = ['watch', canary.promotion, '--json', '--url', url, '--token', here.tokens.aud];
  const child = spawn(process.execPath, [commandFile, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: unknown[] = [];
  const lines = createInterface(child.stdout);
  const ended = once(child, 'close');
  for await (const line of lines) {
    printed.push(JSON.parse(line));
    if (printed.length === 3) await stage.look(canary, null, looked(4));
    if (printed.length === 4) {
      await hand('olga', canary.promotion, 'rollback');
      await stage.tidy(canary.promotion);
    }
  }
  expect(await ended).toEqual([7, null]);
  expect(printed.map((one) => pick(one, 'number') ?? pick(one, 'state'))).toEqual([1, 2, 3, 4, 'rolled_back']);
}, 60_000);

describe('a hand on a canary', () => {
  it('keeps it at its share and lets it go again, told with its reason in the history', async () => {
    const canary = await stage.canaryOf('paused');
    const { promotion } = canary;
    expect(await relsOf(promotion, 'olga')).toMatchObject({ pause: true, rollback: true });
    expect((await hand('olga', promotion, 'pause')).status).toBe(202);
    expect(pickText(await shown(promotion), 'headline')).toMatch(/Paused since \d\d:\d\d by a person\./);
    expect(await stage.look(canary, 50, looked(2))).toMatchObject({ kind: 'steered', weight: 10, pace: 'paused' });
    expect(pick(await shown(promotion), 'canary')).toMatchObject({ weight: 10, pace: 'paused' });
    expect(await relsOf(promotion, 'olga')).toMatchObject({ unpause: true });
    expect((await hand('olga', promotion, 'unpause')).status).toBe(202);
    expect(await stage.look(canary, 50, looked(3))).toMatchObject({ weight: 50, pace: 'usual' });
    const history = await here.ask('olga', 'GET', at(promotion, '/history'));
    const entries = history.body['items'] as readonly { kind: string; reason: string | null; by: { id: string } }[];
    const told = entries.filter(({ kind }) => /paused/.test(kind));
    expect(told.map(({ kind, reason, by }) => [kind, reason, by.id])).toEqual([
      ['canary_paused', 'a look at the dashboard', here.people.olga],
      ['canary_unpaused', 'a look at the dashboard', here.people.olga],
    ]);
  });

  it('is given by authority alone: a builder may stop it, and hurries nothing', async () => {
    const { promotion } = await stage.canaryOf('authority');
    expect(await relsOf(promotion, 'bea')).toMatchObject({ pause: true });
    expect((await hand('bea', promotion, 'pause')).status).toBe(202);
    for (const actor of ['bea', 'sam', 'aud', 'ada', 'nil'] as const)
      for (const verb of ['unpause', 'advance'] as const) {
        const { status, body } = await hand(actor, promotion, verb);
        expect([actor, verb, status, body['whoCan']]).toEqual([actor, verb, 403, ['role/operator']]);
      }
    for (const actor of ['sam', 'aud', 'ada', 'nil'] as const)
      expect([actor, (await hand(actor, promotion, 'pause')).status]).toEqual([actor, 403]);
  });

  it('is refused by name where there is nothing to steer', async () => {
    const early = await atApproval(here, 'early');
    const starting = await stage.claimed('starting');
    const last = await stage.canaryOf('proof-alone');
    const answers = [
      await hand('olga', early.promotion, 'pause'),
      await hand('olga', starting.promotion, 'advance'),
      await hand('olga', last.promotion, 'pause').then(async () => await hand('olga', last.promotion, 'advance')),
      await here.post('olga', at(early.promotion, '/pause'), {}),
      await here.post('olga', at(`prm_${'7'.repeat(32)}`, '/pause'), { reason: 'none' }),
      await hand('olga', last.promotion, 'rollback').then(async () => await hand('olga', last.promotion, 'unpause')),
    ];
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      ...[
        [409, 'gate_closed'],
        [409, 'gate_closed'],
        [409, 'canary_paused'],
        [422, 'invalid'],
        [404, 'not_found'],
      ],
      [409, 'promotion_ended'],
    ]);
  });

  it('hurries it: the next look learns that its time at this share counts as over', async () => {
    const canary = await stage.canaryOf('hurried');
    const { promotion } = canary;
    expect((await hand('olga', promotion, 'advance')).status).toBe(202);
    expect(await stage.look(canary, null, looked(2))).toMatchObject({ weight: 10, pace: 'hastened' });
    expect(pickText(await shown(promotion), 'headline')).toMatch(/Advanced at \d\d:\d\d by a person/);
    const next = await stage.look(canary, 50, looked(3));
    expect(next).toMatchObject({ weight: 50, pace: 'usual' });
    const { status, body } = await hand('olga', promotion, 'advance');
    expect([status, body['code']]).toEqual([409, 'weight_not_due']);
  });

  it('takes it back from users at once, with a reason', async () => {
    const { promotion } = await stage.canaryOf('aborted');
    expect((await hand('bea', promotion, 'rollback')).status).toBe(202);
    const body = await shown(promotion);
    expect([pick(body, 'canary', 'weight'), body['state']]).toEqual([0, 'rolled_back']);
  });
});

describe('a canary that nobody could tell of until its deadline', () => {
  async function undecided(name: string) {
    const canary = await stage.canaryOf(name);
    const { promotion, fence, attempt } = canary;
    const reasons = [{ code: 'canary_undecided', message: 'the time for a decision has passed without one' }];
    const told = { verdict: 'inconclusive', reasons, evidence: [], measure: null } as const;
    await stage.say({ kind: 'Report', promotion, gate: 'canary', attempt, fence, ...told });
    return canary;
  }

  it('is off its users, promotes nothing, and says that a person decides and who', async () => {
    const { promotion } = await undecided('undecided');
    const body = await shown(promotion);
    expect(body).toMatchObject({ state: 'inconclusive', canary: { weight: 0 }, stoppedAt: 'canary', outcome: null });
    expect(pickText(body, 'headline')).toMatch(
      /^The canary could not tell.*A person decides: run it again.*or stop it\.$/,
    );
    expect(await relsOf(promotion, 'olga')).toEqual({ rerun: true, cancel: true, comment: true });
    expect(await relsOf(promotion, 'bea')).toEqual({ rerun: true, cancel: true, comment: true });
    expect(await relsOf(promotion, 'sam')).toEqual({ rerun: false, cancel: false, comment: true });
    for (const verb of ['advance', 'pause', 'rollback'] as const)
      expect([verb, (await hand('olga', promotion, verb)).status]).toEqual([verb, 409]);
  });

  it('waits in the inbox of those who may decide about it, and of nobody else', async () => {
    const { promotion } = await undecided('in-the-inbox');
    const inbox = async (actor: Actor) => (await (await signedIn(here, actor)).get('/')).text;
    expect(await inbox('olga')).toMatch(
      new RegExp(`in-the-inbox v1[\\s\\S]*could not tell[\\s\\S]*proviso rerun ${promotion}`),
    );
    expect(await inbox('sam')).not.toContain(promotion);
  });

  it('goes on with another run, from its first share and at its own pace', async () => {
    const canary = await undecided('again');
    const gate = `gate_${canary.promotion.slice('prm_'.length)}-canary`;
    expect((await here.post('bea', `/v1/gates/${gate}/rerun`, {})).status).toBe(202);
    const again = await stage.claim(canary.promotion);
    expect(again.attempt).toBe(2);
    expect(await stage.look(again, 10, looked(9))).toMatchObject({ weight: 10, pace: 'usual' });
  });

  it('ends when a person stops it', async () => {
    const { promotion } = await undecided('stopped');
    expect((await hand('bea', promotion, 'cancel')).status).toBe(202);
    expect(await shown(promotion)).toMatchObject({ state: 'cancelled', outcome: 'cancelled' });
  });
});
