import { setTimeout as pause } from 'node:timers/promises';
import { type FakeGitHubApp, startFakeGitHubApp } from '@proviso/testkit';
import { atApproval, pick, pickText, policySource } from '../deployment.contract.ts';
import {
  type Lane,
  type Play,
  type Replica,
  messagesOf,
  newApprover,
  newCandidate,
  openReplica,
  randomOf,
  rowsIn,
  sendSurely,
  somethingToPress,
  turnstile,
} from './interleaving.contract.ts';
import {
  deliverSurely,
  githubIn,
  isAtGitHub,
  pressAtGitHub,
  standingAtGitHub,
  writeAtGitHub,
} from '../github/interleaving-moves.contract.ts';
import { type SlackGround, liveButtons, openSlackGround, until } from './slack.contract.ts';

/** A run on every change; `PROVISO_SLACK_SEQUENCES=2000` is the one that counts. */
const sequences = Number(process.env['PROVISO_SLACK_SEQUENCES'] ?? 60);
const seed = Number(process.env['PROVISO_SLACK_SEED'] ?? Date.now() % 1_000_000_000);
/** Played at once, each with approvers of its own; Slack and the processes are shared. */
const lanesAtOnce = 10;

let ground: SlackGround;
let github: FakeGitHubApp;
let replica: Replica;
let briefPolicy: string;

beforeAll(async () => {
  github = await startFakeGitHubApp();
  ground = await openSlackGround({ github });
  replica = await openReplica(ground, ground.here.evidence);
  const source = policySource
    .replace('policy: careful', 'policy: brief')
    .replace('    requirements:', '    expires: 2s\n    requirements:');
  await ground.here.ask('olga', 'PUT', '/v1/workspace/limits', { payload: { prototypesMax: 2_000 } });
  briefPolicy = pickText((await ground.here.post('petra', '/v1/policies', { source })).body, 'id');
});

afterAll(async () => {
  ground.slack.fault = () => null;
  github.fault = () => null;
  await replica.close();
  await ground.close();
  await github.close();
});

type Move = readonly [name: string, weight: number, play: (play: Play) => Promise<void>];

function approverOf({ lane }: Play) {
  const found = lane.approvers[Math.floor(lane.random() * lane.approvers.length)];
  if (found === undefined) throw new Error('expected an approver');
  return found;
}

async function press(play: Play, action: 'approve' | 'reject' | 'request_changes'): Promise<void> {
  const message = somethingToPress(play);
  if (message === null) return;
  const { member } = approverOf(play);
  if (action === 'approve') {
    const deed = member.press(message, action);
    play.deeds.push(deed);
    await sendSurely(play, deed);
    return;
  }
  const opening = member.press(message, action);
  await opening.send().catch(() => null);
  // Slack was away, or the moment was missed: no form, and nothing has been said.
  let form;
  try {
    form = opening.form();
  } catch {
    return;
  }
  const deed = member.submit(form, { reason: `no, says ${member.user}` });
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await deed.send().catch(() => null);
    const text = pick(answer?.body, 'view', 'blocks', 0, 'text', 'text');
    if (typeof text === 'string') {
      play.told.set(deed, text);
      return;
    }
    await pause(50);
  }
}

