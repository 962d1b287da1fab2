import { randomUUID } from 'node:crypto';
import { type Outlet, followTurn, openDelivery } from '@proviso/channels';
import { type Prompt, builtinPrincipals } from '@proviso/domain';
import { followerPorts } from '../channels.ts';
import { type Deployment, atApproval, pickText, policySource } from '../deployment.contract.ts';
import { messagesOf, rowsIn } from './interleaving.contract.ts';
import { type SlackGround, asking, liveButtons, messagesAbout, openSlackGround, until } from './slack.contract.ts';

let ground: SlackGround;
let here: Deployment;

beforeAll(async () => {
  ground = await openSlackGround();
  here = ground.here;
});

afterAll(async () => {
  await ground.close();
});

afterEach(() => {
  ground.slack.fault = () => null;
});

type Scene = Awaited<ReturnType<typeof atApproval>>;

async function asked(name: string): Promise<Scene> {
  const scene = await atApproval(here, name);
  await until(() => asking(ground.slack, scene.promotion));
  return scene;
}

async function decide({ decisions, digests }: Scene): Promise<void> {
  for (const actor of ['sam', 'kim'] as const)
    expect((await here.post(actor, decisions, { verdict: 'approve', ...digests })).status).toBe(201);
}

/** Every copy says how it ended, and none has a button. */
async function final({ promotion }: Scene): Promise<void> {
  await until(() => {
    const copies = messagesAbout(ground.slack, promotion);
    return (
      copies.some(({ text }) => text.endsWith(': approved.')) && copies.every((one) => liveButtons(one).length === 0)
    );
  });
}

/** Time is looked at, as the waker does. */
async function tick({ parts, workspace }: Deployment, { promotion }: Scene): Promise<void> {
  await parts.journal.submit({
    ...{ workspace, actor: builtinPrincipals.keeper.id, idempotencyKey: randomUUID(), authn: 'service/worker' },
    command: { kind: 'Tick', promotion },
  });
}

/** A channel of its own beside Slack, in the same workspace: what it is told in the time of a test. */
function otherOutlet(): { readonly outlet: Outlet<{ readonly text: string }>; readonly said: Map<string, string> } {
  const said = new Map<string, string>();
  let posted = 0;
  const outlet: Outlet<{ readonly text: string }> = {
    wishes: ({ promotion }) => [{ key: promotion, promotion, conversation: 'other', thread: null, once: false }],
    draw: (_prompt, { headline }) => ({ text: headline }),
    post: async ({ text }) => {
      posted += 1;
      said.set(String(posted), text);
      return String(posted);
    },
    update: async ({ text }, { address }) => void said.set(address, text),
    withdraw: async ({ address }) => void said.delete(address),
    find: async () => null,
  };
  return { outlet, said };
}

