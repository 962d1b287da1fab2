import { type FakeGitHubApp, startFakeGitHubApp } from '@proviso/testkit';
import { atApproval } from './deployment.contract.ts';
import { rowsIn } from './slack/interleaving.contract.ts';
import { type SlackGround, asking, messagesAbout, openSlackGround, until } from './slack/slack.contract.ts';

// The follower hears of every entry, and of a comment too: nothing that a copy shows has changed by it.

let github: FakeGitHubApp;
let ground: SlackGround;

beforeAll(async () => {
  github = await startFakeGitHubApp();
  ground = await openSlackGround({ github });
});

afterAll(async () => {
  await ground.close();
  await github.close();
});

it('a comment draws no copy anew, neither in Slack nor at GitHub, and posts none about what has ended', async () => {
  const { here, slack } = ground;
  const { promotion, decisions, digests } = await atApproval(here, 'copies-of-comments');
  await until(() => asking(slack, promotion));
  await settled(promotion);
  const say = async () => {
    const before = await copiesOf(promotion);
    const [drawn, calls] = [drawnOf(promotion), github.calls.length];
    expect((await here.post('bea', `/v1/promotions/${promotion}/comments`, { text: 'a word' })).status).toBe(201);
    await heard(promotion);
    await settled(promotion);
    expect(await copiesOf(promotion)).toEqual(before);
    expect(drawnOf(promotion)).toEqual(drawn);
    expect(github.calls.slice(calls)).toEqual([]);
  };
  await say();
  await here.post('sam', decisions, { verdict: 'reject', reason: 'not yet', ...digests });
  await until(() => asking(slack, promotion) === null);
  await settled(promotion);
  await say();
}, 60_000);

/** All that ever stood in each message about it. */
function drawnOf(promotion: string) {
  return messagesAbout(ground.slack, promotion).map(({ ts, texts, drawn }) => ({
    ts,
    texts: [...texts],
    drawn: [...drawn],
  }));
}

/** Where each copy of it stands. */
async function copiesOf(promotion: string): Promise<readonly string[]> {
  const rows = await rowsIn(ground.here, promotion);
  return rows.map(({ key, address }) => `${key} at ${address}`).toSorted();
}

/** Every copy is as new as what was heard. */
async function settled(promotion: string): Promise<void> {
  await until(async () => {
    const rows = await rowsIn(ground.here, promotion);
    return rows.length > 0 && rows.every(({ behind, address }) => !behind && address !== null);
  });
}

/** Both followers have read the log as far as the newest comment. */
async function heard(promotion: string): Promise<void> {
  const { parts, workspace, ask } = ground.here;
  const position = await until(async () => {
    const { body } = await ask('aud', 'GET', `/v1/promotions/${promotion}/history`);
    const entries = body['items'] as readonly { readonly kind: string; readonly position: number | null }[];
    return entries.findLast(({ kind }) => kind === 'commented')?.position;
  });
  for (const channel of ['slack', 'github'] as const)
    await until(async () => ((await parts.journal.prompts(workspace, channel).followed())?.position ?? -1) >= position);
}