const moves: readonly Move[] = [
  ['press', 6, (play) => press(play, 'approve')],
  ['reject in a form', 1, (play) => press(play, 'reject')],
  ['ask for changes in a form', 1, (play) => press(play, 'request_changes')],
  [
    'double press',
    2,
    async (play) => {
      const message = somethingToPress(play);
      if (message === null) return;
      const { member } = approverOf(play);
      const both = [member.press(message, 'approve'), member.press(message, 'approve')];
      play.deeds.push(...both);
      await Promise.all(both.map((deed) => sendSurely(play, deed)));
    },
  ],
  [
    'deliver again',
    2,
    async (play) => {
      const deed = play.deeds[Math.floor(play.lane.random() * play.deeds.length)];
      if (deed !== undefined) await deed.send().catch(() => null);
    },
  ],
  [
    'decide elsewhere',
    2,
    async (play) => {
      const { token } = approverOf(play);
      const verdict = play.lane.random() < 0.8 ? 'approve' : 'reject';
      const answer = await ground.here.ask(null, 'POST', play.scene.decisions, {
        payload: { verdict, reason: 'seen', ...play.scene.digests },
        headers: { authorization: `Bearer ${token}` },
      });
      if (answer.status === 201) play.elsewhere += 1;
    },
  ],
  ['press at GitHub', 4, (play) => pressAtGitHub(play, approverOf(play))],
  ['write at GitHub', 2, (play) => writeAtGitHub(play, approverOf(play))],
  [
    'deliver again at GitHub',
    2,
    async (play) => {
      const deeds = [...play.atGitHub.keys()];
      const deed = deeds[Math.floor(play.lane.random() * deeds.length)];
      if (deed !== undefined) await deliverSurely(play, deed);
    },
  ],
  ['GitHub is away', 0.3, async ({ lane }) => await faultyGitHub(lane, () => ({ kind: 'away' }))],
  [
    'GitHub loses answers',
    0.5,
    async ({ lane }) => await faultyGitHub(lane, () => (lane.random() < 0.5 ? { kind: 'loses_answer' } : null)),
  ],
  [
    'GitHub is asked too often',
    0.3,
    async ({ lane }) => await faultyGitHub(lane, () => ({ kind: 'rate_limited', status: 403, retryAfterSeconds: 1 })),
  ],
  ['wait', 1, (play) => pause(play.lane.random() * 400)],
  ['new candidate', 1, newCandidate],
  [
    'lose a role',
    1,
    async (play) => {
      const role = { role: 'approver', group: 'security' };
      await ground.here.post('ada', `/v1/people/${approverOf(play).id}/roles/revoke`, role);
    },
  ],
  ['restart the API', 0.3, async ({ lane }) => await lane.alone(() => lane.replica.restart())],
  [
    'restart the follower',
    0.3,
    async ({ lane }) =>
      await lane.alone(async () => {
        await ground.channels.stop();
        ground.channels.start();
      }),
  ],
  ['Slack is away', 0.5, async ({ lane }) => await faulty(lane, () => ({ kind: 'away' }))],
  [
    'Slack breaks',
    0.5,
    async ({ lane }) => await faulty(lane, () => ({ kind: lane.random() < 0.5 ? 'breaks' : 'breaks_after' })),
  ],
  [
    'Slack loses answers',
    0.5,
    async ({ lane }) => await faulty(lane, () => (lane.random() < 0.5 ? { kind: 'loses_answer' } : null)),
  ],
  ['too often', 0.3, async ({ lane }) => await faulty(lane, () => ({ kind: 'rate_limited', retryAfterSeconds: 1 }))],
];

async function faulty(lane: Lane, fault: SlackGround['slack']['fault']): Promise<void> {
  ground.slack.fault = fault;
  await pause(lane.random() * 300);
  ground.slack.fault = () => null;
}

async function faultyGitHub(lane: Lane, fault: FakeGitHubApp['fault']): Promise<void> {
  github.fault = fault;
  await pause(lane.random() * 300);
  github.fault = () => null;
}

function drawMove(random: () => number): Move {
  const sum = moves.reduce((total, [, weight]) => total + weight, 0);
  let at = random() * sum;
  return moves.find(([, weight]) => (at -= weight) < 0) ?? (moves[0] as Move);
}

async function playOne(lane: Lane, index: number): Promise<Play> {
  const { here } = ground;
  const isBrief = lane.random() < 0.15;
  const policy = isBrief ? { policy: briefPolicy } : {};
  const scene = await lane.freezing(() => atApproval(here, `play-${index}`, policy));
  const play: Play = { lane, scene, deeds: [], told: new Map(), atGitHub: new Map(), elsewhere: 0, done: [] };
  // A brief asking may be over before anybody could be asked.
  if (lane.random() < 0.9)
    await until(() => somethingToPress(play), isBrief ? 3_000 : 60_000).catch((error: unknown) => {
      if (!isBrief) throw error;
    });
  const underWay: Promise<void>[] = [];
  const count = 3 + Math.floor(lane.random() * 8);
  for (let at = 0; at < count; at += 1) {
    for (const { id } of lane.approvers) {
      here.parts.refusals.forgive(id);
      replica.forgive(id);
    }
    const [name, , move] = drawMove(lane.random);
    play.done.push(name);
    const work = move(play);
    if (lane.random() < 0.5) await work;
    else underWay.push(work);
  }
  await Promise.all(underWay);
  // What is still open then is stopped, so that there is an end to be looked at.
  await here.post('bea', `/v1/promotions/${scene.promotion}/cancel`, { reason: 'the play is over' });
  return play;
}