describe('a Slack that is away', () => {
  it('delays nothing but its own messages, which are final as soon as it is back', async () => {
    const { followForever } = await import('@proviso/channels');
    const { outlet, said } = otherOutlet();
    const stopping = new AbortController();
    const { workspace } = here;
    const other = followForever(followerPorts(here.parts, { workspace, channel: 'github', outlet }), stopping.signal);
    const scene = await asked('away');
    ground.slack.fault = () => ({ kind: 'away' });
    await decide(scene);
    await until(() => [...said.values()].some((text) => text.startsWith('Starting')));
    const late = await atApproval(here, 'opened-meanwhile');
    await until(() => [...said.values()].filter((text) => text.startsWith('Waiting')).length === 1);
    expect(asking(ground.slack, scene.promotion)).not.toBeNull();
    ground.slack.fault = () => null;
    await final(scene);
    await until(() => asking(ground.slack, late.promotion));
    stopping.abort();
    await other;
  });

  it('and says when to come back is left alone until then, also about what happens meanwhile', async () => {
    const scene = await asked('too-often');
    const heard: string[] = [];
    ground.slack.fault = (_method, said) => {
      heard.push(said);
      return { kind: 'rate_limited', retryAfterSeconds: 4 };
    };
    const since = performance.now();
    await decide(scene);
    await until(() => heard.length > 0);
    const first = heard.length;
    const early = await atApproval(here, 'opened-too-early');
    await until(async () => (await rowsIn(here, early.promotion)).length > 0);
    while (performance.now() - since < 3_000) await here.ask(null, 'GET', '/healthz');
    // What was under way together was told together.
    expect(heard.length - first).toBeLessThan(4);
    expect(heard.filter((said) => said.includes('opened-too-early'))).toEqual([]);
    ground.slack.fault = () => null;
    await final(scene);
  });

  it.each(['loses_answer', 'breaks_after'] as const)('and %s after it has posted gets no second copy', async (kind) => {
    const methods: string[] = [];
    ground.slack.fault = (method) => {
      methods.push(method);
      // Each posting is done, and nobody hears of it the first time.
      return method === 'chat.postMessage' && methods.filter((one) => one === method).length <= 3 ? { kind } : null;
    };
    const scene = await atApproval(here, `lost-${kind.replaceAll('_', '-')}`);
    await until(() => asking(ground.slack, scene.promotion));
    await decide(scene);
    await final(scene);
    const rows = await until(async () => {
      const found = await rowsIn(here, scene.promotion);
      return found.every(({ behind }) => !behind) && found;
    });
    expect(methods).toContain('conversations.history');
    const stand = messagesOf(ground.slack, rows).map(({ ts }) => ts);
    expect(stand.toSorted()).toEqual(rows.flatMap(({ address }) => address ?? []).toSorted());
  });

  it('and that lost the answer to a reminder does not leave it to nobody when it is moot meanwhile', async () => {
    const source = policySource
      .replace('policy: careful', 'policy: reminding')
      .replace('    requirements:', '    expires: 16s\n    requirements:');
    const policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
    const scene = await atApproval(here, 'moot-reminder', { policy });
    await until(() => asking(ground.slack, scene.promotion));
    const isReminder = ({ text }: { readonly text: string }) => text.startsWith('Reminder');
    const reminded = () => messagesAbout(ground.slack, scene.promotion).some(isReminder);
    // The reminder stands, nobody hears of it, and nobody can look until people have answered.
    ground.slack.fault = (method) =>
      method === 'chat.postMessage' && !reminded() ? { kind: 'loses_answer' } : { kind: 'away' };
    await until(async () => {
      await tick(here, scene);
      return reminded();
    }, 30_000);
    await decide(scene);
    ground.slack.fault = () => null;
    await final(scene);
    const rows = await until(async () => {
      const found = await rowsIn(here, scene.promotion);
      return found.every(({ behind }) => !behind) && found;
    });
    const stand = messagesOf(ground.slack, rows).map(({ ts }) => ts);
    expect(stand.toSorted()).toEqual(rows.flatMap(({ address }) => address ?? []).toSorted());
  });

  it('does not make up for a message that somebody deleted, nor try for ever', async () => {
    const scene = await asked('deleted');
    const gone = messagesAbout(ground.slack, scene.promotion);
    ground.slack.forget(gone);
    await decide(scene);
    await until(async () => (await rowsIn(here, scene.promotion)).every(({ behind }) => !behind));
    const updates = ground.slack.calls.length;
    await here.post('bea', `/v1/promotions/${scene.promotion}/cancel`, { reason: 'stop' });
    const next = await asked('after-the-deleted');
    expect(messagesAbout(ground.slack, scene.promotion)).toEqual([]);
    expect(ground.slack.calls.slice(updates).length).toBeLessThan(20);
    expect(next.promotion).not.toBe(scene.promotion);
  });
});

