import { openPump } from '@proviso/journal';
import {
  type Deployment,
  archiveOf,
  formOf,
  openDeployment,
  passByWorker,
  pickText,
  registered,
} from './deployment.contract.ts';

const url = '/v1/workspace/limits';

let here: Deployment;

beforeEach(async () => {
  here = await openDeployment();
});

afterEach(async () => {
  await here.close();
});

const set = (payload: object, headers: Readonly<Record<string, string>> = {}) =>
  here.ask('olga', 'PUT', url, { payload, headers });

const upload = (prototype: string, words: string) =>
  here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, formOf('v2', archiveOf(words)));

describe('the limits of a workspace', () => {
  it('are the defaults until an operator sets others, and what is left out falls back', async () => {
    const read = await here.ask('aud', 'GET', url);
    expect(read).toMatchObject({ status: 200, body: { set: {}, limits: { prototypesMax: 100, retentionDays: 30 } } });
    const changed = await set({ prototypesMax: 7 }, { 'if-match': String(read.headers['etag']) });
    expect(changed).toMatchObject({ status: 200, body: { set: { prototypesMax: 7 }, limits: { retentionDays: 30 } } });
    expect((await set({ retentionDays: 3 })).body).toMatchObject({
      set: { retentionDays: 3 },
      limits: { prototypesMax: 100 },
    });
  });

  it('are changed by one of two who looked at the same revision', async () => {
    const headers = { 'if-match': String((await here.ask('olga', 'GET', url)).headers['etag']) };
    const answers = await Promise.all([set({ prototypesMax: 7 }, headers), set({ prototypesMax: 8 }, headers)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  });

  it.each([{ prototypesMax: 0 }, { retentionDays: 0.5 }, { diskBytesMax: '5 GB' }, { dogs: 1 }, []])(
    'refuses %j with its place',
    async (payload) => {
      expect((await set(payload)).status).toBe(422);
    },
  );

  it('are set by operators and by nobody else', async () => {
    expect((await here.ask('bea', 'PUT', url, { payload: {} })).body).toMatchObject({
      ...{ status: 403, code: 'not_permitted', detail: 'expected somebody who may set what a workspace may take' },
      whoCan: ['role/operator'],
    });
  });
});

describe('a full workspace', () => {
  it('takes no version that does not fit, says what to do and who can, and takes it when it may', async () => {
    const { prototype } = await registered(here, 'full');
    await set({ diskBytesMax: 1_048_576 });
    const big = 'x'.repeat(700_000);
    expect((await upload(prototype, big)).status).toBe(201);
    const { body } = await here.ask('bea', 'GET', url);
    expect(body).toMatchObject({ usage: { diskBytes: expect.any(Number), prototypes: 1 } });
    const refused = await upload(prototype, `${big}y`);
    expect(refused).toMatchObject({ status: 413, body: { code: 'too_large' } });
    await set({});
    expect((await upload(prototype, `${big}y`)).status).toBe(201);
    await set({ diskBytesMax: 1_048_576 });
    const full = await upload(prototype, 'small');
    expect(full).toMatchObject({ status: 409, body: { code: 'quota_reached', whoCan: ['role/operator'] } });
    expect(full.body['detail']).toContain('keeps 1.3 MB of 1.0 MB');
  });

  it('takes exactly as many prototypes as it may, however many come at once', async () => {
    await set({ prototypesMax: 2 });
    const names = ['one', 'two', 'three', 'four', 'five'];
    const answers = await Promise.all(names.map((name) => here.post('bea', '/v1/prototypes', { name })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 409, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body['detail']).toBe('this workspace has 2 of 2 prototypes: an operator raises the limit');
  });
});

describe('a place to run a candidate in', () => {
  let claims = 0;
  const source = 'policy: running\nenvironment: production\ngates:\n  - gate: staging\n';

  it('is given to as many as there are, and the next says what it waits for', async () => {
    const published = await here.ask('petra', 'POST', '/v1/policies', { payload: { source } });
    expect(published.status).toBe(201);
    await set({ runsAtOnceMax: 1 });
    const [first, second] = [await running('first'), await running('second')];
    await claim(first);
    await claim(second);
    const waits = await here.ask('bea', 'GET', `/v1/promotions/${second}`);
    expect(waits.body).toMatchObject({ state: 'queued', blockers: [{ code: 'limit_reached' }] });
    expect(waits.body['headline']).toContain('this workspace runs 1 of 1 candidates at once');
    // The one that runs is done, and the next is woken.
    await passByWorker(here, first, 'staging');
    await passByWorker(here, second, 'staging');
    expect((await here.ask('bea', 'GET', `/v1/promotions/${second}`)).body).toMatchObject({ state: 'live' });
  });

  it('is not waited for by a build beyond the limit of a day, which goes on when an operator raises it', async () => {
    const source = 'policy: running\nenvironment: production\ngates:\n  - gate: build\n';
    expect((await here.ask('petra', 'POST', '/v1/policies', { payload: { source } })).status).toBe(201);
    await set({ buildsPerDayMax: 1 });
    const [first, second] = [await running('first'), await running('second')];
    const both = await Promise.all([claim(first, 'build'), claim(second, 'build')]);
    expect(both.map((receipt) => pickKind(receipt)).toSorted()).toEqual(['granted', 'wait limit_reached']);
    const late = pickKind(both[0]) === 'granted' ? second : first;
    const waits = await here.ask('bea', 'GET', `/v1/promotions/${late}`);
    expect(waits.body).toMatchObject({ state: 'queued', blockers: [{ code: 'build_postponed' }] });
    expect(waits.body['headline']).toMatch(
      /has begun 1 of 1 builds today: this one goes on at \d{4}-\d\d-\d\d 00:00 UTC, or when an operator raises/,
    );
    expect((await here.ask('bea', 'GET', url)).body).toMatchObject({ usage: { builds: 1, runs: 1 } });
    expect((await here.ask('bea', 'GET', '/v1/running')).body).toMatchObject({ places: { waiting: [late] } });
    const marks = await marked(async () => await set({ buildsPerDayMax: 2 }));
    expect(marks).toContain(late);
    expect(pickKind(await claim(late, 'build'))).toBe('granted');
    expect((await here.ask('bea', 'GET', url)).body).toMatchObject({ usage: { builds: 2 } });
  });

  async function running(name: string): Promise<`prm_${string}`> {
    const { prototype, candidate } = await registered(here, name);
    const policies = (await here.ask('bea', 'GET', '/v1/policies')).body['items'] as { name: string; id: string }[];
    const policy = policies.find((one) => one.name === 'running')?.id;
    const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    return pickText(opened.body, 'id') as `prm_${string}`;
  }

  /** The promotions whose workflows must look again by what was done. */
  async function marked(work: () => Promise<unknown>): Promise<readonly string[]> {
    const pump = await openPump({ url: here.pumpUrl, durable: false });
    const waker = await pump.lead('waker');
    if (waker === null) throw new Error('expected to lead');
    await waker.settle(await waker.dirty(100));
    await work();
    const marks = await waker.dirty(100);
    await Promise.all([waker.resign(), pump.close()]);
    return marks.map(({ promotion }) => promotion);
  }

  function pickKind(receipt: Awaited<ReturnType<typeof claim>> | undefined): string {
    if (receipt?.kind !== 'accepted') return 'refused';
    const { answer } = receipt;
    return answer.kind === 'onward' && answer.onward.kind === 'wait' ? `wait ${answer.onward.why}` : answer.kind;
  }

  async function claim(promotion: `prm_${string}`, step: 'staging' | 'build' = 'staging') {
    claims += 1;
    return await here.parts.journal.submit({
      ...{ workspace: here.workspace, actor: `psn_${'1'.padStart(32, '0')}`, authn: 'service/worker' },
      idempotencyKey: `claim ${promotion} ${claims}`,
      command: { kind: 'Claim', promotion, step, claimant: 'test' },
    });
  }
});
