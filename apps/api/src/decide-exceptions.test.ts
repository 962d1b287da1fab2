import { randomUUID } from 'node:crypto';
import { type Browser, signedIn } from './browser.contract.ts';
import {
  type Deployment,
  atApproval,
  openDeployment,
  passByWorker,
  pickText,
  policySource,
  registered,
} from './deployment.contract.ts';

let here: Deployment;
let policy: string;

beforeAll(async () => {
  here = await openDeployment();
  const source = policySource
    .replace('policy: careful', 'policy: with-waivers')
    .replace('count: 2', 'count: 2\n    waivers: { from: role/operator, maxDays: 10 }');
  policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
});

afterAll(async () => {
  await here.close();
});

/** The ends that a page offers for something. */
async function endsOn(browser: Browser, page: string, id: string): Promise<readonly string[]> {
  const { text } = await browser.get(page);
  const field = new RegExp(`<select id="${id}"[^]*?</select>`).exec(text)?.[0] ?? '';
  return [...field.matchAll(/<option value="([^"]+)"/g)].map(([, end = '']) => end);
}

describe('"not now" at the page', () => {
  it('is offered until the gate ends and no longer, recorded once, and told to everybody', async () => {
    const { gate } = await atApproval(here, 'page-put-off', { policy });
    const [browser, page] = [await signedIn(here, 'sam'), `/decide/${gate}`];
    const ends = await endsOn(browser, page, 'defer-until');
    // The gate ends in a week: one, two and three days.
    expect(ends).toHaveLength(3);
    const form = { key: randomUUID(), reason: '', attempt: '1', until: ends[1] ?? '' };
    const twice = [await browser.post(`${page}/defer`, form), await browser.post(`${page}/defer`, form)];
    expect(twice.map(({ status }) => status)).toEqual([303, 303]);
    const { body } = await here.ask('aud', 'GET', `/v1/gates/${gate}`);
    expect(body).toMatchObject({ decisions: [], deferred: { until: form.until, by: { name: 'Name of sam' } } });
    expect((await browser.get(page)).text).toContain('Name of sam has put it off until');
    const late = await browser.post(`${page}/defer`, { ...form, key: randomUUID(), until: '2100-01-01T00:00:00Z' });
    expect([late.status, late.text.includes('data-code="until_invalid"')]).toEqual([422, true]);
  });

  it('is not offered to who has no vote there, and not taken from them', async () => {
    const { gate } = await atApproval(here, 'page-no-put-off', { policy });
    for (const actor of ['bea', 'petra'] as const) {
      const browser = await signedIn(here, actor);
      expect((await browser.get(`/decide/${gate}`)).text).not.toContain('Not now');
      const form = { key: randomUUID(), reason: '', attempt: '1', until: '2100-01-01T00:00:00Z' };
      expect((await browser.post(`/decide/${gate}/defer`, form)).status).toBe(403);
    }
  });
});

describe('a waiver at the page', () => {
  async function failed(name: string) {
    const things = { ...(await registered(here, name)), policy };
    const promotion = pickText((await here.post('bea', '/v1/promotions', things)).body, 'id') as `prm_${string}`;
    await passByWorker(here, promotion, 'readiness', 'fail');
    const id = promotion.slice('prm_'.length);
    return { page: `/decide/gate_${id}-approval`, gate: `/v1/gates/gate_${id}-readiness` };
  }

  it('is asked for by one, waits for another in their inbox, and is agreed to by them', async () => {
    const { page, gate } = await failed('page-waived');
    const [bea, olga] = [await signedIn(here, 'bea'), await signedIn(here, 'olga')];
    const ends = await endsOn(bea, page, 'waiver-until');
    // Within the ten days that the policy allows: one, two, three and seven.
    expect(ends).toHaveLength(4);
    const asking = { gate: 'readiness', attempt: '1', finding: '', until: ends[3] ?? '', reason: 'known and small' };
    const silent = await bea.post(`${page}/waivers`, { ...asking, key: randomUUID(), reason: '' });
    expect([silent.status, silent.text.includes('data-code="reason_required"')]).toEqual([422, true]);
    expect((await bea.post(`${page}/waivers`, { ...asking, key: randomUUID() })).status).toBe(303);
    expect((await bea.get(page)).text).not.toContain('Agree to let it pass');
    expect((await olga.get('/')).text.split('Waiting for somebody else')[0]).toContain('page-waived');
    const shown = (await olga.get(page)).text;
    expect(shown).toContain('Agree to let it pass');
    const waiver = /name="waiver" value="([^"]+)"/.exec(shown)?.[1] ?? '';
    expect((await olga.post(`${page}/waivers/approve`, { key: randomUUID(), reason: '', waiver })).status).toBe(303);
    const { body } = await here.ask('aud', 'GET', gate);
    expect(body).toMatchObject({
      ...{ status: 'passed', verdict: 'waived' },
      waivers: [{ owner: { name: 'Name of bea' }, approvedBy: { name: 'Name of olga' } }],
    });
  });

  it('of a finding that the page did not name is a mistake, and of one that is not there a no', async () => {
    const { page } = await failed('page-findings');
    const bea = await signedIn(here, 'bea');
    const [until = ''] = await endsOn(bea, page, 'waiver-until');
    const tries = ['{', '{"code":"x","more":1}', '{"code":"nothing_of_the_kind"}'].map(async (finding) => {
      const form = { key: randomUUID(), gate: 'readiness', attempt: '1', finding, until, reason: 'small' };
      return (await bea.post(`${page}/waivers`, form)).status;
    });
    expect(await Promise.all(tries)).toEqual([422, 422, 404]);
  });
});
