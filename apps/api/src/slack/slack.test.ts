import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buttonsOf, signedAsSlack } from '@proviso/testkit';
import pg from 'pg';
import { signedIn } from '../browser.contract.ts';
import { hashOfToken } from '../hash-of-token.ts';
import { sealedNotes } from '../sealed-note.ts';
import {
  type Deployment,
  archiveOf,
  atApproval,
  formOf,
  pick,
  pickText,
  policySource,
} from '../deployment.contract.ts';
import type { SlackLinking } from './slack-link.ts';
import {
  type SlackGround,
  asking,
  linkTo,
  liveButtons,
  mainChannel,
  messagesAbout,
  openSlackGround,
  securityChannel,
  until,
  valueIn,
  withValue,
} from './slack.contract.ts';

let ground: SlackGround;
let here: Deployment;

beforeAll(async () => {
  ground = await openSlackGround();
  here = ground.here;
});

afterAll(async () => {
  await ground.close();
});

async function gateOf({ gate }: { readonly gate: string }) {
  return (await here.ask('aud', 'GET', `/v1/gates/${gate}`)).body;
}

async function sql({ superuserUrl }: Deployment, text: string, values: readonly unknown[]) {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    return await client.query<Record<string, unknown>>(text, [...values]);
  } finally {
    await client.end();
  }
}

async function asked(name: string) {
  const scene = await atApproval(here, name);
  const message = await until(() => asking(ground.slack, scene.promotion));
  return { ...scene, message };
}

describe('a prompt', () => {
  it('says what is asked, and where a group has a place of its own it stands there, too', async () => {
    const { message, promotion } = await asked('first-prompt');
    expect(message.text).toMatch(/^Promote “first-prompt” v1 to production\? Waiting for Security \(0 of 2\) since /);
    expect(liveButtons(message)).toEqual(['approve', 'request_changes', 'reject', 'delegate']);
    await until(() => asking(ground.slack, promotion, securityChannel));
    const thread = messagesAbout(ground.slack, promotion).filter(({ thread }) => thread !== null);
    expect(thread.map(({ broadcast }) => broadcast)).toEqual(expect.arrayContaining([true, false]));
    expect(ground.slack.complaints).toEqual([]);
  });

  it('is answered by two presses, and every copy says so within two seconds, without a button', async () => {
    const scene = await asked('two-presses');
    await until(() => asking(ground.slack, scene.promotion, securityChannel));
    const one = ground.member('sam').press(scene.message, 'approve');
    expect(await one.send()).toMatchObject({ status: 200 });
    expect(await one.told()).toBe('Recorded.');
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', requirements: [{ have: 1 }] });
    const other = ground.member('kim').press(scene.message, 'approve');
    await other.send();
    const decidedAt = Date.now();
    expect(await other.told()).toBe('Recorded: the gate has passed.');
    expect(await gateOf(scene)).toMatchObject({ status: 'passed' });
    await until(() =>
      messagesAbout(ground.slack, scene.promotion).every((message) => liveButtons(message).length === 0),
    );
    const copies = messagesAbout(ground.slack, scene.promotion);
    const asks = copies.filter(({ text }) => text.endsWith(': approved.'));
    expect(asks.map(({ channel }) => channel).toSorted()).toEqual([mainChannel, securityChannel]);
    expect(Math.max(...copies.map(({ at }) => at)) - decidedAt).toBeLessThan(2_000);
  });
});

it('what people would be asked is told to every reader, without a button that could be pressed', async () => {
  const scene = await asked('shown-elsewhere');
  const { status, body } = await here.ask('aud', 'GET', `/v1/gates/${scene.gate}/prompts`);
  expect({ status, channel: pick(body, 'items', 0, 'channel') }).toEqual({ status: 200, channel: 'slack' });
  const lines = pick(body, 'items', 0, 'lines') as readonly string[];
  expect(lines[0]).toBe(scene.message.text);
  expect(lines.at(-1)).toBe('[Approve] [Request changes] [Reject] [Delegate] [Review]');
  expect(lines.join(' ')).toContain(`/decide/${scene.gate}`);
  for (const actor of ['sam', 'kim'] as const)
    await here.post(actor, scene.decisions, { verdict: 'approve', ...scene.digests });
  expect((await here.ask('aud', 'GET', `/v1/gates/${scene.gate}/prompts`)).body).toEqual({ items: [] });
});

