import { type CanaryStage, openCanaryStage } from '../canary.contract.ts';
import {
  type Deployment,
  archiveOf,
  atApproval,
  formOf,
  pick,
  pickText,
  policySource,
} from '../deployment.contract.ts';
import { signedIn } from '../browser.contract.ts';
import { type SlackGround, openSlackGround, until } from './slack.contract.ts';

let ground: SlackGround;
let here: Deployment;
let stage: CanaryStage;

beforeAll(async () => {
  ground = await openSlackGround();
  here = ground.here;
  stage = openCanaryStage(here);
});

afterAll(async () => {
  await ground.close();
});

type Member = 'bea' | 'sam' | 'olga';

/** Types it, and answers what only whoever typed it sees. */
async function told(actor: Member, words: string): Promise<string> {
  const { status, body } = await ground.member(actor).type(words).send();
  expect([status, pick(body, 'response_type'), pick(body, 'mrkdwn')]).toEqual([200, 'ephemeral', false]);
  return pickText(body, 'text');
}

async function shown(promotion: string) {
  return (await here.ask('aud', 'GET', `/v1/promotions/${promotion}`)).body;
}

async function newestOf(prototype: string) {
  const { body } = await here.ask('aud', 'GET', `/v1/promotions?prototype=${prototype}`);
  return pick(body, 'items', 0);
}

describe('/proviso start', () => {
  it('promotes the newest version, by the policy that it went by before, once', async () => {
    const { prototype, promotion: before, policy } = await atApproval(here, 'again');
    const form = formOf('v2', archiveOf('newer'));
    await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
    expect(await told('bea', 'start again')).toMatch(
      /^Started: “again” v2, by the policy careful\. http.*\/decide\/gate_/,
    );
    const opened = await newestOf(prototype);
    expect(opened).toMatchObject({ candidate: { version: 'v2' }, policy: { id: policy } });
    expect(await shown(before)).toMatchObject({ state: 'superseded' });
    expect(await told('bea', 'start Again')).toMatch(/^“again” v2 is under way already\. http/);
    expect(await newestOf(prototype)).toMatchObject({ id: pickText(opened, 'id') });
    expect(opened).toMatchObject({ requester: { id: here.people.bea } });
  });

  it('takes an older version and another policy by their names', async () => {
    const { prototype } = await atApproval(here, 'older');
    const form = formOf('v2', archiveOf('newer, older'));
    await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
    const source = policySource.replace('policy: careful', 'policy: other');
    expect((await here.post('petra', '/v1/policies', { source })).status).toBe(201);
    expect(await told('bea', 'start older v2 with other')).toMatch(/^Started: “older” v2, by the policy other\./);
    expect(await newestOf(prototype)).toMatchObject({ policy: { name: 'other' } });
    expect(await told('bea', 'start older v3')).toBe(
      '“older” has no version v3 that could be promoted: freeze it first.',
    );
    expect(await told('bea', 'start older v2 with <!here>')).toMatch(/^“older” v2 is under way already/);
    expect(await told('bea', 'start older v1 with <!here>')).toMatch(
      /^No policy is called “‹!here›”: nothing was recorded\. Published: .*careful.*\.$/,
    );
  });

  it('of a new prototype asks for its policy where there are several', async () => {
    const name = 'brand-new';
    const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
    expect(await told('bea', 'start brand-new')).toBe(
      '“brand-new” has no version that could be promoted: freeze it first.',
    );
    await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, formOf('v1', archiveOf('brand new')));
    expect(await told('bea', 'start brand-new')).toMatch(
      /^Name the policy, such as “with standard”: .*careful, other\./,
    );
    expect(await told('bea', 'start nobodys')).toBe('No prototype is called “nobodys” here: nothing was recorded.');
    expect(await told('bea', 'start')).toBe('Name the prototype: nothing was recorded.');
  });

  it('is refused to who may not, by the same rule as at the API', async () => {
    const { prototype } = await atApproval(here, 'not-theirs');
    const form = formOf('v2', archiveOf('not theirs'));
    await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
    expect(await told('sam', 'start not-theirs')).toMatch(/^You may not do this.*Who can: Builder.*\(not_permitted\)$/);
    expect(await newestOf(prototype)).toMatchObject({ candidate: { version: 'v1' } });
  });
});

