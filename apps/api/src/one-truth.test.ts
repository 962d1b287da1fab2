import { randomUUID } from 'node:crypto';
import {
  type Actor,
  type Deployment,
  atApproval,
  forgiveAll,
  listening,
  openDeployment,
  pick,
} from './deployment.contract.ts';
import { toldLater, toldLive, truthsOf } from './truth.contract.ts';

// Of "Must be true under attack": vote and expiry, vote and cancel, two last votes in the same instant are one truth, the
// same everywhere. Two hundred votes at once are `e2e/races`.

let here: Deployment;
let url: string;

beforeAll(async () => {
  here = await openDeployment();
  url = await listening(here);
});

afterAll(async () => {
  await here.close();
});

beforeEach(() => forgiveAll(here));

interface Sent {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Over a real socket, since that is how strangers come. */
async function send(actor: Actor, path: string, body: object): Promise<Sent> {
  const headers = { authorization: `Bearer ${here.tokens[actor]}`, 'idempotency-key': randomUUID() };
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Sent['body'] };
}

type Scene = Awaited<ReturnType<typeof atApproval>>;

const vote = (actor: Actor, { decisions, digests }: Scene): Promise<Sent> =>
  send(actor, decisions, { verdict: 'approve', ...digests });

const isRecorded = ({ status }: Sent): boolean => status === 201;

/** What the answers said is what every surface says afterwards. */
async function expectOneTruth(scene: Scene, votes: readonly Sent[], ended: { outcome: string | null; gate: string }) {
  const recorded = votes.filter(isRecorded).map(({ body }) => String(body['decision']));
  const truths = await truthsOf(here, url, scene.promotion);
  for (const [surface, truth] of Object.entries(truths)) {
    const decisions = truth.decisions.toSorted();
    expect({ surface, ...truth, decisions }).toEqual({ surface, ...ended, decisions: recorded.toSorted() });
  }
  expect(await toldLive(here, url, scene.promotion)).toEqual(await toldLater(here, scene.promotion));
}

describe('two last votes in the same instant', () => {
  it.each([1, 2, 3, 4, 5, 6])('pass the gate once, the same on every surface (%i)', async (round) => {
    const scene = await atApproval(here, `last-votes-${round}`);
    const votes = await Promise.all([vote('sam', scene), vote('kim', scene)]);
    expect(votes.map(({ status }) => status)).toEqual([201, 201]);
    expect(votes.filter(({ body }) => body['passed'] === true)).toHaveLength(1);
    await expectOneTruth(scene, votes, { outcome: null, gate: 'passed' });
  });
});

describe('a vote and a cancel in the same instant', () => {
  it.each([1, 2, 3, 4, 5, 6])('are one truth, the same on every surface (%i)', async (round) => {
    const scene = await atApproval(here, `cancel-${round}`);
    const [first, cancel, second] = await Promise.all([
      vote('sam', scene),
      send('bea', `/v1/promotions/${scene.promotion}/cancel`, { reason: 'stop' }),
      vote('kim', scene),
    ]);
    expect(cancel.status).toBe(202);
    const votes = [first, second];
    const late = votes.filter((one) => !isRecorded(one));
    expect(late.filter(({ status, body }) => status !== 409 || body['code'] !== 'promotion_ended')).toEqual([]);
    const gate = late.length === 0 ? 'passed' : 'stopped';
    await expectOneTruth(scene, votes, { outcome: 'cancelled', gate });
  });
});

describe('a vote and the expiry in the same instant', () => {
  let policy: string;

  beforeAll(async () => {
    const source = `policy: brief
gates:
  - gate: readiness
  - gate: approval
    requirements: [{ from: group/security, count: 2 }]
    expires: 1s
  - gate: canary
    weights: [50]
`;
    policy = String((await send('petra', '/v1/policies', { source })).body['id']);
  });

  // The vote is on its way so many milliseconds before the deadline, or after it.
  it.each([20, 8, 4, 2, 0, -5])('are one truth, the same on every surface (%i ms before it)', async (aheadMs) => {
    const scene = await atApproval(here, `deadline-${String(aheadMs).replace('-', 'past-')}`, { policy });
    const first = await vote('sam', scene);
    const shown = await here.ask('aud', 'GET', `/v1/gates/${scene.gate}`);
    const deadline = Date.parse(String(shown.body['expiresAt']));
    while (Date.now() < deadline - aheadMs) await here.ask(null, 'GET', '/healthz');
    const second = await vote('kim', scene);
    while (Date.now() <= deadline) await here.ask(null, 'GET', '/healthz');
    // Whoever comes first after the deadline makes it a fact, whatever they are told themselves.
    await vote('sam', scene);
    expect([201, 409]).toContain(second.status);
    if (isRecorded(second)) return await expectOneTruth(scene, [first, second], { outcome: null, gate: 'passed' });
    expect(second.body['code']).toBe('expired');
    await expectOneTruth(scene, [first], { outcome: 'expired', gate: 'expired' });
  });

  it('is never approved by votes that come too late, however many', async () => {
    const scene = await atApproval(here, 'much-too-late', { policy });
    const { body } = await here.ask('aud', 'GET', `/v1/gates/${scene.gate}`);
    while (Date.now() <= Date.parse(String(body['expiresAt']))) await here.ask(null, 'GET', '/healthz');
    const votes = await Promise.all(['sam', 'kim', 'sam', 'kim'].map((actor) => vote(actor as Actor, scene)));
    expect(votes.map(({ status, body: told }) => [status, pick(told, 'code')])).toEqual(
      votes.map(() => [409, 'expired']),
    );
    await expectOneTruth(scene, [], { outcome: 'expired', gate: 'expired' });
  });
});