describe('a press of somebody else', () => {
  it('is refused with its reason, and who could', async () => {
    const scene = await asked('refused-presses');
    const says = async (actor: 'bea' | 'olga' | 'sam', action = 'approve') => {
      const deed = ground.member(actor).press(scene.message, action);
      expect((await deed.send()).status).toBe(200);
      return await deed.told();
    };
    expect(await says('bea')).toMatch(/^This is your own work.*\(own_work\)$/);
    expect(await says('olga')).toMatch(/^You may not do this.*Who can: Security\. \(not_permitted\)$/);
    expect(await says('sam')).toBe('Recorded.');
    expect(await says('sam')).toMatch(/^You have decided already.*\(already_decided\)$/);
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', decisions: [{ verdict: 'approve' }] });
  });

  it('who is not linked, or a guest, is refused and told why', async () => {
    const { message, ...scene } = await asked('strangers-press');
    for (const [member, words] of [
      [ground.slack.member('U0NOBODY'), /^Your Slack account is not linked .*\/slack\/link$/],
      // The same id in another team is another person, whatever the team calls them.
      [ground.slack.member('U0SAM', 'T0GUEST'), /^Guests of another Slack team/],
    ] as const) {
      for (const action of ['approve', 'reject', 'delegate']) {
        const deed = member.press(message, action);
        await deed.send();
        expect(await deed.told()).toMatch(words);
      }
    }
    expect(await gateOf(scene)).toMatchObject({ status: 'waiting', decisions: [] });
  });

  it('on a copy that is older than what it is about is refused, and names the newest version', async () => {
    const { message, promotion, prototype, policy } = await asked('old-copy');
    const form = formOf('v2', archiveOf('another old-copy'));
    const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
    const candidate = pickText(frozen.body, 'candidate', 'id');
    expect((await here.post('bea', '/v1/promotions', { prototype, candidate, policy })).status).toBe(201);
    const deed = ground.member('sam').press(message, 'approve');
    await deed.send();
    expect(await deed.told()).toMatch(
      /^A newer version has taken its place.*The newest version is v2\. \(superseded\)$/,
    );
    await until(() => messagesAbout(ground.slack, promotion).every((one) => liveButtons(one).length === 0));
    const texts = messagesAbout(ground.slack, promotion).map(({ text }) => text);
    expect(texts).toContain('“old-copy” v1: superseded by a newer version.');
  });
});

