import { randomUUID } from 'node:crypto';
import { builtinPrincipals, type WatchCheck } from '@proviso/domain';
import {
  type Deployment,
  atApproval,
  openDeployment,
  passByWorker,
  pick,
  pickText,
  policySource,
} from './deployment.contract.ts';

let here: Deployment;
let policy: string;

const source = `${policySource.replace('careful', 'watched')}watch:
  every: 12h
  owner: {do: hold}
  cost: {capPerDay: 20, do: hold}
  scan: {do: demote}
`;

beforeAll(async () => {
  here = await openDeployment();
  const published = await here.post('petra', '/v1/policies', { source });
  policy = pickText(published.body, 'id');
});

afterAll(async () => {
  await here.close();
});

async function live(name: string, over: { readonly policy?: string } = { policy }) {
  const asked = await atApproval(here, name, over);
  for (const who of ['sam', 'kim'] as const)
    await here.post(who, asked.decisions, { verdict: 'approve', ...asked.digests, reason: 'looked at it' });
  await passByWorker(here, asked.promotion, 'canary');
  return asked;
}

/** Reports a look as the worker does. */
async function seen(promotion: `prm_${string}`, check: WatchCheck, figure: number): Promise<void> {
  const report = { check, round: 1, figure, reasons: [], evidence: [] } as const;
  const receipt = await here.parts.journal.submit({
    ...{ workspace: here.workspace, actor: builtinPrincipals.worker.id, authn: 'service/worker' },
    command: { kind: 'ReportWatch', promotion, ...report },
    idempotencyKey: randomUUID(),
  });
  expect(receipt.kind).toBe('accepted');
}

const read = async (url: string): Promise<unknown> => (await here.ask('bea', 'GET', url)).body;
const checkIn = (body: unknown, check: string): unknown =>
  (pick(body, 'watch', 'checks') as readonly { readonly check: string }[]).find((one) => one.check === check);

describe('the watch over what is live', () => {
  it('is told with the promotion and with its prototype: what is looked at, when, and what was found', async () => {
    const { promotion, prototype } = await live('looked-after');
    const before = await read(`/v1/promotions/${promotion}`);
    expect(pick(before, 'watch')).toMatchObject({ every: '12h', last: null });
    expect(checkIn(before, 'cost')).toMatchObject({ do: 'hold', standing: null, at: null, done: null });
    await seen(promotion, 'cost', 31);
    const after = await read(`/v1/promotions/${promotion}`);
    const last = Date.parse(pickText(after, 'watch', 'last'));
    expect(Date.parse(pickText(after, 'watch', 'next'))).toBe(last + 12 * 3_600_000);
    expect(checkIn(after, 'cost')).toMatchObject({ standing: 'breached', figure: 31, done: 'hold' });
    expect(pick(after, 'state')).toBe('live');
    expect(pickText(after, 'headline')).toMatch(
      /the watch finds: a day costs 31, and the cap is 20\. Nothing new goes/,
    );
    expect(pick(await read(`/v1/prototypes/${prototype}`), 'watch')).toEqual(pick(after, 'watch'));
    const list = (await read('/v1/prototypes?limit=100')) as { readonly items: readonly { readonly id: string }[] };
    expect(
      pick(
        list.items.find(({ id }) => id === prototype),
        'watch',
      ),
    ).toEqual(pick(after, 'watch'));
  });

  it('says of a demoted version why, who is served, and who can go on', async () => {
    const { promotion, prototype } = await live('demoted');
    await seen(promotion, 'scan', 2);
    const shown = await read(`/v1/promotions/${promotion}`);
    expect(shown).toMatchObject({ state: 'demoted', outcome: 'demoted', lane: { held: true, liveVersion: null } });
    expect(pickText(shown, 'headline')).toMatch(
      /^Demoted at \d\d:\d\d: 2 findings since it was let through\. Nobody is served\. Nothing new goes live until an operator has resumed its lane\.$/,
    );
    expect(pick(shown, 'watch', 'next')).toBeNull();
    expect(pick(await read(`/v1/prototypes/${prototype}`), 'watch')).toBeNull();
    const history = (await read(`/v1/promotions/${promotion}/history`)) as { items: readonly { kind: string }[] };
    expect(history.items.slice(-2).map(({ kind }) => kind)).toEqual(['watch_reported', 'promotion_ended']);
    const lane = pickText(shown, 'lane', 'id');
    const resumed = await here.post('olga', `/v1/lanes/${lane}/resume`, { reason: 'the next one is on its way' });
    expect(pick(resumed.body, 'hold')).toBeNull();
  });

  it('is nothing where the policy has none, and nobody but the worker reports a look', async () => {
    const { promotion, prototype } = await live('left-alone', {});
    expect(pick(await read(`/v1/promotions/${promotion}`), 'watch')).toBeNull();
    expect(pick(await read(`/v1/prototypes/${prototype}`), 'watch')).toBeNull();
    const { journal } = here.parts;
    const forged = { check: 'scan', round: 1, figure: 9, reasons: [], evidence: [] } as const;
    for (const actor of [here.people.olga, here.people.ada, builtinPrincipals.keeper.id]) {
      const receipt = await journal.submit({
        ...{ workspace: here.workspace, actor, authn: 'test', idempotencyKey: randomUUID() },
        command: { kind: 'ReportWatch', promotion, ...forged },
      });
      expect(receipt).toMatchObject({ kind: 'refused', refusal: { code: 'not_permitted' } });
    }
  });
});
