import { type Deployment, atApproval } from '../deployment.contract.ts';
import {
  type SlackGround,
  asking,
  liveButtons,
  mainChannel,
  messagesAbout,
  openSlackGround,
  securityChannel,
  until,
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
