import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { signedIn } from './browser.contract.ts';
import {
  type Actor,
  type Deployment,
  atApproval,
  grantToken,
  listening,
  openDeployment,
  pick,
  pickText,
} from './deployment.contract.ts';
import { addAgent } from './mcp/agent.contract.ts';

const commandFile = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

type Things = Awaited<ReturnType<typeof atApproval>>;

const at = (promotion: string) => `/v1/promotions/${promotion}/comments`;

const say = async (actor: Actor | null, { promotion }: Pick<Things, 'promotion'>, text: string, key?: string) =>
  await here.post(actor, at(promotion), { text }, key);

interface Told {
  readonly kind: string;
  readonly reason: string | null;
  readonly bytes: string;
  readonly by: { readonly id: string; readonly name: string | null };
}

/** What the history has of comments, oldest first. */
async function commentsOf({ promotion }: Pick<Things, 'promotion'>): Promise<readonly Told[]> {
  const { body } = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history?limit=500`);
  return (body['items'] as readonly Told[]).filter(({ kind }) => kind === 'commented');
}

async function pageFor(actor: Actor, { gate }: Things): Promise<string> {
  return (await (await signedIn(here, actor)).get(`/decide/${gate}`)).text;
}

describe('a comment', () => {
  it('is written by everybody who reads the promotion, also about their own work, and read with name and time', async () => {
    const things = await atApproval(here, 'said-by-all');
    const readers = ['bea', 'sam', 'olga', 'petra', 'aud', 'ada'] as const;
    for (const actor of readers) {
      const { status, body } = await say(actor, things, `${actor} was here`);
      expect([actor, status, body]).toEqual([
        ...[actor, 201, { receipt: 'recorded', revision: expect.any(Number), entries: [expect.any(Number)] }],
      ]);
    }
    const told = await commentsOf(things);
    expect(told.map(({ by, reason }) => [by.name, reason])).toEqual(
      readers.map((actor) => [`Name of ${actor}`, `${actor} was here`]),
    );
    // The words lie in the vault alone.
    expect(told.some(({ bytes }) => bytes.includes('was here'))).toBe(false);
    const shown = await pageFor('sam', things);
    const places = readers.map((actor) => shown.indexOf(`${actor} was here`));
    expect(places).toEqual(places.toSorted((one, other) => other - one));
    expect(places.at(-1)).toBeGreaterThan(0);
  });

  it('is not written, and not read, by who may not read the promotion', async () => {
    const things = await atApproval(here, 'said-to-few');
    await say('bea', things, 'for colleagues alone');
    const nil = await say('nil', things, 'hello');
    expect([nil.status, nil.body['code'], (nil.body['whoCan'] as unknown[]).length]).toEqual([403, 'not_permitted', 6]);
    const [eve, edge] = [await say('eve', things, 'hello'), await say('edge', things, 'hello')];
    expect([eve.status, edge.status, (await say(null, things, 'hello')).status]).toEqual([404, 403, 401]);
    for (const actor of ['nil', 'eve'] as const) {
      const browser = await signedIn(here, actor);
      const answers = [
        await browser.get(`/decide/${things.gate}`),
        await browser.post(`/decide/${things.gate}/comments`, { key: randomUUID(), reason: 'hello' }),
      ];
      for (const { status, text } of answers)
        expect([actor, status, text.includes('colleagues')]).toEqual([actor, actor === 'eve' ? 404 : 403, false]);
    }
    expect(await commentsOf(things)).toHaveLength(1);
  });

  it('wants words, not too many, and is one however often it is sent under one key', async () => {
    const things = await atApproval(here, 'said-once');
    for (const text of ['', ' \n ', 'x'.repeat(2_001), 'a\u202eb', 'a\ud800b', 7, null]) {
      const { status, body } = await here.post('bea', at(things.promotion), { text });
      expect([status, body['code'], pick(body, 'errors', 0, 'pointer')]).toEqual([422, 'invalid', '/text']);
    }
    const once = [await say('bea', things, 'once', 'same'), await say('bea', things, 'once', 'same')];
    expect(once.map(({ status, body }) => [status, body['receipt']])).toEqual([
      [201, 'recorded'],
      [201, 'replayed'],
    ]);
    expect((await say('bea', things, 'something else', 'same')).body['code']).toBe('key_conflict');
    // The longest that fits, and the same words twice by two people are two comments.
    await say('bea', things, 'é'.repeat(2_000));
    await say('sam', things, 'once', 'same');
    expect((await commentsOf(things)).map(({ reason }) => reason?.length)).toEqual([4, 2_000, 4]);
    expect((await say('bea', { promotion: `prm_${'7'.repeat(32)}` }, 'to nobody')).status).toBe(404);
  });

  it('is none without words, by whichever door it comes', async () => {
    const { promotion } = await atApproval(here, 'said-nothing');
    const { people, workspace, parts } = here;
    const sent = { workspace, actor: people.bea, authn: 'test', idempotencyKey: randomUUID() };
    const receipt = await parts.journal.submit({ ...sent, command: { kind: 'Comment', promotion } });
    expect(receipt).toMatchObject({ kind: 'refused', refusal: { code: 'reason_required' } });
    expect(await commentsOf({ promotion })).toEqual([]);
  });

  it('comes with a token as narrow as for building, operating, deciding or an agent, and with no other', async () => {
    const things = await atApproval(here, 'said-narrowly');
    const tries = [...['build', 'operate', 'decide', 'agent'], ...['read', 'publish', 'administer', 'evidence']].map(
      async (scope) => {
        const { token } = await addAgent(here, { scopes: [scope], name: scope });
        const headers = { authorization: `Bearer ${token}` };
        const { status, body } = await here.ask(null, 'POST', at(things.promotion), {
          ...{ payload: { text: scope }, headers },
        });
        return [scope, status, body['code'] ?? null];
      },
    );
    expect(await Promise.all(tries)).toEqual([
      ...['build', 'operate', 'decide', 'agent'].map((scope) => [scope, 201, null]),
      ...['read', 'publish', 'administer', 'evidence'].map((scope) => [scope, 403, 'scope_missing']),
    ]);
  });

  it('between two votes moves no vote, no word about where it stands, no message, and wakes nobody', async () => {
    const things = await atApproval(here, 'said-between');
    const { promotion, gate, decisions, digests } = things;
    await here.post('sam', decisions, { verdict: 'approve', ...digests });
    const shown = async () => {
      const { headline, state, gates, blockers, canary } = (await here.ask('sam', 'GET', `/v1/promotions/${promotion}`))
        .body;
      const messages = (await here.ask('aud', 'GET', `/v1/gates/${gate}/prompts`)).body;
      return { ...{ headline, state, gates, blockers, canary, messages }, marks: await marksOf(promotion) };
    };
    const before = await shown();
    expect(JSON.stringify(before)).toContain('1 of 2');
    for (const actor of ['sam', 'bea', 'kim'] as const) expect((await say(actor, things, 'hm')).status).toBe(201);
    expect(await shown()).toEqual(before);
    const second = await here.post('kim', decisions, { verdict: 'approve', ...digests });
    expect([second.status, second.body['passed']]).toEqual([201, true]);
  });

  it('is taken after the end too, and changes nothing of how it ended', async () => {
    const things = await atApproval(here, 'said-after');
    await here.post('sam', things.decisions, { verdict: 'reject', reason: 'not yet', ...things.digests });
    const ended = async () => (await here.ask('aud', 'GET', `/v1/promotions/${things.promotion}`)).body;
    const { revision, ...before } = await ended();
    expect((await say('bea', things, 'understood')).status).toBe(201);
    expect(await ended()).toEqual({ ...before, revision: Number(revision) + 1 });
    expect(await pageFor('bea', things)).toContain('understood');
  });

  it('is refused beyond two hundred, however many are sent at once, and is then offered to nobody', async () => {
    const things = await atApproval(here, 'said-enough');
    for (let count = 1; count <= 199; count += 1) await say('bea', things, `number ${count}`);
    const actors = ['sam', 'kim', 'olga', 'petra', 'aud'] as const;
    const answers = await Promise.all(actors.map(async (actor) => await say(actor, things, 'the last')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      ...{ code: 'too_many', detail: 'expected at most 200 comments on a promotion, got one more' },
    });
    expect(await commentsOf(things)).toHaveLength(200);
    const { actions } = (await here.ask('bea', 'GET', `/v1/promotions/${things.promotion}`)).body as unknown as {
      actions: readonly { readonly rel: string }[];
    };
    expect(actions.find(({ rel }) => rel === 'comment')).toMatchObject({ allowed: false, code: 'too_many' });
    const shown = await pageFor('sam', things);
    expect([shown.includes('180 older in the history'), shown.includes('Write a comment')]).toEqual([true, false]);
    expect((await here.post('sam', things.decisions, { verdict: 'approve', ...things.digests })).status).toBe(201);
  }, 60_000);

  it('of an erased person has neither name nor words, at the page and in the history', async () => {
    const added = await here.post('ada', '/v1/people', { name: 'Nova Nilsson', roles: [{ role: 'builder' }] });
    const id = pickText(added.body, 'id');
    const things = await atApproval(here, 'said-by-nova');
    const headers = { authorization: `Bearer ${await grantToken(here, id)}` };
    const payload = { text: 'Nils told me about the invoices' };
    await here.ask(null, 'POST', at(things.promotion), { payload, headers });
    await say('bea', things, 'which ones?');
    expect(await pageFor('sam', things)).toMatch(/Nova Nilsson[^]*about the invoices/);
    expect((await here.post('ada', `/v1/people/${id}/erase`, {})).status).toBe(200);
    const shown = await pageFor('sam', things);
    expect(shown).not.toMatch(/Nova|invoices/);
    expect(shown).toMatch(/which ones\?[^]*UTC: erased, with whoever wrote it\./);
    const [hers] = await commentsOf(things);
    expect(hers).toMatchObject({ by: { id, name: 'erased person' }, reason: 'erased' });
  });
});

/** What the workflow is still to be woken for. */
async function marksOf(promotion: string): Promise<readonly unknown[]> {
  const database = new pg.Client({ connectionString: here.superuserUrl });
  await database.connect();
  try {
    return (await database.query('select revision from proviso.dirty where promotion = $1', [promotion])).rows;
  } finally {
    await database.end();
  }
}

describe('at the page a comment', () => {
  it('is written by its form once, and told as words whatever they look like', async () => {
    const things = await atApproval(here, 'page-comment');
    const [browser, page] = [await signedIn(here, 'bea'), `/decide/${things.gate}`];
    expect((await browser.get(page)).text).toContain('Write a comment');
    const reason = '<script>alert(1)</script>\r\n</blockquote><form action="https://elsewhere.example">Passed & done';
    const form = { key: randomUUID(), reason };
    const twice = [await browser.post(`${page}/comments`, form), await browser.post(`${page}/comments`, form)];
    expect(twice.map(({ status, headers }) => [status, headers['location']])).toEqual([
      [303, page],
      [303, page],
    ]);
    expect((await commentsOf(things)).map((one) => one.reason)).toEqual([reason.replace('\r\n', '\n')]);
    const shown = await pageFor('sam', things);
    expect(shown).toContain(
      '&lt;script&gt;alert(1)&lt;/script&gt;\n&lt;/blockquote&gt;&lt;form action=&quot;https://elsewhere.example&quot;&gt;Passed &amp; done',
    );
    expect(shown).not.toMatch(/<script|elsewhere.example">/);
    expect(shown).toContain('<strong>Name of bea</strong>');
  });

  it('is not taken without words, from another site, or from a browser that was left open', async () => {
    const things = await atApproval(here, 'page-no-comment');
    const [browser, page] = [await signedIn(here, 'sam'), `/decide/${things.gate}/comments`];
    const form = () => ({ key: randomUUID(), reason: 'a word' });
    const silent = await browser.post(page, { ...form(), reason: '' });
    expect([silent.status, silent.text.includes('data-code="reason_required"')]).toEqual([422, true]);
    const foreign = await browser.post(page, form(), { 'sec-fetch-site': 'cross-site' });
    const forged = await browser.post(page, { ...form(), form: 'made up' });
    expect([foreign.status, forged.status]).toEqual([403, 403]);
    // Six minutes pass, for the whole API.
    const { now } = here.parts;
    Object.assign(here.parts, { now: () => now() + 6 * 60_000 });
    try {
      expect((await browser.get(`/decide/${things.gate}`)).text).toContain('Sign in again for this');
      expect((await browser.post(page, form())).status).toBe(403);
    } finally {
      Object.assign(here.parts, { now });
    }
    expect(await commentsOf(things)).toEqual([]);
    expect((await browser.post(page, form())).status).toBe(303);
    expect(await commentsOf(things)).toHaveLength(1);
  });

  it('of an agent names it and the human for whom it acts', async () => {
    const things = await atApproval(here, 'page-agent');
    const { token } = await addAgent(here);
    const headers = { authorization: `Bearer ${token}` };
    const payload = { text: 'the evaluation missed two cases' };
    await here.ask(null, 'POST', at(things.promotion), { payload, headers });
    expect(await pageFor('sam', things)).toMatch(/<strong>Helper for Name of olga<\/strong>[^]*missed two cases/);
  });
});

it('a comment is written and read at the command line, against a real API', async () => {
  const things = await atApproval(here, 'line-comment');
  const url = await listening(here);
  const ran = async (actor: Actor, ...words: readonly string[]) =>
    await promisify(execFile)(process.execPath, [commandFile, ...words, '--url', url, '--token', here.tokens[actor]]);
  const { stdout } = await ran('petra', 'comment', things.promotion, 'which policy was it?', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ promotion: things.promotion, receipt: 'recorded' });
  expect((await ran('aud', 'history', things.promotion)).stdout).toMatch(/Name of petra: which policy was it\?/);
  await expect(ran('nil', 'comment', things.promotion, 'hello')).rejects.toMatchObject({ code: 5 });
}, 60_000);
