import { randomUUID } from 'node:crypto';
import { type Browser, openBrowser, signedIn, voteForm } from './browser.contract.ts';
import {
  type Deployment,
  archiveOf,
  atApproval,
  formOf,
  openDeployment,
  pickText,
  policySource,
} from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

type Things = Awaited<ReturnType<typeof atApproval>>;

const pageOf = ({ gate }: Things) => `/decide/${gate}`;

/** What a person sees and sends: the form of the page as it was shown. */
async function shownForm(browser: Browser, things: Things) {
  const { text, status } = await browser.get(pageOf(things));
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? '';
  const names = ['key', 'attempt', 'artifactDigest', 'evidenceDigest'] as const;
  return {
    text,
    status,
    fields: Object.fromEntries(names.map((name) => [name, field(name)])) as Record<(typeof names)[number], string>,
  };
}

async function decisionsOf({ gate }: Things): Promise<readonly unknown[]> {
  return (await here.ask('aud', 'GET', `/v1/gates/${gate}`)).body['decisions'] as unknown[];
}

/** Entries of the refusals that name this promotion or door. */
async function refusals(): Promise<string> {
  const entries = await here.parts.journal.reads(here.workspace).history({ stream: 'log', id: 'refusals', limit: 500 });
  return entries.map(({ bytes }) => bytes).join('\n');
}