describe('a hand on a canary', () => {
  it('is given in Slack as at the API, with a reason that only people here read', async () => {
    const { promotion } = await stage.canaryOf('steered');
    expect(await told('bea', 'pause steered')).toMatch(/^“steered” v1: Say why behind the word/);
    expect(await told('bea', 'pause steered an odd <!here> peak')).toBe('“steered” v1: Recorded.');
    expect(await shown(promotion)).toMatchObject({ canary: { pace: 'paused' } });
    const history = JSON.stringify((await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history`)).body);
    expect(history).toContain('an odd <!here> peak');
    expect(await told('olga', 'advance steered now')).toMatch(/^“steered” v1: .*unpause it first\. \(canary_paused\)$/);
    expect((await here.post('olga', `/v1/promotions/${promotion}/unpause`, { reason: 'quiet' })).status).toBe(202);
    expect(await told('bea', 'advance steered now')).toMatch(/^“steered” v1: .*\(not_permitted\)$/);
    expect(await told('olga', 'advance steered looks good')).toBe('“steered” v1: Recorded.');
    expect(await shown(promotion)).toMatchObject({ canary: { pace: 'hastened' } });
    expect(await told('olga', 'rollback steered errors in the log')).toBe('“steered” v1: Recorded.');
    expect(await shown(promotion)).toMatchObject({ canary: { weight: 0 } });
    expect(JSON.stringify(ground.slack.messages())).not.toContain('here> peak');
  });

  it('is for Slack only where the gate allows it', async () => {
    const source = policySource
      .replace('policy: careful', 'policy: by-hand')
      .replace('    look:', '    channels: [rest]\n    look:');
    const policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
    const { promotion, decisions, digests } = await atApproval(here, 'not-from-chat', { policy });
    for (const actor of ['sam', 'kim'] as const) await here.post(actor, decisions, { verdict: 'approve', ...digests });
    await stage.look(await stage.claim(promotion), 10);
    const actions = pick(await shown(promotion), 'actions') as readonly { readonly rel: string }[];
    expect(actions.map(({ rel }) => rel)).toContain('advance');
    expect(await told('olga', 'advance not-from-chat now')).toMatch(
      /^“not-from-chat” v1: This gate is not decided here.*Decide here: .*\(channel_not_allowed\)$/,
    );
    expect(await told('olga', 'pause not-from-chat now')).toBe('“not-from-chat” v1: Recorded.');
  });

  it('is about the version that users are on, and not about a newer one that waits for people', async () => {
    const { promotion } = await stage.canaryOf('two-versions');
    const { prototype, policy } = (await shown(promotion)) as { prototype: string; policy: { id: string } };
    const frozen = await here.ask(
      'bea',
      'POST',
      `/v1/prototypes/${prototype}/candidates`,
      formOf('v2', archiveOf('two')),
    );
    const order = { prototype, candidate: pickText(frozen.body, 'candidate', 'id'), policy: policy.id };
    expect((await here.post('bea', '/v1/promotions', order)).status).toBe(201);
    expect(await told('bea', 'pause two-versions wait')).toBe('“two-versions” v1: Recorded.');
    expect(await told('bea', 'rollback two-versions errors')).toBe('“two-versions” v1: Recorded.');
  });
});

it('/proviso rerun runs the gate again that blocks', async () => {
  const { promotion, decisions, digests } = await atApproval(here, 'blocked');
  await here.post('sam', decisions, { verdict: 'request_changes', reason: 'shorter', ...digests });
  expect(await shown(promotion)).toMatchObject({ state: 'blocked' });
  expect(await told('bea', 'rerun blocked')).toBe('“blocked” v1: Recorded.');
  await until(async () => pickText(await shown(promotion), 'state') !== 'blocked');
  expect(await told('bea', 'rerun blocked')).toMatch(/^“blocked” v1: .*\([a-z_]+\)$/);
});

it('/proviso comment says words on the page of a promotion, and moves nothing', async () => {
  const { promotion, gate } = await atApproval(here, 'talked-about');
  expect(await told('sam', 'comment talked-about')).toMatch(/^“talked-about” v1: Write behind the word/);
  expect(await told('sam', 'comment Talked-About the tone is <b>off</b>')).toBe('“talked-about” v1: Recorded.');
  expect(await shown(promotion)).toMatchObject({ state: 'waiting_for_human' });
  const browser = await signedIn(here, 'kim');
  expect((await browser.get(`/decide/${gate}`)).text).toContain('the tone is &lt;b&gt;off&lt;/b&gt;');
});

it('nobody without a role, a link or this team learns or does anything by it', async () => {
  await atApproval(here, 'hidden');
  for (const words of [
    'start hidden',
    'pause hidden now',
    'rollback hidden now',
    'rerun hidden',
    'advance hidden now',
  ]) {
    const stranger = await ground.slack.member('U0NOBODY').type(words).send();
    expect(pickText(stranger.body, 'text')).toMatch(/^Your Slack account is not linked/);
    const guest = await ground.slack.member('U0BEA', 'T0GUEST').type(words).send();
    expect(pickText(guest.body, 'text')).toMatch(/^Guests of another Slack team/);
  }
});
