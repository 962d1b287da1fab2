import { randomUUID } from 'node:crypto';
import { scopes } from '@proviso/domain';
import { type Deployment, atApproval, openDeployment, pick, pickText } from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

type Held = { readonly id: string; readonly headers: { readonly authorization: string } };

function heldFrom(body: unknown): Held {
  return { id: pickText(body, 'id'), headers: { authorization: `Bearer ${pickText(body, 'token')}` } };
}

/** A token of Max's own, who may do everything, narrowed to these. */
async function own(...narrowed: readonly string[]): Promise<Held> {
  const answer = await here.post('max', '/v1/me/tokens', { scopes: narrowed });
  expect(answer.status).toBe(201);
  return heldFrom(answer.body);
}

async function ask({ headers }: Held, method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) {
  return here.ask(null, method, url, { headers, ...(payload === undefined ? {} : { payload }) });
}

describe('a token with scopes', () => {
  it('narrows what its person may, under the lock for changes and at the guard for reads', async () => {
    const { prototype } = await atApproval(here, 'scoped');
    const tries = {
      read: ['GET', '/v1/people', undefined],
      build: ['POST', '/v1/prototypes', { name: 'by-token' }],
      operate: ['POST', `/v1/prototypes/${prototype}/trust`, { trusted: true }],
      publish: ['POST', '/v1/policies', { source: 'policy: narrow\ngates:\n  - gate: readiness\n' }],
      administer: ['POST', '/v1/people', { name: 'New' }],
      edge: ['GET', `/v1/edge/blobs/sha256:${'0'.repeat(64)}`, undefined],
    } as const;
    for (const scope of Object.keys(tries) as (keyof typeof tries)[]) {
      const token = await own(scope);
      for (const [wanted, [method, url, payload]] of Object.entries(tries)) {
        const answer = await ask(token, method, url, payload);
        const told = answer.status === 403 ? [answer.body['code'], answer.body['rule']] : 'in';
        expect([scope, wanted, told]).toEqual([
          scope,
          wanted,
          scope === wanted ? 'in' : ['scope_missing', `token/${wanted}`],
        ]);
      }
    }
  });

  it('adds nothing to what its person may', async () => {
    const issued = await here.post('aud', '/v1/me/tokens', { scopes: [...scopes] });
    const answer = await ask(heldFrom(issued.body), 'POST', '/v1/prototypes', { name: 'not-mine' });
    expect(answer.body).toMatchObject({ status: 403, code: 'not_permitted', rule: 'ability/RegisterPrototype' });
  });

  it('decides only with the scope for it, is offered nothing else, and each no is an entry', async () => {
    const { decisions, digests, promotion } = await atApproval(here, 'scoped-votes');
    const vote = { verdict: 'approve', ...digests };
    const reading = heldFrom((await here.post('sam', '/v1/me/tokens', { scopes: ['read'] })).body);
    const refused = await ask(reading, 'POST', decisions, vote);
    expect(refused.body).toMatchObject({ status: 403, code: 'scope_missing', rule: 'token/decide' });
    const shown = await ask(reading, 'GET', `/v1/promotions/${promotion}`);
    const approve = (shown.body['actions'] as { rel: string }[]).find(({ rel }) => rel === 'approve');
    expect(approve).toMatchObject({ allowed: false, code: 'scope_missing' });
    const log = await here.parts.journal
      .reads(here.workspace)
      .history({ stream: 'log', id: 'refusals', limit: 500, after: 0 });
    expect(log.map(({ bytes }) => bytes).join()).toContain('"code":"scope_missing","command":"Decide"');
    const deciding = heldFrom((await here.post('sam', '/v1/me/tokens', { scopes: ['read', 'decide'] })).body);
    expect((await ask(deciding, 'POST', decisions, vote)).status).toBe(201);
  });

  it('issues no other token, and takes none back without the scope for it', async () => {
    const token = await own(...scopes);
    const [other, reading] = [await own('read'), await own('read')];
    const wider = await ask(token, 'POST', '/v1/me/tokens', { scopes: ['read'] });
    expect(wider.body).toMatchObject({ status: 403, code: 'scope_missing', rule: 'token/whole' });
    const take = (held: Held) => ask(held, 'POST', '/v1/me/tokens/revoke', { token: other.id });
    expect((await take(reading)).body).toMatchObject({ status: 403, code: 'scope_missing', rule: 'token/administer' });
    expect((await take(token)).status).toBe(200);
  });
});

