import { randomUUID } from 'node:crypto';
import { type FakeGitHub, startFakeGitHub } from '@proviso/testkit';
import { type Browser, signedIn } from './browser.contract.ts';
import {
  type Actor,
  type Deployment,
  atApproval,
  openDeployment,
  pickText,
  registered,
} from './deployment.contract.ts';
import { identityOf } from './identity.ts';

let here: Deployment;
let github: FakeGitHub;

const sha = 'c0ffee'.padEnd(40, '0');
const author = { name: 'Whoever', email: 'whoever@elsewhere.example', account: { login: 'kim-codes', id: 4_242 } };

beforeAll(async () => {
  const commits = [{ sha, message: 'add a bot', files: { 'main.js': 'let a;' }, author }];
  github = await startFakeGitHub({ 'team/app': { commits, references: { main: sha } } });
  here = await openDeployment({ githubApi: github.baseUrl });
});

afterAll(async () => {
  await here.close();
  await github.close();
});

const dayMs = 86_400_000;

/** The mark that a person's own page shows them. */
async function markOf(browser: Browser): Promise<string> {
  return /<code>(proviso-[0-9a-f]+)<\/code>/.exec((await browser.get('/account')).text)?.[1] ?? '';
}

async function link(browser: Browser, login: string) {
  await browser.get('/account');
  return await browser.post('/account/github', { key: randomUUID(), login });
}

const holderOf = (number: number) =>
  here.parts.journal.principalOfIdentity(identityOf({ issuer: 'github', subject: String(number) }, here.parts.config));

describe('an account at GitHub', () => {
  it('is linked by its number, to whom its profile shows to be theirs, and to nobody else', async () => {
    const [kim, sam] = [await signedIn(here, 'kim'), await signedIn(here, 'sam')];
    const mark = await markOf(kim);
    github.profiles.set('kim-codes', { id: 4_242, bio: null });
    const early = await link(kim, 'kim-codes');
    expect([early.status, early.text.includes('Expected your mark')]).toEqual([422, true]);
    github.profiles.set('kim-codes', { id: 4_242, bio: `likes tea ${mark} and cake` });
    expect((await link(sam, 'kim-codes')).status).toBe(422);
    expect((await link(kim, 'nobody-there')).status).toBe(422);
    expect(await holderOf(4_242)).toBeNull();
    expect((await link(kim, 'kim-codes')).status).toBe(303);
    expect(await holderOf(4_242)).toMatchObject({ person: here.people.kim });
    expect((await kim.get('/account')).text).toContain('<li>GitHub');
    github.profiles.set('kim-codes', { id: 4_242, bio: `${mark} ${await markOf(sam)}` });
    const taken = await link(sam, 'kim-codes');
    expect([taken.status, taken.text.includes('linked to another person')]).toEqual([409, true]);
  });

  it('excludes its person from what a commit of that number is in, whatever address the commit names', async () => {
    const { prototype, policy } = await registered(here, 'by-number');
    const source = { version: 'h1', github: { owner: 'team', repository: 'app', commit: 'main' } };
    const frozen = await here.post('bea', `/v1/prototypes/${prototype}/candidates`, source);
    const candidate = pickText(frozen.body, 'candidate', 'id');
    const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    const view = await here.parts.journal
      .reads(here.workspace)
      .promotion(pickText(opened.body, 'id') as `prm_${string}`);
    expect(view?.state.exclusions).toContainEqual({ person: here.people.kim, why: 'author' });
    expect(opened.body['unknownAuthors']).toBe(0);
  });

  it('that GitHub does not tell about is not linked, and nothing is recorded', async () => {
    const max = await signedIn(here, 'max');
    await max.get('/account');
    github.setFault({ kind: 'status', status: 500 });
    const answer = await max.post('/account/github', { key: randomUUID(), login: 'kim-codes' });
    github.setFault(undefined);
    expect([answer.status, answer.text.includes('stack')]).toEqual([503, false]);
    expect((await max.post('/account/github', { key: randomUUID(), login: '../users' })).status).toBe(422);
  });

  it('is taken away by its person, who is signed out everywhere then', async () => {
    const kim = await signedIn(here, 'kim');
    const { text } = await kim.get('/account');
    const subject = /name="subject" value="([^"]+)"/.exec(text)?.[1] ?? '';
    expect((await kim.post('/account/unlink', { key: randomUUID(), issuer: 'github', subject })).status).toBe(303);
    expect(await holderOf(4_242)).toBeNull();
    expect((await kim.get('/account')).status).toBe(302);
  });
});

describe('a right to vote', () => {
  const days = (count: number) => new Date(Date.now() + count * dayMs).toISOString();

  it('is given and taken back at the page, by who has one, to people who are listed there', async () => {
    const sam = await signedIn(here, 'sam');
    const { text } = await sam.get('/account');
    expect(text).toContain(`<option value="${here.people.nil}">Name of nil</option>`);
    expect(text).not.toContain(`<option value="${here.people.sam}">`);
    expect(text).not.toContain(`<option value="${here.people.edge}">`);
    const form = { key: randomUUID(), person: here.people.nil, until: days(7), reason: 'away' };
    expect((await sam.post('/account/delegations', form)).status).toBe(303);
    expect((await sam.get('/account')).text).toContain('<li>Name of nil, until');
    const { decisions, digests } = await atApproval(here, 'by-delegate');
    expect((await here.post('nil', decisions, { verdict: 'approve', ...digests })).status).toBe(201);
    const again = await sam.post('/account/delegations', { ...form, key: randomUUID() });
    expect([again.status, again.text.includes('already')]).toEqual([409, true]);
    const back = { key: randomUUID(), person: here.people.nil };
    expect((await sam.post('/account/delegations/end', back)).status).toBe(303);
    expect((await sam.get('/account')).text).toContain('Nobody.');
  });

  it('is nobody’s to give without one, and who has none sees nobody', async () => {
    for (const actor of ['nil', 'petra'] as const satisfies readonly Actor[]) {
      const browser = await signedIn(here, actor);
      const { status, text } = await browser.get('/account');
      expect([actor, status, text.includes('in your stead'), text.includes('Name of sam')]).toEqual([
        ...[actor, 200, false, false],
      ]);
      const form = { key: randomUUID(), person: here.people.sam, until: days(7), reason: '' };
      expect((await browser.post('/account/delegations', form)).status).toBe(403);
    }
  });
});

describe('the page of one’s account', () => {
  it('changes nothing for a browser that was left open', async () => {
    const late = await openDeployment({ githubApi: github.baseUrl });
    try {
      const browser = await signedIn(late, 'sam');
      const { now } = late.parts;
      Object.assign(late.parts, { now: () => now() + 6 * 60_000 });
      const page = await browser.get('/account');
      expect(page.text).toContain('Sign in again for this');
      const form = { key: randomUUID(), person: late.people.nil, until: new Date(Date.now() + dayMs).toISOString() };
      const answer = await browser.post('/account/delegations', { ...form, reason: '' });
      expect([answer.status, answer.text.includes('step_up_required')]).toEqual([403, true]);
    } finally {
      await late.close();
    }
  });
});
