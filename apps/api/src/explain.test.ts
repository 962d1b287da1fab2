import { type Deployment, atApproval, openDeployment, pick } from './deployment.contract.ts';

let here: Deployment;
let things: Awaited<ReturnType<typeof atApproval>>;

beforeAll(async () => {
  here = await openDeployment();
  things = await atApproval(here, 'explained');
});

afterAll(async () => {
  await here.close();
});

const explained = (who: Parameters<Deployment['ask']>[0], query = '') =>
  here.ask(who, 'GET', `/v1/promotions/${things.promotion}/explain${query}`);
const decided = ({ body }: Awaited<ReturnType<typeof explained>>) => [body['allowed'], body['code'], body['decidedBy']];

describe('an explanation', () => {
  it('names each rule in the order of asking, with the binding and the requirement, and ends with the state', async () => {
    const { body } = await explained('sam');
    expect(body).toMatchObject({ person: { name: 'Name of sam' }, action: 'approve', allowed: true, code: null });
    expect(body['rules']).toEqual([
      { rule: 'enabled', answer: 'yes', words: 'you are an active person' },
      { rule: 'ability/Decide', answer: 'yes', words: 'you are an approver of group/security' },
      { rule: 'requirement/group/security', answer: 'yes', words: 'this gate asks for group/security' },
      { rule: 'separation', answer: 'yes', words: 'you had no part in it' },
      { rule: 'state', answer: 'yes', words: 'nothing is in the way now' },
    ]);
  });

  it('is the same no as that of the try itself', async () => {
    for (const actor of ['bea', 'aud', 'olga', 'max'] as const) {
      const tried = await here.post(actor, things.decisions, { verdict: 'approve', ...things.digests });
      const told = await explained(actor);
      expect([told.status, ...decided(told)]).toEqual([200, false, tried.body['code'], tried.body['rule']]);
      expect(told.body['whoCan']).toEqual(['group/security']);
    }
    expect(decided(await explained('bea'))).toEqual([false, 'own_work', 'separation/requester']);
  });

  it('is given about another person to whoever may read people', async () => {
    const about = await explained('aud', `?person=${here.people.bea}`);
    expect([about.status, pick(about.body, 'person', 'id'), ...decided(about)]).toEqual([
      ...[200, here.people.bea, false, 'own_work', 'separation/requester'],
    ]);
    const nobody = await explained('aud', `?person=psn_${'f'.repeat(32)}`);
    const stranger = await explained('aud', `?person=${here.people.eve}`);
    expect([nobody.status, stranger.status, stranger.body['detail']]).toEqual([404, 404, nobody.body['detail']]);
    expect((await explained('nil')).status).toBe(403);
    expect((await explained('eve')).status).toBe(404);
  });

  it('ends with the state of the promotion where rights are not in the way', async () => {
    expect(decided(await explained('bea', '?action=rerun'))).toEqual([false, 'gate_closed', 'state/gate_closed']);
    expect(decided(await explained('olga', '?action=rollback'))).toEqual([
      ...[false, 'nothing_to_roll_back', 'state/nothing_to_roll_back'],
    ]);
    expect(decided(await explained('sam', '?action=cancel'))).toEqual([false, 'not_permitted', 'ability/Cancel']);
    expect(decided(await explained('bea', '?action=cancel'))).toEqual([true, null, 'state']);
    await here.post('kim', things.decisions, { verdict: 'approve', ...things.digests });
    expect(decided(await explained('kim'))).toEqual([false, 'already_decided', 'state/already_decided']);
  });

  it('of something else than an action is refused with what was expected', async () => {
    const { status, body } = await explained('sam', '?action=destroy');
    expect([status, pick(body, 'errors', 0, 'pointer')]).toEqual([422, '/query/action']);
  });

  it('changes nothing and records nothing', async () => {
    const before = await here.ask('aud', 'GET', `/v1/promotions/${things.promotion}`);
    await explained('sam');
    const after = await here.ask('aud', 'GET', `/v1/promotions/${things.promotion}`);
    expect(after.body['revision']).toBe(before.body['revision']);
  });
});