describe('the page of a gate', () => {
  it('says what is asked, what it is about and who decides, before anything else', async () => {
    const things = await atApproval(here, 'page-shows');
    const { status, text } = await shownForm(await signedIn(here, 'sam'), things);
    expect(status).toBe(200);
    for (const words of [
      'Promote page-shows v1 to production?',
      'Waiting for Security (0 of 2)',
      'Name of bea',
      'would be the first version',
      'Readiness',
      'Passed',
      'Security: 0 of 2',
      things.digests.artifactDigest,
      things.digests.evidenceDigest,
    ])
      expect(text).toContain(words);
    expect(text.indexOf('Waiting for Security')).toBeLessThan(text.indexOf('What changes for users'));
  });

  it('runs no script, loads nothing and stands in no frame', async () => {
    const things = await atApproval(here, 'page-strict');
    const { headers, text } = await (await signedIn(here, 'sam')).get(pageOf(things));
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(text).not.toMatch(/<script|\son\w+=|style="/i);
  });

  it('tells strangers’ words as words', async () => {
    const name = '<img src=x onerror=alert(1)>"\'‮';
    const added = await here.post('ada', '/v1/people', {
      name: '<img src=x onerror=alert(1)>"\'',
      roles: [{ role: 'builder' }],
    });
    expect([added.status, (await here.post('ada', '/v1/people', { name })).status]).toEqual([201, 422]);
    const token = pickText(
      (await here.post('ada', `/v1/people/${pickText(added.body, 'id')}/tokens`, {})).body,
      'token',
    );
    const things = await atApproval(here, 'page-words');
    const headers = { authorization: `Bearer ${token}` };
    const payload = { prototype: things.prototype, candidate: things.candidate, policy: things.policy };
    const form = formOf('v2', archiveOf('other words'));
    const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${things.prototype}/candidates`, form);
    const opened = await here.ask(null, 'POST', '/v1/promotions', {
      headers,
      payload: { ...payload, candidate: pickText(frozen.body, 'candidate', 'id') },
    });
    const page = await (await signedIn(here, 'sam')).get(
      `/decide/gate_${pickText(opened.body, 'id').slice(4)}-approval`,
    );
    expect(page.text).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;');
    expect(page.text).not.toContain('<img');
  });

  it('is 404 for a gate of another workspace, of a machine and of nobody, all alike', async () => {
    const things = await atApproval(here, 'page-foreign');
    const [eve, sam] = [await signedIn(here, 'eve'), await signedIn(here, 'sam')];
    const answers = await Promise.all([
      eve.get(pageOf(things)),
      eve.get(`/decide/gate_${'0'.repeat(32)}-approval`),
      sam.get(pageOf(things).replace('approval', 'readiness')),
      sam.get('/decide/%00'),
    ]);
    for (const { status, text } of answers)
      expect([status, text.includes('There is nothing here')]).toEqual([404, true]);
  });

  it('records an approval as every other door does, names the page, and shows what was said', async () => {
    const things = await atApproval(here, 'page-approves');
    const browser = await signedIn(here, 'sam');
    const { fields } = await shownForm(browser, things);
    const answer = await browser.post(pageOf(things), { ...fields, verdict: 'approve', reason: '' });
    expect([answer.status, answer.headers['location']]).toEqual([303, pageOf(things)]);
    const twice = await browser.post(pageOf(things), { ...fields, verdict: 'approve', reason: '' });
    expect(twice.status).toBe(303);
    expect(await decisionsOf(things)).toHaveLength(1);
    expect((await browser.get(pageOf(things))).text).toContain('You have approved on');
    const entries = await here.parts.journal
      .reads(here.workspace)
      .history({ stream: 'promotion', id: things.promotion, limit: 50 });
    const [entry] = entries.filter(({ kind }) => kind === 'decision_recorded');
    expect(JSON.parse(entry?.bytes ?? '{}')).toMatchObject({ actor: { pid: here.people.sam, authn: 'session/page' } });
  });

  it('wants a reason for a no, takes it, and shows the end of the promotion', async () => {
    const things = await atApproval(here, 'page-rejects');
    const browser = await signedIn(here, 'kim');
    const { fields } = await shownForm(browser, things);
    const empty = await browser.post(pageOf(things), { ...fields, verdict: 'reject', reason: '  ' });
    expect([empty.status, empty.text.includes('filled in wrong') || empty.text.includes('Say why')]).toEqual([
      422,
      true,
    ]);
    const none = await browser.post(pageOf(things), { ...fields, verdict: 'reject', reason: '' });
    expect([none.status, none.text.includes('Say why')]).toEqual([422, true]);
    const said = await browser.post(pageOf(things), { ...fields, verdict: 'reject', reason: 'two\r\nlines' });
    expect(said.status).toBe(303);
    expect((await browser.get(pageOf(things))).text).toContain('Rejected at');
    const history = await here.ask('aud', 'GET', `/v1/promotions/${things.promotion}/history`);
    expect(JSON.stringify(history.body)).toContain('two\\nlines');
  });
});

describe('a decision that is not taken', () => {
  it('is one’s own work: said on the page instead of a form, refused when sent all the same, one entry a try', async () => {
    const things = await atApproval(here, 'page-own');
    const browser = await signedIn(here, 'bea');
    const page = await browser.get(pageOf(things));
    expect(page.text).toContain('You cannot decide this.');
    expect(page.text).not.toContain('name="verdict"');
    for (let tries = 0; tries < 2; tries += 1) {
      const answer = await browser.post(pageOf(things), voteForm(things.digests));
      expect([answer.status, answer.text.includes('This is your own work')]).toEqual([403, true]);
    }
    expect((await refusals()).split('\n').filter((line) => line.includes(things.promotion))).toHaveLength(2);
    expect(await decisionsOf(things)).toEqual([]);
  });

  it('lacks the right: who can is said', async () => {
    const things = await atApproval(here, 'page-lacks');
    const browser = await signedIn(here, 'aud');
    expect((await browser.get(pageOf(things))).text).toContain('Who can: Security.');
    const answer = await browser.post(pageOf(things), voteForm(things.digests));
    expect([answer.status, answer.text.includes('Who can: Security.')]).toEqual([403, true]);
  });

  it('comes from a browser that was left open: a fresh sign-in is asked for, and the try is an entry', async () => {
    const things = await atApproval(here, 'page-stale-login');
    const browser = await signedIn(here, 'sam');
    const { fields } = await shownForm(browser, things);
    // Six minutes pass, for the whole API.
    const { now } = here.parts;
    Object.assign(here.parts, { now: () => now() + 6 * 60_000 });
    try {
      const page = await browser.get(pageOf(things));
      expect(page.text).toContain(`href="/login?fresh=true&amp;to=${encodeURIComponent(pageOf(things))}"`);
      const answer = await browser.post(pageOf(things), { ...fields, verdict: 'approve', reason: '' });
      expect([answer.status, answer.text.includes('Sign in again first')]).toEqual([403, true]);
    } finally {
      Object.assign(here.parts, { now });
    }
    expect(await refusals()).toContain('step_up_required');
    expect(await decisionsOf(things)).toEqual([]);
  });

  it('is about something else by now: 412 with what has changed, and the current state below', async () => {
    const things = await atApproval(here, 'page-stale');
    const browser = await signedIn(here, 'sam');
    const old = { artifactDigest: things.digests.artifactDigest, evidenceDigest: `sha256:${'0'.repeat(64)}` };
    const answer = await browser.post(pageOf(things), voteForm(old));
    expect(answer.status).toBe(412);
    for (const words of [
      'not what you were shown',
      'What has changed since',
      'the evidence is another',
      things.digests.evidenceDigest,
      'name="verdict"',
    ])
      expect(answer.text).toContain(words);
    const attempt = await browser.post(pageOf(things), voteForm(things.digests, { attempt: '9' }));
    expect([attempt.status, attempt.text.includes('you were shown attempt 9')]).toEqual([409, true]);
  });

  it('was taken before, or comes after the end', async () => {
    const things = await atApproval(here, 'page-late');
    const [sam, kim] = [await signedIn(here, 'sam'), await signedIn(here, 'kim')];
    await sam.post(pageOf(things), voteForm(things.digests));
    const again = await sam.post(pageOf(things), voteForm(things.digests));
    expect([again.status, again.text.includes('You have decided already')]).toEqual([409, true]);
    await here.ask('bea', 'POST', `/v1/promotions/${things.promotion}/cancel`, { payload: { reason: 'test' } });
    const late = await kim.post(pageOf(things), voteForm(things.digests));
    expect([late.status, late.text.includes('nothing was recorded')]).toEqual([409, true]);
    const page = await kim.get(pageOf(things));
    expect([page.status, page.text.includes('name="verdict"')]).toEqual([200, false]);
  });

  it('came too often: 429, and nobody else is slowed down', async () => {
    const things = await atApproval(here, 'page-flood');
    const browser = await signedIn(here, 'max');
    const answers = [];
    for (let tries = 0; tries < 65; tries += 1)
      answers.push((await browser.post(pageOf(things), voteForm(things.digests))).status);
    expect([answers[0], answers.at(-1)]).toEqual([403, 429]);
    const sam = await signedIn(here, 'sam');
    expect((await sam.post(pageOf(things), voteForm(things.digests))).status).toBe(303);
    here.parts.refusals.forgive(here.people.max);
  });

  it.each([
    ['a field too many', { approverId: 'psn_1' }],
    ['another verdict', { verdict: 'pass' }],
    ['a broken key', { key: 'x' }],
    ['a digest that is none', { artifactDigest: 'sha256:x' }],
  ])('has %s: 422 as a page, never as something broken', async (_what, over) => {
    const things = await atApproval(here, `page-form-${Object.keys(over)[0]?.toLowerCase() ?? ''}`);
    const browser = await signedIn(here, 'sam');
    const answer = await browser.post(pageOf(things), voteForm(things.digests, over));
    expect([answer.status, answer.text.includes('filled in wrong')]).toEqual([422, true]);
  });
});

describe('the inbox', () => {
  it('lists what waits for its reader, what waits for others, and nothing of another workspace', async () => {
    const things = await atApproval(here, 'inbox-one');
    const [sam, bea, eve] = [await signedIn(here, 'sam'), await signedIn(here, 'bea'), await signedIn(here, 'eve')];
    const mine = (await sam.get('/')).text;
    expect(mine.indexOf(pageOf(things))).toBeLessThan(mine.indexOf('Waiting for somebody else') >>> 0);
    const own = (await bea.get('/')).text;
    expect(own.indexOf(pageOf(things))).toBeGreaterThan(own.indexOf('Waiting for somebody else'));
    expect((await eve.get('/')).text).not.toContain('inbox-one');
    await sam.post(pageOf(things), voteForm(things.digests));
    const after = (await sam.get('/')).text;
    expect(after.indexOf(pageOf(things))).toBeGreaterThan(after.indexOf('Waiting for somebody else'));
  });

  it('is asked for before anybody is known', async () => {
    expect((await openBrowser(here.fastify).get('/')).headers['location']).toBe('/login?to=%2F');
  });
});

describe('an emergency on the page', () => {
  const source = policySource
    .replace('policy: careful', 'policy: with-glass')
    .replace('count: 2', 'count: 2\n    breakGlass: { from: group/security }');
  let things: Things;

  beforeAll(async () => {
    const policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
    things = await atApproval(here, 'page-glass', { policy });
  });

  const glass = (step = '') => `${pageOf(things)}/break-glass${step}`;
  const key = () => ({ key: randomUUID() });

  it('is offered only where the policy has a glass to break', async () => {
    const browser = await signedIn(here, 'bea');
    expect((await browser.get(pageOf(things))).text).toContain('In an emergency');
    expect((await browser.get(pageOf(await atApproval(here, 'page-no-glass')))).text).not.toContain('In an emergency');
  });

  it('wants somebody who has just signed in, a reason, and two others', async () => {
    const bea = await signedIn(here, 'bea');
    const silent = await bea.post(glass(), { ...key(), minutes: '30', reason: '' });
    expect([silent.status, silent.text]).toEqual([422, expect.stringContaining('Say why')]);
    expect((await bea.post(glass(), { ...key(), minutes: '30', reason: 'customers cannot log in' })).status).toBe(303);
    const asked = await bea.get(pageOf(things));
    expect(asked.text).toContain('The glass was asked to be broken');
    const { artifactDigest } = things.digests;
    const own = await bea.post(glass('/approve'), { ...key(), reason: '', artifactDigest });
    expect([own.status, own.text]).toEqual([403, expect.stringContaining('your own work')]);
    for (const who of ['sam', 'kim'] as const) {
      const browser = await signedIn(here, who);
      expect((await browser.get(pageOf(things))).text).toContain('Agree to break the glass');
      expect((await browser.post(glass('/approve'), { ...key(), reason: '', artifactDigest })).status).toBe(303);
    }
    expect((await bea.get(pageOf(things))).text).toContain('The glass was broken on');
  });

  it('is reviewed by somebody who had no part in it', async () => {
    const sam = await signedIn(here, 'sam');
    const own = await sam.post(glass('/review'), { ...key(), reason: 'all well' });
    expect([own.status, own.text]).toEqual([403, expect.stringContaining('You had a part in it')]);
    const petra = await signedIn(here, 'petra');
    expect((await petra.get(pageOf(things))).text).toContain('Record the review');
    expect((await petra.post(glass('/review'), { ...key(), reason: 'all well' })).status).toBe(303);
    expect((await petra.get(pageOf(things))).text).not.toContain('Record the review');
  });
});
