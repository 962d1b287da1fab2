import { randomUUID } from 'node:crypto';
import {
  type Actor,
  type Answer,
  type Deployment,
  archiveOf,
  atApproval,
  forgiveAll,
  formOf,
  grantToken,
  listening,
  openDeployment,
  pick,
  sequence,
} from './deployment.contract.ts';
import { routes } from './routes.ts';

// Attacks beside those of `under-attack.test.ts`: each once succeeded, or would be the next thing to try.

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
async function send(actor: Actor, path: string, body: object, key: string = randomUUID()): Promise<Sent> {
  const headers = {
    authorization: `Bearer ${here.tokens[actor]}`,
    ...{ 'idempotency-key': key, 'content-type': 'application/json' },
  };
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Sent['body'] };
}

function count(answers: readonly Sent[], fits: (answer: Sent) => boolean): number {
  return answers.filter(fits).length;
}

const inFives = (answers: readonly Sent[]): number => count(answers, ({ status }) => status >= 500);

async function gateOf(gate: string): Promise<Answer> {
  return await here.ask('aud', 'GET', `/v1/gates/${gate}`);
}

describe('ten openings at once', () => {
  it('of one prototype leave one open promotion', async () => {
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

describe('a key that comes back with another file', () => {
  it('is a conflict, and makes no version', async () => {
    const { prototype } = await atApproval(here, 'other-file');
    const upload = async (words: string, key: string) => {
      const form = formOf('v2', archiveOf(words));
      const headers = { ...form.headers, 'idempotency-key': key };
      return await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, { ...form, headers });
    };
    const key = randomUUID();
    const first = await upload('one', key);
    expect(first.status).toBe(201);
    expect((await upload('one', key)).body['candidate']).toEqual(first.body['candidate']);
    expect(await upload('two', key)).toMatchObject({ status: 409, body: { code: 'key_conflict' } });
    expect((await here.ask('bea', 'GET', `/v1/prototypes/${prototype}`)).body['candidates']).toBe(2);
  });
});

describe('three thousand requests of strangers', () => {
  it('are 401 each, and keep nobody from deciding', async () => {
    const { decisions, digests, gate } = await atApproval(here, 'strangers');
    const forged = { headers: { authorization: `Bearer prv_${'z'.repeat(43)}` } };
    const flood = Array.from({ length: 3_000 }, async () => {
      const answer = await fetch(url + decisions, { method: 'POST', ...forged }).catch(() => null);
      await answer?.arrayBuffer();
      return answer?.status;
    });
    const vote = { verdict: 'approve', ...digests };
    const votes = [await send('sam', decisions, vote), await send('kim', decisions, vote)];
    expect(votes.map(({ status }) => status)).toEqual([201, 201]);
    expect((await gateOf(gate)).body['status']).toBe('passed');
    const heard = (await Promise.all(flood)).filter((status) => status !== undefined);
    expect(new Set(heard)).toEqual(new Set([401]));
    expect(heard.length).toBeGreaterThan(1_000);
  }, 120_000);
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
      endSessions: {},
      revokeToken: { token: `tok_${'0'.repeat(32)}` },
      ...{ assignOwner: { owner: here.people.eve }, trustPrototype: { trusted: true }, rerunGate: {} },
      erasePerson: {},
      trustWorkload: {
        ...{ name: 'CI', issuer: 'https://ci.example', audience: 'a', repository: 'team/app', ref: 'refs/heads/main' },
      },
      distrustWorkload: { service: here.people.eve },
      addComment: { text: 'mine' },
      addEvidence: { kind: 'tests', commit: '0'.repeat(40), contentBase64: 'aGVsbG8=' },
      deferGate: { until: '2100-01-01T00:00:00Z' },
      askWaiver: { owner: here.people.eve, until: '2100-01-01T00:00:00Z', reason: 'mine' },
      approveWaiver: { waiver: `wvr_${'0'.repeat(32)}` },
      approveBreakGlass: { artifactDigest: things.digests.artifactDigest },
      ...{ delegate: { until: '2100-01-01T00:00:00Z' }, endDelegation: {} },
      freezeCandidate: { version: 'v2', git: { path: 'x', commit: 'main' } },
      decide: { verdict: 'approve', ...things.digests },
      ...{ agreeToPolicy: { digest: things.digests.artifactDigest }, assignTier: { tier: 'internal' } },
      setVariable: { name: 'GREETING', value: 'hello' },
      bindSecret: { name: 'API_KEY', reference: { from: 'environment', name: 'PROTOTYPE_API_KEY' } },
      ...{ unsetVariable: { name: 'GREETING' }, unbindSecret: { name: 'API_KEY' }, rotateSecret: { name: 'API_KEY' } },
    };
    const tried: string[] = [];
    const named = routes.filter(({ path, access }) => /:(id|digest)/.test(path) && access.kind !== 'page');
    for (const { method, path, name } of named) {
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

  it('learns nothing from a cursor that is one of our things', async () => {
    const things = await atApproval(here, 'cursor');
    await send('eve', '/v1/prototypes', { name: 'of-eve' });
    for (const [list, id] of [
      ['prototypes', things.prototype],
      ['promotions', things.promotion],
      ['policies', things.policy],
      ['people', here.people.kim],
    ] as const) {
      // Its next neighbour: where a page begins may depend on the letters of a cursor, and on nothing else.
      const nobodys = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;
      const pages = await Promise.all(
        [id, nobodys].map((after) => here.ask('eve', 'GET', `/v1/${list}?after=${after}`)),
      );
      expect(pages[0]?.text).not.toContain(id);
      const items = pages.map(({ status, body }) => [list, status, body['items']]);
      expect(items[0]).toEqual(items[1]);
    }
  });

  it('cannot promote our things as its own', async () => {
    const { prototype, candidate, policy } = await atApproval(here, 'borrowed');
    const opened = await send('eve', '/v1/promotions', { prototype, candidate, policy });
    expect([404, 422]).toContain(opened.status);
    expect(JSON.stringify(opened.body)).not.toContain(prototype);
  });
});

describe('a person who lost their rights', () => {
  it('between their vote and the quorum does not count, and nobody gets in with their token', async () => {
    const { decisions, digests, gate } = await atApproval(here, 'disabled');
    const vote = { verdict: 'approve', ...digests };
    const added = await send('ada', '/v1/people', { name: 'Lea', roles: [{ role: 'approver', group: 'security' }] });
    const lea = String(added.body['id']);
    const token = await grantToken(here, lea);
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

describe('an agent', () => {
  it('decides nothing, whatever role it has', async () => {
    const { decisions, digests, gate } = await atApproval(here, 'agents');
    const roles = [{ role: 'approver', group: 'security' }];
    const agent = await send('ada', '/v1/people', { name: 'A', kind: 'agent', actsFor: here.people.sam, roles });
    const token = await grantToken(here, String(agent.body['id']));
    const headers = { authorization: `Bearer ${token}` };
    const vote = { verdict: 'approve', ...digests };
    expect((await here.ask(null, 'POST', decisions, { payload: vote, headers })).status).toBe(403);
    expect(pick((await gateOf(gate)).body, 'decisions')).toEqual([]);
  });
});

describe('an owner who is no active human', () => {
  it('answers for nothing, so nothing is promoted', async () => {
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
    const [ours, theirs, later] = [
      String((await send('bea', '/v1/prototypes', { name: 'heard-first' })).body['id']),
      String((await send('eve', '/v1/prototypes', { name: 'heard-between' })).body['id']),
      String((await send('bea', '/v1/prototypes', { name: 'heard-last' })).body['id']),
    ];
    await sequence(here);
    /** Which of both comes first to whoever begins at the first entry of all; entries come in their order. */
    const first = async (actor: Actor, ...ids: readonly string[]): Promise<string | undefined> => {
      for await (const text of (await follow(actor)).body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const [found] = ids.filter((id) => text.includes(id)).toSorted((a, b) => text.indexOf(a) - text.indexOf(b));
        if (found !== undefined) return found;
      }
      return undefined;
    };
    expect([await first('sam', theirs, later), await first('eve', ours, theirs)]).toEqual([later, theirs]);
    left.abort();
  });
});
