import { join } from 'node:path';
import { freePort } from '@proviso/servers';
import { findChromium } from '@proviso/testkit';
import { type Page, launch } from 'puppeteer-core';
import { type Deployment, atApproval, openDeployment, passByWorker, pick, pickText } from './deployment.contract.ts';
import { type TestProvider, startProvider } from './provider.contract.ts';

let publicUrl: string;
let provider: TestProvider;
let here: Deployment;

beforeAll(async () => {
  const port = await freePort();
  publicUrl = `http://127.0.0.1:${port}`;
  provider = await startProvider(publicUrl);
  here = await openDeployment({ publicUrl, oidc: provider.oidc });
  await here.app.listen(port, '127.0.0.1');
});

afterAll(async () => {
  await here.close();
  await provider.close();
});

/** Fills in the provider's own pages until they lead back to us. */
async function provePerson(page: Page, name: string): Promise<void> {
  while (!page.url().startsWith(publicUrl)) {
    if ((await page.$('input[name=login]')) !== null) {
      await page.type('input[name=login]', name);
      await page.type('input[name=password]', 'any');
    }
    await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  }
}

async function press(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function textOf(page: Page): Promise<string> {
  return await page.$eval('main', (main) => main.innerText);
}

/** Keeps what was seen where somebody wants to look at it. */
async function keep(page: Page, name: string): Promise<void> {
  const folder = process.env['PROVISO_SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

it('in a real browser somebody signs in, approves freshly signed in, comments, and is refused their own work', async () => {
  const executablePath = findChromium();
  if (executablePath === null) return void process.stderr.write('pages were not looked at: there is no chromium\n');
  const browser = await launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    await page.setJavaScriptEnabled(false);
    await page.goto(publicUrl);
    await provePerson(page, 'nova');
    expect(await textOf(page)).toContain('You have no role here yet');
    await keep(page, 'no-role');

    const nova = await waitingPerson('Nova of the provider');
    for (const role of [{ role: 'builder' }, { role: 'approver', group: 'security' }])
      await here.post('ada', `/v1/people/${nova}/roles`, role);
    const things = await atApproval(here, 'help-desk');
    await page.goto(publicUrl);
    expect(await textOf(page)).toContain('help-desk v1');
    await keep(page, 'inbox');
    // Six minutes pass for the API while the page is fetched: a browser that was left open.
    const { now } = here.parts;
    Object.assign(here.parts, { now: () => now() + 6 * 60_000 });
    await press(page, 'section a');
    Object.assign(here.parts, { now });
    expect(await textOf(page)).toContain('Sign in again to decide');
    await keep(page, 'stale');
    await press(page, 'a.go');
    await provePerson(page, 'nova');
    expect(await textOf(page)).toContain('You are freshly signed in until');
    await keep(page, 'decide');
    await page.setViewport({ width: 390, height: 800 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await keep(page, 'decide-dark-390');
    await press(page, 'button[value=approve]');
    expect(await textOf(page)).toContain('You have approved on');
    await keep(page, 'approved');
    await page.click('section:has(#comment) summary');
    await page.type('#comment', 'Looked at it.\n<b>Passed</b>');
    await press(page, 'section:has(#comment) button');
    expect(await textOf(page)).toMatch(/Nova of the provider on [^]*UTC\s+Looked at it\.\n<b>Passed<\/b>/);
    await keep(page, 'commented');

    await page.goto(`${publicUrl}/decide/${await ownGate(nova, things)}`);
    expect(await textOf(page)).toContain('You cannot decide this.');
    await keep(page, 'own-work');
    await press(page, 'header button');
    expect(await textOf(page)).toContain('You are signed out');
  } finally {
    await browser.close();
  }
}, 60_000);

async function waitingPerson(name: string): Promise<string> {
  const { body } = await here.ask('ada', 'GET', '/v1/people?limit=100');
  const items = body['items'] as readonly { readonly id: string; readonly name: string }[];
  return items.find((one) => one.name === name)?.id ?? '';
}

/** The gate of a promotion that this person asked for. */
async function ownGate(
  person: string,
  { prototype, candidate, policy }: Awaited<ReturnType<typeof atApproval>>,
): Promise<string> {
  const lent = await here.post('ada', `/v1/people/${person}/tokens`, {});
  const headers = { authorization: `Bearer ${pickText(lent.body, 'token')}` };
  const opened = await here.ask(null, 'POST', '/v1/promotions', { headers, payload: { prototype, candidate, policy } });
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'readiness');
  const { body } = await here.ask('ada', 'GET', `/v1/promotions/${promotion}`);
  const gates = pick(body, 'gates') as readonly { readonly id: string; readonly name: string }[];
  return gates.find(({ name }) => name === 'approval')?.id ?? '';
}
