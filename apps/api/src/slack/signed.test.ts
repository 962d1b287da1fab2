import { createHmac, randomBytes } from 'node:crypto';
import { signedAsSlack } from '@proviso/testkit';
import { atApproval } from '../deployment.contract.ts';
import { type Headers, expectBounded, expectNoRefusal, expectUnsigned, sentTo, votesAt } from '../signed.contract.ts';
import { type SlackGround, asking, openSlackGround, until } from './slack.contract.ts';

let ground: SlackGround;

beforeAll(async () => {
  ground = await openSlackGround();
});

afterAll(async () => {
  await ground.close();
});

/** A good press of Sam's, to be spoilt. */
async function pressOf(name: string) {
  const scene = await atApproval(ground.here, name);
  const message = await until(() => asking(ground.slack, scene.promotion));
  return { scene, deed: ground.member('sam').press(message, 'approve') };
}

describe('a request that Slack has not signed', () => {
  it('is 401 and nothing of it is read, whatever is wrong with it', async () => {
    const { scene, deed } = await pressOf('unsigned');
    const { body, headers } = deed.request;
    const secret = ground.slack.signingSecret;
    const seconds = Math.floor(Date.now() / 1_000);
    const type = { 'content-type': headers['content-type'] ?? '' };
    const sha1 = createHmac('sha1', secret).update(`v0:${seconds}:${body}`).digest('hex');
    const again = new URLSearchParams({
      payload: JSON.stringify(JSON.parse(new URLSearchParams(body).get('payload') ?? '')),
    });
    const spoilt: Readonly<Record<string, readonly [string | Buffer, Headers]>> = {
      'no headers': [body, type],
      'no signature': [body, { ...type, 'x-slack-request-timestamp': String(seconds) }],
      'no time': [body, { ...type, 'x-slack-signature': headers['x-slack-signature'] ?? '' }],
      'another secret': [body, { ...type, ...signedAsSlack(randomBytes(16).toString('hex'), body) }],
      'SHA-1 alone': [
        body,
        { ...type, 'x-slack-request-timestamp': String(seconds), 'x-slack-signature': `v0=${sha1}` },
      ],
      'as others sign': [
        body,
        { ...type, 'x-hub-signature': `sha1=${sha1}`, 'x-slack-request-timestamp': String(seconds) },
      ],
      'the same meaning in other bytes': [`${again.toString()}&x=`, headers],
      'one more byte': [`${body} `, headers],
      'six minutes late': [body, { ...type, ...signedAsSlack(secret, body, seconds - 360) }],
      'six minutes early': [body, { ...type, ...signedAsSlack(secret, body, seconds + 360) }],
      'two signatures': [body, { ...headers, 'x-slack-signature': `${headers['x-slack-signature']}, v0=${sha1}` }],
      'no body': ['', headers],
      'broken JSON': ['{', { 'content-type': 'application/json', ...signedAsSlack('wrong', '{') }],
      'half a letter': [Buffer.from([0xff, 0xfe, 0]), { ...headers, 'content-type': 'application/json' }],
    };
    await expectUnsigned(ground.slack.eventsUrl, spoilt);
    expect(await votesAt(ground.here, scene.gate)).toEqual([]);
  });

  it('and is large or packed is 413, with no more than the bound held', async () => {
    await expectBounded(ground.slack.eventsUrl, {
      headers: { 'content-type': 'application/json' },
      sign: (body) => signedAsSlack(ground.slack.signingSecret, body.toString('latin1')),
    });
  });
});

describe('a request that Slack has signed', () => {
  it('and that comes again counts once, however often and in whatever order', async () => {
    const { scene, deed } = await pressOf('replayed');
    const answers = await Promise.all(Array.from({ length: 20 }, () => deed.send()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await votesAt(ground.here, scene.gate)).toHaveLength(1);
    await expectNoRefusal(ground.here, scene.promotion);
  });

  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a payload of no type', new URLSearchParams({ payload: '{}' }).toString()],
    ['a payload that is no JSON', new URLSearchParams({ payload: '{' }).toString()],
    ['a member without a team', new URLSearchParams({ command: '/proviso', user_id: 'U1' }).toString()],
    [
      'a user id of another form',
      new URLSearchParams({ command: '/x', user_id: '../U1', team_id: 'T0HOME' }).toString(),
    ],
  ])('and says %s is 400, and no fault of ours', async (_, body) => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...signedAsSlack(ground.slack.signingSecret, body),
    };
    expect((await sentTo(ground.slack.eventsUrl, body, headers)).status).toBe(400);
  });

  it('is answered when Slack asks whether the address is ours', async () => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'abc', token: 'x' });
    const headers = { 'content-type': 'application/json', ...signedAsSlack(ground.slack.signingSecret, body) };
    expect(await sentTo(ground.slack.eventsUrl, body, headers)).toEqual({ status: 200, text: '{"challenge":"abc"}' });
  });
});
