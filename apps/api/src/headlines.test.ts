import { randomUUID } from 'node:crypto';
import { builtinPrincipals } from '@proviso/domain';
import { type Deployment, atApproval, openDeployment, pickText } from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

async function headlineOf(promotion: string): Promise<string> {
  return pickText((await here.ask('bea', 'GET', `/v1/promotions/${promotion}`)).body, 'headline');
}

type AtGate = Awaited<ReturnType<typeof atApproval>>;

async function vote(actor: 'sam' | 'kim', { decisions, digests }: AtGate, verdict = 'approve') {
  const answer = await here.post(actor, decisions, { verdict, ...digests, reason: 'looked at it' });
  expect(answer.status).toBe(201);
}

/** Asks the journal as the worker does and answers what it was told. */
async function say(command: Parameters<Deployment['parts']['journal']['submit']>[0]['command'], look?: object) {
  const receipt = await here.parts.journal.submit({
    ...{ workspace: here.workspace, actor: builtinPrincipals.worker.id, command, authn: 'service/worker' },
    idempotencyKey: randomUUID(),
    ...(look === undefined || !('promotion' in command)
      ? {}
      : { look: { promotion: command.promotion, number: 1, body: { ...look } } }),
  });
  if (receipt.kind === 'refused')
    throw new Error(`expected ${command.kind} to be accepted: ${receipt.refusal.message}`);
  return receipt.answer;
}

const clock = /\d\d:\d\d/.source;
const waiting = `^Waiting for Security \\(0 of 2\\) since ${clock}\\.`;
const expires = `Expires (\\w{3}|\\d+ \\w{3}) ${clock}\\.$`;

describe('a headline', () => {
  it('says what is usual once five answers are known, in the list as on the page', async () => {
    for (const index of [1, 2, 3]) {
      const asked = await atApproval(here, `answered-${index}`);
      await vote('sam', asked);
      await vote('kim', asked);
    }
    await vote('sam', await atApproval(here, 'refused-1'), 'reject');
    const cut = await atApproval(here, 'cut-short');
    await here.post('bea', `/v1/promotions/${cut.promotion}/cancel`, { reason: 'not needed' });
    const fifth = await atApproval(here, 'changes-1');
    expect(await headlineOf(fifth.promotion)).toMatch(new RegExp(`${waiting} ${expires}`));
    await vote('kim', fifth, 'request_changes');
    const next = await atApproval(here, 'next');
    expect(await here.parts.journal.reads(here.workspace).pastWaits('approval')).toHaveLength(5);
    const said = await headlineOf(next.promotion);
    expect(said).toMatch(new RegExp(`${waiting} Usually less than a minute\\. ${expires}`));
    const list = await here.ask('bea', 'GET', '/v1/promotions?limit=1');
    expect(list.body['items']).toMatchObject([{ id: next.promotion, headline: said }]);
  });

  it('tells of a canary what its newest look says, and of its hold by whom', async () => {
    const asked = await atApproval(here, 'looked-at');
    await vote('sam', asked);
    await vote('kim', asked);
    const { promotion } = asked;
    expect(await headlineOf(promotion)).toMatch(new RegExp(`^Starting: no user is on it yet\\.$`));
    const claim = await say({ kind: 'Claim', promotion, step: 'canary', claimant: 'test' });
    if (claim.kind !== 'granted') throw new Error(`expected a grant, got ${claim.kind}`);
    const { fence, laneFence } = claim;
    const now = here.parts.now();
    const course = { idleLooks: 0, countedAt: now, weightSince: now - 60_000 };
    const explanation = { needed: { canaryUnits: 0, looks: 0 } };
    const look = { at: now, weight: 10, unitsSeen: 412, reason: 'collecting', course, explanation };
    const verdict = { kind: 'advance', percent: 10 } as const;
    await say({ kind: 'Look', promotion, fence, laneFence: laneFence ?? 0, fresh: true, verdict }, look);
    expect(await headlineOf(promotion)).toBe('Live for 10 % of users, healthy so far (n = 412).');
    const lane = pickText((await here.ask('bea', 'GET', `/v1/promotions/${promotion}`)).body, 'lane', 'id');
    await here.post('olga', `/v1/lanes/${lane}/hold`, { reason: 'a feeling' });
    expect(await headlineOf(promotion)).toMatch(/^Held since \d\d:\d\d by a person: an operator must/);
  });
});