describe('a token of the own issue', () => {
  it('has scopes and an end, is nobody else`s, and is revoked by its person', async () => {
    for (const body of [{}, { scopes: [] }, { scopes: ['all'] }, { scopes: ['read'], validDays: 367 }]) {
      expect((await here.post('nil', '/v1/me/tokens', body)).status).toBe(422);
    }
    const issued = await here.post(
      'nil',
      '/v1/me/tokens',
      { scopes: ['read', 'decide', 'read'], validDays: 1 },
      'mine',
    );
    expect(issued.body).toMatchObject({ scopes: ['decide', 'read'] });
    const again = await here.post('nil', '/v1/me/tokens', { scopes: ['read', 'decide', 'read'], validDays: 1 }, 'mine');
    expect(again.body).toEqual(issued.body);
    const token = heldFrom(issued.body);
    const me = await ask(token, 'GET', '/v1/me');
    const listed = (pick(me.body, 'person', 'tokens') as { id: string }[]).find(({ id }) => id === token.id);
    expect(listed).toMatchObject({ issuedBy: here.people.nil, scopes: ['decide', 'read'] });
    expect((await here.post('sam', '/v1/me/tokens/revoke', { token: token.id })).status).toBe(404);
    expect((await here.post('nil', '/v1/me/tokens/revoke', { token: token.id })).status).toBe(200);
    expect((await ask(token, 'GET', '/v1/me')).status).toBe(401);
  });

  it('tells the day of its last use, written once a day', async () => {
    const token = heldFrom((await here.post('kim', '/v1/me/tokens', { scopes: ['read'] })).body);
    const day = async () => {
      const { body } = await here.ask('kim', 'GET', '/v1/me/tokens');
      return pick(
        (body['items'] as { id: string }[]).find(({ id }) => id === token.id),
        'lastUsedOn',
      );
    };
    expect(await day()).toBeNull();
    for (let time = 0; time < 3; time += 1) await ask(token, 'GET', '/v1/me');
    expect(await day()).toBe(new Date().toISOString().slice(0, 10));
  });

  it('is not issued with a token that somebody else issued', async () => {
    const lent = heldFrom((await here.post('ada', `/v1/people/${here.people.olga}/tokens`, {})).body);
    const answer = await ask(lent, 'POST', '/v1/me/tokens', { scopes: ['decide'] });
    expect(answer.body).toMatchObject({ status: 403, code: 'step_up_required', rule: 'separation/lent_token' });
  });

  it('is one of a bounded number, of which ended ones count for nothing', async () => {
    const { journal } = here.parts;
    const add = async (index: number, expiresAt: number) =>
      journal.submit({
        workspace: here.workspace,
        actor: here.people.petra,
        command: {
          kind: 'IssueOwnToken',
          person: here.people.petra,
          token: {
            id: `tok_${index.toString(16).padStart(32, '0')}`,
            hash: `sha256:${index.toString(16).padStart(64, '0')}`,
            expiresAt,
            scopes: ['read'],
          },
        },
        idempotencyKey: `token-${index}`,
        authn: 'test',
      });
    for (let index = 0; index < 60; index += 1) await add(index, Date.now() - 1);
    const kept = (await journal.reads(here.workspace).person(here.people.petra))?.tokens.length ?? 0;
    expect(kept).toBeLessThan(5);
    const receipts = [];
    for (let index = 100; index < 160; index += 1) receipts.push(await add(index, Date.now() + 60_000));
    expect(receipts.filter(({ kind }) => kind === 'accepted')).toHaveLength(49);
    expect(receipts.at(-1)).toMatchObject({ kind: 'refused', refusal: { code: 'too_many' } });
  });
});

describe('a service', () => {
  it('acts for nobody from the request on before which its human was shut out, and says so', async () => {
    const added = await here.post('ada', '/v1/people', { name: 'Answers for CI' });
    const actsFor = pickText(added.body, 'id');
    const roles = [{ role: 'builder' }];
    const made = await here.post('ada', '/v1/people', { name: 'CI', kind: 'service', actsFor, roles });
    const narrow = await here.post('ada', `/v1/people/${pickText(made.body, 'id')}/tokens`, {
      scopes: ['build', 'read'],
    });
    const service = heldFrom(narrow.body);
    const tries = async () => [
      await ask(service, 'GET', '/v1/me'),
      await ask(service, 'GET', '/v1/prototypes'),
      await ask(service, 'POST', '/v1/prototypes', { name: `by-a-service-${randomUUID().slice(0, 8)}x` }),
    ];
    expect((await tries()).map(({ status }) => status)).toEqual([200, 200, 201]);
    expect((await here.post('ada', `/v1/people/${actsFor}/disable`, {})).status).toBe(200);
    const answers = await tries();
    expect(answers.map(({ status, body }) => [status, body['code'], body['rule']])).toEqual(
      answers.map(() => [403, 'nobody_answers', 'answerer']),
    );
    const another = await here.post('ada', '/v1/people', { name: 'CI', kind: 'service', actsFor });
    expect(another.body).toMatchObject({ status: 422, errors: [{ pointer: '/actsFor' }] });
  });

  it('has a human who answers for it, narrow tokens only, and no vote', async () => {
    const nobodys = await here.post('ada', '/v1/people', { name: 'CI', kind: 'service' });
    expect(nobodys.body).toMatchObject({ status: 422, errors: [{ pointer: '/actsFor' }] });
    const added = await here.post('ada', '/v1/people', {
      name: 'CI',
      kind: 'service',
      actsFor: here.people.kim,
      roles: [{ role: 'builder' }, { role: 'approver', group: 'security' }],
    });
    const id = pickText(added.body, 'id');
    const whole = await here.post('ada', `/v1/people/${id}/tokens`, {});
    expect(whole.body).toMatchObject({ status: 422, code: 'scopes_required' });
    const narrow = await here.post('ada', `/v1/people/${id}/tokens`, { scopes: ['build', 'decide', 'read'] });
    const service = heldFrom(narrow.body);
    const { decisions, digests, prototype, candidate, policy } = await atApproval(here, 'service-votes');
    const vote = await ask(service, 'POST', decisions, { verdict: 'approve', ...digests });
    expect(vote.body).toMatchObject({ status: 403, rule: 'humans_only' });
    const opened = await ask(service, 'POST', '/v1/promotions', { prototype, candidate, policy });
    const view = await here.parts.journal
      .reads(here.workspace)
      .promotion(pickText(opened.body, 'id') as `prm_${string}`);
    expect(view?.state.exclusions).toContainEqual({ person: here.people.kim, why: 'requester' });
  });
});
