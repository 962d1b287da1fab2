import { randomBytes, randomUUID } from 'node:crypto';
import { builtinPrincipals, idFrom } from '@proviso/domain';
import { type Actor, type Answer, type Deployment, atApproval, openDeployment, pick } from './deployment.contract.ts';
import { hashOfToken } from './guard.ts';
import { routes } from './routes.ts';

let here: Deployment;
let url: string;

beforeAll(async () => {
  here = await openDeployment();
  await here.app.listen(0, '127.0.0.1');
  url = await here.app.getUrl();
});

afterAll(async () => {
  await here.close();
});

interface Sent {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Over a real socket, since that is how strangers come. */
async function send(actor: Actor, path: string, body: object, key: string = randomUUID()): Promise<Sent> {
  const headers = {
    authorization: `Bearer ${here.tokens[actor]}`,
    ...{ 'idempotency-key': key, 'content-type': 'application/json' },
  };
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Sent['body'] };
}

function forgiveAll(): void {
  for (const person of Object.values(here.people)) here.parts.refusals.forgive(person);
}

function count(answers: readonly Sent[], fits: (answer: Sent) => boolean): number {
  return answers.filter(fits).length;
}

const inFives = (answers: readonly Sent[]): number => count(answers, ({ status }) => status >= 500);

async function gateOf(gate: string): Promise<Answer> {
  return await here.ask('aud', 'GET', `/v1/gates/${gate}`);
}

