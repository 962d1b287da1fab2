import { createHmac, randomBytes } from 'node:crypto';
import { signedAsGitHub } from '@proviso/testkit';
import { atApproval } from '../deployment.contract.ts';
import { type Headers, expectBounded, expectNoRefusal, expectUnsigned, sentTo, votesAt } from '../signed.contract.ts';
import { until } from '../slack/slack.contract.ts';
import { type GitHubGround, askingCheck, openGitHubGround } from './github.contract.ts';

let ground: GitHubGround;

beforeAll(async () => {
  ground = await openGitHubGround();
});

afterAll(async () => {
  await ground.close();
});

/** A good press of Sam's, to be spoilt. */
async function pressOf(name: string) {
  const scene = await atApproval(ground.here, name);
  const check = await until(() => askingCheck(ground, scene.promotion));
  return { scene, deed: ground.member('sam').press(check, check.actions[0]?.identifier ?? '') };
}

describe('a request that GitHub has not signed', () => {
  it('is 401 and nothing of it is read, whatever is wrong with it', async () => {
    const { scene, deed } = await pressOf('unsigned');
    const { body, headers } = deed.request;
    const { 'x-hub-signature': sha1 = '', 'x-hub-signature-256': sha256 = '', ...plain } = headers;
    const secret = ground.github.webhookSecret;
    const again = JSON.stringify(JSON.parse(body), null, 1);
    const asSlack = createHmac('sha256', secret).update(`v0:1:${body}`).digest('hex');
    const spoilt: Readonly<Record<string, readonly [string | Buffer, Headers]>> = {
      'no signature': [body, plain],
      'SHA-1 alone': [body, { ...plain, 'x-hub-signature': sha1 }],
      'SHA-1 in the place of SHA-256': [body, { ...plain, 'x-hub-signature-256': sha1 }],
      'SHA-1 under the name of SHA-256': [body, { ...plain, 'x-hub-signature-256': sha1.replace('sha1', 'sha256') }],
      'another secret': [body, { ...plain, ...signedAsGitHub(randomBytes(16).toString('hex'), body) }],
      'the same meaning in other bytes': [again, headers],
      'one more byte': [`${body} `, headers],
      'cut short': [body, { ...plain, 'x-hub-signature-256': sha256.slice(0, -2) }],
      'in capitals': [body, { ...plain, 'x-hub-signature-256': sha256.toUpperCase() }],
      'two signatures': [body, { ...plain, 'x-hub-signature-256': `${sha256}, ${sha1}` }],
      'as others sign': [body, { ...plain, 'x-slack-signature': `v0=${asSlack}`, 'x-slack-request-timestamp': '1' }],
      'no body': ['', headers],
      'broken JSON': ['{', headers],
      'half a letter': [Buffer.from([0xff, 0xfe, 0]), headers],
    };
    await expectUnsigned(ground.github.eventsUrl, spoilt);
    expect(await votesAt(ground.here, scene.gate)).toEqual([]);
  });

  it('and is large or packed is 413, with no more than the bound held', async () => {
    await expectBounded(ground.github.eventsUrl, {
      headers: { 'content-type': 'application/json', 'x-github-event': 'issue_comment' },
      sign: (body) => signedAsGitHub(ground.github.webhookSecret, body),
    });
  });
});

describe('a request that GitHub has signed', () => {
  it('and that comes again under other numbers counts once, and is answered once', async () => {
    const { scene, deed } = await pressOf('replayed');
    const answers = await Promise.all(Array.from({ length: 20 }, () => deed.send()));
    expect(new Set(answers.map(({ status, outcome }) => `${status} ${outcome}`))).toEqual(new Set(['202 Recorded.']));
    expect(await votesAt(ground.here, scene.gate)).toHaveLength(1);
    await deed.told();
    const told = ground.github.notes.filter(({ repository }) => repository === `acme/${scene.prototype}`);
    expect(told.filter(({ body }) => body === '`Recorded.`')).toHaveLength(1);
    await expectNoRefusal(ground.here, scene.promotion);
  });

  it('and that another process has heard before us counts once', async () => {
    const { scene, deed } = await pressOf('replayed-elsewhere');
    const { assemble } = await import('../assembly.ts');
    const { parts } = ground.here;
    const other = assemble({ ...parts.config, evidence: ground.here.evidence }, parts.journal, parts.log);
    expect(await other.github?.hear('check_run', deed.request.body)).toBe('Recorded.');
    await other.github?.idle();
    expect(await deed.send()).toEqual({ status: 202, outcome: 'Recorded.' });
    expect(await votesAt(ground.here, scene.gate)).toHaveLength(1);
    // The answer was lost with that process, and what it was about has changed since.
    const repository = `acme/${scene.prototype}`;
    const written = ground.member('kim').write(repository, '/proviso approve');
    expect(await other.github?.hear('issue_comment', written.request.body)).toBe('Recorded: the gate has passed.');
    await other.github?.idle();
    ground.github.push(repository, { 'app/main.js': 'newer' });
    expect(await written.send()).toEqual({ status: 202, outcome: 'Recorded: the gate has passed.' });
    expect(await votesAt(ground.here, scene.gate)).toHaveLength(2);
    other.feed.close();
    other.metrics.close();
  });

  it.each([
    ['an event that nobody here knows', 'star', '{}', 202],
    ['an event named like something else', 'constructor', '{}', 202],
    ['no event', '', '{}', 202],
    ['a comment without its fields', 'issue_comment', '{"action":"created"}', 400],
    [
      'a check run of a strange commit',
      'check_run',
      '{"action":"requested_action","check_run":{"head_sha":"../"}}',
      400,
    ],
    ['a list', 'check_run', '[]', 400],
    ['null', 'issue_comment', 'null', 400],
    ['what is no JSON', 'issue_comment', '{', 400],
  ])('and is %s is acknowledged or 400, and no fault of ours', async (_, event, body, status) => {
    const json = { 'content-type': 'application/json', 'x-github-event': event };
    const answer = await sentTo(ground.github.eventsUrl, body, {
      ...json,
      ...signedAsGitHub(ground.github.webhookSecret, body),
    });
    expect(answer.status).toBe(status);
  });
});