describe('a press that was tampered with', () => {
  it('is recorded, and nothing is said where its answer was to lead, when that is no address of Slack', async () => {
    const scene = await asked('answer-elsewhere');
    const heard: string[] = [];
    const stranger = createServer((request, response) => {
      heard.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    const { body } = ground.member('sam').press(scene.message, 'approve').request;
    const payload = JSON.parse(new URLSearchParams(body).get('payload') ?? '') as object;
    for (const url of [`http://127.0.0.1:${port}/a`, 'file:///etc/passwd', 'https://hooks.slack.com.evil.example/x']) {
      const again = new URLSearchParams({ payload: JSON.stringify({ ...payload, response_url: url }) }).toString();
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        ...signedAsSlack(ground.slack.signingSecret, again),
      };
      expect((await fetch(ground.slack.eventsUrl, { method: 'POST', body: again, headers })).status).toBe(200);
    }
    await here.parts.slack?.idle();
    stranger.close();
    expect([heard, pick(await gateOf(scene), 'decisions')]).toEqual([
      [],
      [expect.objectContaining({ verdict: 'approve' })],
    ]);
  });

  it('with what stood there before is about that, and not about what stands there now', async () => {
    const scene = await asked('shown-before');
    const [token = '', attempt = '', artifact = '', evidence = ''] = valueIn(scene.message).split(' ');
    const other = `sha256:${'1'.repeat(64)}`;
    for (const [shown, code] of [
      [[token, attempt, artifact, other], 'stale_evidence'],
      [[token, attempt, other, evidence], 'stale_evidence'],
      [[token, '2', artifact, evidence], 'stale_attempt'],
    ] as const) {
      const deed = ground.member('sam').press(withValue(scene.message, shown.join(' ')), 'approve');
      await deed.send();
      expect(await deed.told()).toContain(`(${code})`);
    }
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });

  it('with what stood on a message of another workspace, or of another channel, is about nothing of ours', async () => {
    const scene = await asked('copied-value');
    const sam = ground.member('sam');
    const { workspace: there } = (await here.parts.journal.principalOfToken(hashOfToken(here.tokens.eve))) ?? {
      workspace: 'wsp_' as const,
    };
    for (const register of [
      here.parts.journal.prompts(there, 'slack'),
      here.parts.journal.prompts(here.workspace, 'github'),
    ]) {
      const token = randomBytes(32).toString('base64url');
      const wish = { key: token, promotion: scene.promotion, conversation: 'C9', thread: null, once: false, token };
      const epoch = (await register.lease(token, 60_000))?.epoch ?? 0;
      const cursor = { incarnation: 'x', position: 0 };
      expect(await register.advance(epoch, { cursor, named: [], prototypes: [], all: false, wishes: [wish] })).toBe(
        true,
      );
      expect(await register.byToken(token)).not.toBeNull();
      const [, ...rest] = valueIn(scene.message).split(' ');
      const deed = sam.press(withValue(scene.message, [token, ...rest].join(' ')), 'approve');
      await deed.send();
      expect(await deed.told()).toMatch(/^This message is none of ours any more/);
    }
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });
});

describe('a form', () => {
  it('that was open while the gate was closed or asked anew is about what it was opened on', async () => {
    const scene = await asked('form-left-open');
    const [sam, kim] = [ground.member('sam'), ground.member('kim')];
    const [opening, other] = [sam.press(scene.message, 'reject'), kim.press(scene.message, 'request_changes')];
    await opening.send();
    await other.send();
    expect(toldIn(await kim.submit(other.form(), { reason: 'shorter' }).send())).toBe('Recorded.');
    const late = await sam.submit(opening.form(), { reason: 'no' }).send();
    expect(toldIn(late)).toMatch(/^This gate is closed: nothing was recorded\..*\(gate_closed\)$/);
    expect(await gateOf(scene)).toMatchObject({ decisions: [{ verdict: 'request_changes' }] });
  });

  it('that two people send counts for each of them by their own rights', async () => {
    const scene = await asked('one-form-for-two');
    const sam = ground.member('sam');
    const opening = sam.press(scene.message, 'reject');
    await opening.send();
    const fields = { reason: 'no' };
    expect(toldIn(await ground.member('olga').submit(opening.form(), fields).send())).toMatch(/\(not_permitted\)$/);
    expect(toldIn(await sam.submit(opening.form(), fields).send())).toBe('Recorded.');
    expect(toldIn(await ground.member('kim').submit(opening.form(), fields).send())).toMatch(/\([a-z_]+\)$/);
    expect(await gateOf(scene)).toMatchObject({ status: 'rejected', decisions: [{ verdict: 'reject' }] });
  });

  it.each([
    ['reject', 'rejected', 'rejected: not approved.'],
    ['request_changes', 'changes_requested', 'an approver asked for changes.'],
  ])('%s wants a reason, and keeps it where people of here read it', async (action, status, words) => {
    const scene = await asked(`form-${action.replaceAll('_', '-')}`);
    const sam = ground.member('sam');
    const opening = sam.press(scene.message, action);
    await opening.send();
    const empty = await sam.submit(opening.form(), { reason: '  ' }).send();
    expect(empty.body).toMatchObject({ response_action: 'errors', errors: { reason: expect.any(String) } });
    const reason = 'The answers are <!here> too long.\nShorter, please.';
    const sent = sam.submit(opening.form(), { reason });
    const [first, again] = [await sent.send(), await sent.send()];
    expect([first, again].map(toldIn)).toEqual(['Recorded.', 'Recorded.']);
    expect(await gateOf(scene)).toMatchObject({ status, decisions: [{ verdict: action }] });
    const history = await here.ask('aud', 'GET', `/v1/promotions/${scene.promotion}/history`);
    expect(JSON.stringify(history.body)).toContain('too long');
    await until(() => messagesAbout(ground.slack, scene.promotion).some(({ text }) => text.endsWith(words)));
    expect(JSON.stringify(ground.slack.messages())).not.toContain('too long');
  });

  it('delegate gives one’s own right on to a linked person, for this prototype', async () => {
    const scene = await asked('form-delegate');
    const sam = ground.member('sam');
    const opening = sam.press(scene.message, 'delegate');
    await opening.send();
    const unknown = await sam.submit(opening.form(), { user: 'U0NOBODY', days: '7' }).send();
    expect(unknown.body).toMatchObject({ response_action: 'errors', errors: { user: expect.any(String) } });
    expect(toldIn(await sam.submit(opening.form(), { user: 'U0OLGA', days: '7' }).send())).toBe('Recorded.');
    const press = ground.member('olga').press(scene.message, 'approve');
    await press.send();
    expect(await press.told()).toBe('Recorded.');
    const rightOf = { id: here.people.sam };
    expect(await gateOf(scene)).toMatchObject({ decisions: [{ person: { id: here.people.olga }, rightOf }] });
  });
});

function toldIn({ body }: { readonly body: unknown }): unknown {
  return pick(body, 'view', 'blocks', 0, 'text', 'text');
}

describe('a gate that is not decided in Slack', () => {
  it.each([
    ['wants a fresh sign-in', 'stepUp: true', 'step_up_required'],
    ['names other channels', 'channels: [page, rest]', 'channel_not_allowed'],
  ])('and %s has only the way to its page, and refuses a forged button', async (_, line, code) => {
    const source = policySource.replace('policy: careful', `policy: ${code.replaceAll('_', '-')}`);
    const strict = source.replace('    requirements:', `    ${line}\n    requirements:`);
    const policy = pickText((await here.post('petra', '/v1/policies', { source: strict })).body, 'id');
    const scene = await atApproval(here, `only-${code.replaceAll('_', '-')}`, { policy });
    const shown = await until(() =>
      messagesAbout(ground.slack, scene.promotion).find(({ text }) => text.startsWith('Promote')),
    );
    expect(buttonsOf(shown.blocks).map(({ action_id, text }) => [action_id, text.text])).toEqual([
      ['open', 'Review and approve'],
    ]);
    // Somebody who could make Slack send a button that never stood there gets no further.
    const { rows } = await sql(here, 'select token from proviso.prompt where promotion = $1', [scene.promotion]);
    const { artifactDigest, evidenceDigest } = scene.digests;
    const value = [rows[0]?.['token'], 1, artifactDigest, evidenceDigest].join(' ');
    const deed = ground.member('sam').press(withValue(shown, value), 'approve');
    await deed.send();
    expect(await deed.told()).toMatch(new RegExp(`Decide here: .*/decide/gate_.*\\(${code}\\)$`));
    expect(await gateOf(scene)).toMatchObject({ decisions: [] });
  });
});

describe('/proviso', () => {
  it('link: what the page shows to who is freshly signed in makes an account theirs, once', async () => {
    await asked('under-way');
    const browser = await signedIn(here, 'petra');
    const page = await browser.get('/slack/link');
    expect((await browser.get('/account')).text).toContain('<a href="/slack/link">');
    const code = /data-command>\/proviso (link [A-Za-z0-9_-]+)</.exec(page.text)?.[1] ?? '';
    const guest = await ground.slack.member('U0PETRA', 'T0GUEST').type(code).send();
    expect(guest.body).toMatchObject({ text: 'Guests of another Slack team are not linked here.' });
    const petra = ground.slack.member('U0PETRA');
    const typed = petra.type(code);
    expect((await typed.send()).body).toMatchObject({ text: expect.stringMatching(/^Your Slack account is linked/) });
    expect((await typed.send()).body).toMatchObject({ text: expect.stringMatching(/^Your Slack account is linked/) });
    const thief = await ground.slack.member('U0THIEF').type(code).send();
    expect(thief.body).toMatchObject({ text: expect.stringMatching(/^Not linked: expected what the page shows now/) });
    const changed = await ground.slack.member('U0THIEF').type(`${code}x`).send();
    expect(changed.body).toMatchObject({ text: expect.stringMatching(/^Not linked/) });
    const status = await petra.type('status').send();
    expect(status.body).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('/decide/gate_') });
    expect((await petra.type('unlink').send()).body).toMatchObject({ text: expect.stringContaining('not linked any') });
    expect((await petra.type('status').send()).body).toMatchObject({ text: expect.stringContaining('is not linked') });
  });

  it('link: a code is good for five minutes, and shown to nobody who has not just signed in', async () => {
    const { vaultKeyHex } = here.parts.config;
    const [workspace, person, key] = [here.workspace, here.people.aud, randomBytes(8).toString('hex')];
    const noteOf = (authenticatedAt: number) => ({ workspace, person, key, authenticatedAt });
    const links = here.parts.slack?.links;
    const later = (ms: number) =>
      sealedNotes<SlackLinking>({ vaultKeyHex, purpose: 'slack-link', validMs: 0, now: () => Date.now() + ms });
    const code = links?.seal(noteOf(Date.now())) ?? '';
    expect([later(4 * 60_000).open(code), later(5 * 60_000 + 1).open(code)]).toEqual([expect.anything(), null]);
    const past = later(-1).seal(noteOf(Date.now()));
    const told = await ground.slack.member('U0AUD').type(`link ${past}`).send();
    expect(pickText(told.body, 'text')).toMatch(/^Not linked: expected what the page shows now/);
    const browser = await signedIn(here, 'aud');
    const { now } = here.parts;
    Object.assign(here.parts, { now: () => now() + 6 * 60_000 });
    const { text } = await browser.get('/slack/link');
    Object.assign(here.parts, { now });
    expect([text.includes('Sign in again'), text.includes('data-command')]).toEqual([true, false]);
  });

  it('status of one prototype, help, and nothing that nobody knows', async () => {
    await asked('named-one');
    const sam = ground.member('sam');
    const one = await sam.type('status Named-One').send();
    expect(pickText(one.body, 'text')).toMatch(/^“named-one” v1: Waiting for Security/);
    expect((await sam.type('status <!here>').send()).body).toMatchObject({
      text: 'Nothing of “‹!here›” is under way.',
    });
    for (const words of ['help', '', 'drop everything'])
      expect(pickText((await sam.type(words).send()).body, 'text')).toContain('/proviso status');
  });
});

describe('the home of the app', () => {
  it('shows what waits for its reader, and the way to be known to who is not', async () => {
    await asked('in-the-inbox');
    await ground.member('sam').openHome().send();
    const home = await until(() => ground.slack.homes.get('U0SAM'));
    expect(JSON.stringify(home)).toContain('“in-the-inbox” v1: Waiting for Security');
    await ground.slack.member('U0NEW').openHome().send();
    expect(JSON.stringify(await until(() => ground.slack.homes.get('U0NEW')))).toContain('/slack/link');
    // A guest sees nothing, and who has no role nothing of anybody's.
    await ground.slack.member('U0GUEST', 'T0GUEST').openHome().send();
    await linkTo(here, here.people.nil, { team: 'T0HOME', user: 'U0NIL' });
    await ground.slack.member('U0NIL').openHome().send();
    const blank = await until(() => ground.slack.homes.get('U0NIL'));
    expect(JSON.stringify(blank)).toMatch(/Nothing waits for your decision(?!.*in-the-inbox)/);
    await here.parts.slack?.idle();
    expect([ground.slack.homes.has('U0GUEST'), ground.slack.complaints]).toEqual([false, []]);
  });
});