/** One decision set, one final text for each message, and no button that would change anything. */
async function expectOneEnd(play: Play): Promise<void> {
  const { here } = ground;
  const context = `seed ${seed}: ${play.done.join(', ')}`;
  const rows = await until(async () => {
    const found = await rowsIn(here, play.scene.promotion);
    return found.every(({ behind }) => !behind) && found.length > 0 ? found : null;
  }, 60_000).catch(() => rowsIn(here, play.scene.promotion));
  const settled = await until(
    () => messagesOf(ground.slack, rows).every((one) => liveButtons(one).length === 0),
    30_000,
  ).catch(() => false);
  const messages = messagesOf(ground.slack, rows);
  await expectOneEndAtGitHub(play, context);
  const live = messages.flatMap(liveButtons);
  expect({ context, settled, live }).toEqual({ context, settled: true, live: [] });
  const posted = rows.flatMap((row) => (isAtGitHub(row) ? [] : (row.address ?? []))).toSorted();
  // Each copy stands once, also when its posting was cut off in the middle.
  expect({ context, stand: messages.map(({ ts }) => ts).toSorted() }).toEqual({ context, stand: posted });
  const history = await here.ask('aud', 'GET', `/v1/promotions/${play.scene.promotion}/history?limit=200`);
  const items = history.body['items'] as readonly { readonly kind: string }[];
  const recorded = items.filter(({ kind }) => kind === 'decision_recorded').length;
  const told = [...play.told.values(), ...play.atGitHub.values()];
  const heard = told.filter((text) => text.startsWith('Recorded')).length;
  expect({ context, recorded }).toEqual({ context, recorded: heard + play.elsewhere });
  expect(items.filter(({ kind }) => kind === 'quorum_reached').length).toBeLessThanOrEqual(1);
  // Every copy of the asking says the same.
  const asks = messages.map(({ text }) => text).filter((text) => /^“play-\d+” v1: (?!readiness)/.test(text));
  expect({ context, asks: new Set(asks).size }).toEqual({ context, asks: Math.min(1, asks.length) });
  ground.slack.forget(messages);
}

/** One check run with nothing to press, and one comment at most; an earlier one was taken over. */
async function expectOneEndAtGitHub(play: Play, context: string): Promise<void> {
  const isOver = () =>
    standingAtGitHub(play).checks.every(
      ({ actions, conclusion }) => actions.length === 0 && conclusion !== 'action_required',
    );
  const settled = await until(isOver, 30_000).catch(() => false);
  const { checks, comments } = standingAtGitHub(play);
  expect({ context, settled, once: checks.length <= 1 }).toEqual({ context, settled: true, once: true });
  expect({ context, once: comments.length <= 1 }).toEqual({ context, once: true });
  githubIn(play).forget([...checks, ...comments]);
}

async function restored({ approvers }: Lane): Promise<void> {
  for (const { id } of approvers)
    await ground.here.post('ada', `/v1/people/${id}/roles`, { role: 'approver', group: 'security' });
}

it(`any interleaving of ${sequences} ends as one truth`, async () => {
  process.stderr.write(`seed ${seed}, ${sequences} sequences\n`);
  const [alone, freezing] = [turnstile(1), turnstile(3)];
  let [next, played] = [0, 0];
  let isOver = false;
  const lanes = Array.from({ length: Math.min(lanesAtOnce, sequences) }, async () => {
    const approvers = [await newApprover(ground), await newApprover(ground), await newApprover(ground)];
    for (let index = next; index < sequences && !isOver; index = next) {
      next += 1;
      const random = randomOf(seed + index);
      const lane: Lane = { ground, replica, approvers, random, alone, freezing };
      await expectOneEnd(await playOne(lane, index));
      played += 1;
      if (played % 100 === 0) process.stderr.write(`${played} played\n`);
      await restored(lane);
    }
  });
  // Whoever fails ends it for all, and is told when the others have left: nobody plays on a ground that is being closed.
  const ends = await Promise.allSettled(lanes.map((lane) => lane.finally(() => (isOver = true))));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  expect([...ground.slack.complaints, ...github.complaints]).toEqual([]);
}, 3_600_000);