describe('a follower', () => {
  it('that dies without a word is replaced when its lease has ended', async () => {
    await ground.channels.stop();
    const register = here.parts.journal.prompts(here.workspace, 'slack');
    expect(await register.lease('dead', 1_500)).not.toBeNull();
    const scene = await atApproval(here, 'orphaned');
    ground.channels.start();
    expect(asking(ground.slack, scene.promotion)).toBeNull();
    await until(() => asking(ground.slack, scene.promotion));
  });

  it('that wakes up after it lost the lead has what it wrote over drawn anew', async () => {
    const scene = await asked('frozen');
    const register = here.parts.journal.prompts(here.workspace, 'slack');
    const calls = here.parts.slack?.calls;
    if (calls === undefined) throw new Error('expected a Slack');
    const { outlet } = calls;
    const ports = followerPorts(here.parts, { workspace: here.workspace, channel: 'slack', outlet });
    // Frozen with this in its hands, while the world went on under another.
    const stale = await ports.bulletin(scene.promotion);
    await decide(scene);
    await final(scene);
    const rows = await rowsIn(here, scene.promotion);
    const due: Prompt[] = [];
    for (const { token } of rows) {
      const prompt = await register.byToken(token);
      if (prompt?.key.includes('/ask/')) due.push({ ...prompt, drawn: null });
    }
    const frozen = { ...register, due: async () => due };
    const delivery = openDelivery({ ...ports, register: frozen, bulletin: async () => stale });
    await delivery.turn(0);
    expect(messagesAbout(ground.slack, scene.promotion).flatMap(liveButtons)).not.toEqual([]);
    await final(scene);
  });

  it('that posts at the same time as the one before it agrees with it on one copy', async () => {
    await ground.channels.stop();
    const outlet = here.parts.slack?.calls.outlet;
    if (outlet === undefined) throw new Error('expected a Slack');
    const own = { workspace: here.workspace, channel: 'slack', outlet } as const;
    const [first, second] = [followerPorts(here.parts, own), followerPorts(here.parts, own)];
    const scene = await atApproval(here, 'two-at-once');
    const due = async () => (await first.register.due(100)).filter(({ promotion }) => promotion === scene.promotion);
    const follows = async (ports: typeof first) =>
      await until(async () => {
        const epoch = await followTurn(ports);
        return (await rowsIn(here, scene.promotion)).length > 0 && epoch;
      });
    // The first has noted that it posts, and is frozen; the second looks, finds nothing, and posts as the first wakes up.
    const [frozen, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: typeof outlet = {
      ...outlet,
      post: async (...order) => {
        frozen.resolve();
        await woken.promise;
        return await outlet.post(...order);
      },
    };
    const firstTurn = openDelivery({ ...first, register: { ...first.register, due }, outlet: slow }).turn(
      await follows(first),
    );
    await frozen.promise;
    await first.register.release(first.holder);
    const quick: typeof outlet = {
      ...outlet,
      post: async (...order) => {
        const address = await outlet.post(...order);
        woken.resolve();
        await firstTurn;
        return address;
      },
    };
    const later = { ...second, register: { ...second.register, due }, outlet: quick, now: () => Date.now() + 60_000 };
    await openDelivery(later).turn(await follows(second));
    await second.register.release(second.holder);
    ground.channels.start();
    await until(() => asking(ground.slack, scene.promotion));
    await decide(scene);
    await final(scene);
    const rows = await rowsIn(here, scene.promotion);
    const stand = messagesOf(ground.slack, rows).map(({ ts }) => ts);
    expect(stand.toSorted()).toEqual(rows.flatMap(({ address }) => address ?? []).toSorted());
  });

  it('that was frozen in the middle of a posting takes back what it has posted twice', async () => {
    const scene = await asked('posted-twice');
    const register = here.parts.journal.prompts(here.workspace, 'slack');
    const outlet = here.parts.slack?.calls.outlet;
    if (outlet === undefined) throw new Error('expected a Slack');
    const ports = followerPorts(here.parts, { workspace: here.workspace, channel: 'slack', outlet });
    const rows = await rowsIn(here, scene.promotion);
    const copies = await Promise.all(rows.map(({ token }) => register.byToken(token)));
    // It had noted that it would post, and froze before it did; another has posted meanwhile.
    const due = copies.flatMap((one) => (one === null || one.once ? [] : [{ ...one, address: null }]));
    const frozen = { ...register, due: async () => due, begin: async () => true };
    await openDelivery({ ...ports, register: frozen }).turn(0);
    const stand = messagesOf(ground.slack, rows).map(({ ts }) => ts);
    expect(stand.toSorted()).toEqual(rows.flatMap(({ address }) => address ?? []).toSorted());
    await decide(scene);
    await final(scene);
  });
});