describe('two hundred votes at once', () => {
  it('by two who may and five who may not are two decisions and one pass, five times', async () => {
    const voters = ['sam', 'kim', 'bea', 'aud', 'petra', 'ada', 'nil'] as const;
    for (let round = 0; round < 5; round += 1) {
      forgiveAll();
      const { decisions, digests, gate } = await atApproval(here, `crowd-${round}`);
      const vote = { verdict: 'approve', ...digests };
      const votes = Array.from({ length: 200 }, (_, index) => send(voters[index % 7] ?? 'nil', decisions, vote));
      const answers = await Promise.all(votes);
      expect(inFives(answers)).toBe(0);
      expect(count(answers, ({ status }) => status === 201)).toBe(2);
      expect(count(answers, ({ body }) => body['passed'] === true)).toBe(1);
      const shown = await gateOf(gate);
      expect(shown.body).toMatchObject({ status: 'passed', attempt: 1 });
      expect(pick(shown.body, 'decisions')).toHaveLength(2);
    }
  }, 60_000);

  it('of which two close the quorum in the same instant pass once', async () => {
    for (let round = 0; round < 10; round += 1) {
      forgiveAll();
      const { decisions, digests, gate } = await atApproval(here, `instant-${round}`);
      const vote = { verdict: 'approve', ...digests };
      const answers = await Promise.all([send('sam', decisions, vote), send('kim', decisions, vote)]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
      expect(count(answers, ({ body }) => body['passed'] === true)).toBe(1);
      expect((await gateOf(gate)).body['status']).toBe('passed');
    }
  }, 30_000);

  it('against a cancel are one truth, the same everywhere', async () => {
    for (let round = 0; round < 10; round += 1) {
      forgiveAll();
      const { decisions, digests, promotion } = await atApproval(here, `cancel-${round}`);
      const vote = { verdict: 'approve', ...digests };
      const answers = await Promise.all([
        send('sam', decisions, vote),
        send('bea', `/v1/promotions/${promotion}/cancel`, { reason: 'stop' }),
        send('kim', decisions, vote),
      ]);
      expect(inFives(answers)).toBe(0);
      expect(answers[1]?.status).toBe(202);
      const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
      expect(read.body['outcome']).toBe('cancelled');
      const recorded = count([answers[0], answers[2]].filter(isSent), ({ status }) => status === 201);
      expect(pick(read.body, 'gates', 1, 'decisions')).toHaveLength(recorded);
    }
  }, 30_000);

  it('against the expiry are recorded before it or told that it has expired', async () => {
    const source = `policy: brief
gates:
  - gate: readiness
  - gate: approval
    requirements: [{ from: group/security, count: 2 }]
    expires: 1s
  - gate: canary
    weights: [50]
`;
    const published = await send('petra', '/v1/policies', { source });
    const policy = String(published.body['id']);
    forgiveAll();
    const { decisions, digests, promotion } = await atApproval(here, 'deadline', { policy });
    const vote = { verdict: 'approve', ...digests };
    const answers: Sent[] = [];
    const deadline = performance.now() + 1_300;
    while (performance.now() < deadline) answers.push(await send('sam', decisions, vote));
    const codes = new Set(answers.map(({ status, body }) => JSON.stringify([status, body['code'] ?? 'recorded'])));
    expect(
      [...codes].filter((code) => !/^\[(201,"recorded"|409,"already_decided"|409,"expired"|429,.*)\]$/.test(code)),
    ).toEqual([]);
    here.parts.refusals.forgive(here.people.kim);
    expect(await send('kim', decisions, vote)).toMatchObject({ status: 409, body: { code: 'expired' } });
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(read.body['outcome']).toBe('expired');
  }, 20_000);
});

function isSent(answer: Sent | undefined): answer is Sent {
  return answer !== undefined;
}

describe('ten openings at once', () => {
  it('of one prototype leave one open promotion', async () => {
    forgiveAll();
    const { prototype, candidate, policy } = await atApproval(here, 'ten-times');
    const opened = await Promise.all(
      Array.from({ length: 10 }, () => send('bea', '/v1/promotions', { prototype, candidate, policy })),
    );
    expect(inFives(opened)).toBe(0);
    const open = await here.ask('aud', 'GET', `/v1/promotions?prototype=${prototype}&open=true`);
    expect(pick(open.body, 'items')).toHaveLength(1);
  });
});

describe('fifty requests with one key', () => {
  it('are one entry and one answer', async () => {
    forgiveAll();
    const { decisions, digests, gate } = await atApproval(here, 'one-key');
    const vote = { verdict: 'approve', reason: 'fine', ...digests };
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => send('sam', decisions, vote, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${String(body['decision'])}`)).size).toBe(1);
    expect(count(answers, ({ body }) => body['receipt'] === 'recorded')).toBe(1);
    expect(pick((await gateOf(gate)).body, 'decisions')).toHaveLength(1);
    const add = { name: 'Newcomer', roles: [{ role: 'auditor' }] };
    const people = await Promise.all(Array.from({ length: 50 }, () => send('ada', '/v1/people', add, key)));
    expect(new Set(people.map(({ status, body }) => `${status} ${String(body['id'])}`)).size).toBe(1);
    expect(people[0]?.status).toBe(201);
    expect(await send('ada', '/v1/people', { ...add, name: 'Somebody else' }, key)).toMatchObject({ status: 409 });
  }, 30_000);
});

describe('another workspace', () => {
  it('finds nothing of ours on any route, and learns nothing from how it is told', async () => {
    const things = await atApproval(here, 'foreign');
    const view = await here.parts.journal.reads(here.workspace).promotion(things.promotion);
    const known: Record<string, string> = {
      ...{ gates: things.gate, lanes: view?.state.lanes.production ?? '', people: here.people.kim },
      ...{ policies: things.policy, promotions: things.promotion, prototypes: things.prototype },
      ...{
        evidence: view?.state.gates[0]?.evidence[0]?.digest ?? '',
        edge: view?.state.candidate.manifestDigest ?? '',
      },
    };
    const bodies: Record<string, object> = {
      ...{ grantRole: { role: 'auditor' }, revokeRole: { role: 'auditor' }, issueToken: {}, disablePerson: {} },
      revokeToken: { token: `tok_${'0'.repeat(32)}` },
      ...{ assignOwner: { owner: here.people.eve }, trustPrototype: { trusted: true }, rerunGate: {} },
      freezeCandidate: { version: 'v2', git: { path: 'x', commit: 'main' } },
      decide: { verdict: 'approve', ...things.digests },
      setVariable: { name: 'GREETING', value: 'hello' },
      bindSecret: { name: 'API_KEY', reference: { from: 'environment', name: 'PROTOTYPE_API_KEY' } },
      ...{ unsetVariable: { name: 'GREETING' }, unbindSecret: { name: 'API_KEY' }, rotateSecret: { name: 'API_KEY' } },
    };
    const tried: string[] = [];
    for (const { method, path, name } of routes.filter(({ path }) => /:(id|digest)/.test(path))) {
      const real = known[path.split('/')[2] ?? ''] ?? '';
      const made = real.replace(/[0-9a-f]{32}/, (hex) => hex.replaceAll(/./g, '0'));
      const payload = method === 'POST' ? { payload: bodies[name] ?? { reason: 'mine' } } : {};
      here.parts.refusals.forgive(here.people.eve);
      const [ours, nobodys] = await Promise.all(
        [real, made].map((id) => here.ask('eve', method, path.replace(/:(id|digest)/, id), payload)),
      );
      const shape = ({ status, body }: Answer) => JSON.stringify([status, { ...body, requestId: '', traceId: '' }]);
      if (ours === undefined || nobodys === undefined) throw new Error('expected two answers');
      expect([name, shape(ours)]).toEqual([name, shape(nobodys)]);
      // Eve runs no edge: she is refused before anything is looked for.
      expect([name, ours.status]).toEqual([name, path.startsWith('/v1/edge') ? 403 : 404]);
      tried.push(name);
    }
    expect(tried.length).toBeGreaterThan(15);
  });

  it('cannot promote our things as its own', async () => {
    const { prototype, candidate, policy } = await atApproval(here, 'borrowed');
    const opened = await send('eve', '/v1/promotions', { prototype, candidate, policy });
    expect([404, 422]).toContain(opened.status);
    expect(JSON.stringify(opened.body)).not.toContain(prototype);
  });
});

describe('five thousand refused decisions of one person', () => {
  it('end in 429, fill no journal, and let others decide meanwhile', async () => {
    forgiveAll();
    const { decisions, digests, gate, promotion } = await atApproval(here, 'stampede');
    const vote = { verdict: 'approve', ...digests };
    const stampede = Array.from({ length: 5_000 }, () => send('olga', decisions, vote).catch(() => null));
    const begun = performance.now();
    const votes = [await send('sam', decisions, vote), await send('kim', decisions, vote)];
    const tookMs = performance.now() - begun;
    expect(votes.map(({ status }) => status)).toEqual([201, 201]);
    expect((await gateOf(gate)).body['status']).toBe('passed');
    const answers = (await Promise.all(stampede)).flatMap((answer) => (answer === null ? [] : [answer]));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403, 429]));
    const log = await here.parts.journal.reads(here.workspace).history({ stream: 'log', id: 'refusals', limit: 9_000 });
    expect(log.filter(({ bytes }) => bytes.includes(promotion)).length).toBeLessThanOrEqual(100);
    expect(tookMs).toBeLessThan(30_000);
  }, 120_000);
});

describe('a person who lost their rights', () => {
  it('between their vote and the quorum does not count, and nobody gets in with their token', async () => {
    forgiveAll();
    const { decisions, digests, gate } = await atApproval(here, 'disabled');
    const vote = { verdict: 'approve', ...digests };
    const added = await send('ada', '/v1/people', { name: 'Lea', roles: [{ role: 'approver', group: 'security' }] });
    const lea = String(added.body['id']);
    const token = `prv_${randomBytes(32).toString('base64url')}`;
    const record = { id: idFrom('tok', randomUUID()), hash: hashOfToken(token), expiresAt: Date.now() + 60_000 };
    // Issued by the deployment itself, as at its founding: what a person issues to another does not vote.
    await here.parts.journal.submit({
      ...{
        workspace: here.workspace,
        actor: builtinPrincipals.founder.id,
        authn: 'test',
        idempotencyKey: randomUUID(),
      },
      command: { kind: 'IssueToken', person: lea as `psn_${string}`, token: record },
    });
    const cast = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await fetch(url + decisions, { method: 'POST', headers, body: JSON.stringify(vote) })).status;
    };
    expect(await cast()).toBe(201);
    expect((await send('ada', `/v1/people/${lea}/disable`, {})).status).toBe(200);
    expect(await cast()).toBe(401);
    expect((await send('sam', decisions, vote)).body).toMatchObject({ passed: false });
    expect((await gateOf(gate)).body['status']).toBe('waiting');
    expect((await send('kim', decisions, vote)).body).toMatchObject({ passed: true });
  });

  it('cannot hide behind an agent of an agent', async () => {
    const first = await send('ada', '/v1/people', { name: 'Bot', kind: 'agent', actsFor: here.people.sam });
    const second = await send('ada', '/v1/people', { name: 'Bot 2', kind: 'agent', actsFor: String(first.body['id']) });
    expect([first.status, second.status]).toEqual([201, 422]);
    expect(pick(second.body, 'errors', 0, 'pointer')).toBe('/actsFor');
  });
});

describe('a credential', () => {
  it('that has expired, or belongs to an agent, decides nothing', async () => {
    forgiveAll();
    const { decisions, digests, gate } = await atApproval(here, 'credentials');
    const vote = { verdict: 'approve', ...digests };
    const security = [{ role: 'approver', group: 'security' }];
    const agent = await send('ada', '/v1/people', {
      name: 'A',
      kind: 'agent',
      actsFor: here.people.sam,
      roles: security,
    });
    const human = await send('ada', '/v1/people', { name: 'H', roles: security });
    const issue = async (person: string, expiresAt: number): Promise<string> => {
      const token = `prv_${randomBytes(32).toString('base64url')}`;
      const record = { id: idFrom('tok', randomUUID()), hash: hashOfToken(token), expiresAt };
      const command = { kind: 'IssueToken', person: person as `psn_${string}`, token: record } as const;
      const ada = { workspace: here.workspace, actor: here.people.ada, authn: 'test', idempotencyKey: randomUUID() };
      expect((await here.parts.journal.submit({ ...ada, command })).kind).toBe('accepted');
      return token;
    };
    const cast = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await fetch(url + decisions, { method: 'POST', headers, body: JSON.stringify(vote) })).status;
    };
    expect(await cast(await issue(String(human.body['id']), Date.now() - 1))).toBe(401);
    expect(await cast(await issue(String(agent.body['id']), Date.now() + 60_000))).toBe(403);
    expect(pick((await gateOf(gate)).body, 'decisions')).toEqual([]);
  });
});

describe('an owner who is no active human', () => {
  it('answers for nothing, so nothing is promoted', async () => {
    forgiveAll();
    const { prototype, candidate, policy } = await atApproval(here, 'ownerless');
    const bot = await send('ada', '/v1/people', { name: 'Bot', kind: 'service', actsFor: here.people.aud });
    const assigned = await send('ada', `/v1/prototypes/${prototype}/owner`, { owner: String(bot.body['id']) });
    expect(assigned.status).toBe(200);
    const opened = await send('bea', '/v1/promotions', { prototype, candidate, policy });
    expect(opened).toMatchObject({ status: 409, body: { code: 'no_owner' } });
  });
});

describe('live events', () => {
  it('show another workspace nothing, and one reader cannot take every place', async () => {
    forgiveAll();
    const left = new AbortController();
    const { incarnation } = await here.parts.journal.reads(here.workspace).log();
    const follow = (actor: Actor) =>
      fetch(`${url}/v1/events`, {
        headers: { authorization: `Bearer ${here.tokens[actor]}`, 'last-event-id': `${incarnation}.0` },
        signal: left.signal,
      });
    const windows: Response[] = [];
    for (let index = 0; index < 25; index += 1) windows.push(await follow('aud'));
    expect(windows.filter(({ status }) => status === 429)).toHaveLength(5);
    expect((await follow('sam')).status).toBe(200);
    const foreign = await follow('eve');
    const reader = foreign.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    expect(first).not.toContain('event: entry');
    left.abort();
  });
});
