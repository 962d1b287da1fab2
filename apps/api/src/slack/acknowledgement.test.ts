import { setTimeout as pause } from 'node:timers/promises';
import type { FakeSlackDeed } from '@proviso/testkit';
import { atApproval, pickText, policySource } from '../deployment.contract.ts';
import { newApprover, turnstile } from './interleaving.contract.ts';
import { type SlackGround, asking, openSlackGround, until } from './slack.contract.ts';

/** As the issue says: so many presses a second, each acknowledged when its decision is durable. */
const pressesPerSecond = 50;
const presses = 200;
const votersPerGate = 20;

let ground: SlackGround;

beforeAll(async () => {
  ground = await openSlackGround();
});

afterAll(async () => {
  await ground.close();
});

it(`${presses} presses at ${pressesPerSecond} a second are acknowledged with the truth`, async () => {
  const deeds = await readyToPress();
  const tookMs = await paced(presses, async (index) => void (await deeds[index]?.send().catch(() => null)));
  const told = await Promise.all(deeds.map((deed) => deed.told()));
  expect(told.filter((text) => text.startsWith('Recorded'))).toHaveLength(presses);
  expect(told.filter((text) => text.includes('has passed'))).toHaveLength(presses / votersPerGate);
  const [median, late] = [percentileOf(tookMs, 0.5), percentileOf(tookMs, 0.99)].map(Math.round);
  // How soon is measured on a durable database, by `npm run e2e -- channels`.
  process.stderr.write(`acknowledged: median ${median} ms, p99 ${late} ms\n`);
}, 180_000);

/** A press for each voter at each of several gates. */
async function readyToPress(): Promise<readonly FakeSlackDeed[]> {
  const { here, slack } = ground;
  const source = policySource
    .replace('policy: careful', 'policy: crowd')
    .replace('count: 2', `count: ${votersPerGate}`);
  const [adding, freezing] = [turnstile(4), turnstile(3)];
  const voters = await Promise.all(Array.from({ length: votersPerGate }, () => adding(() => newApprover(ground))));
  const policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
  const scenes = await Promise.all(
    Array.from({ length: presses / votersPerGate }, (_, index) =>
      freezing(() => atApproval(here, `crowd-${index}`, { policy })),
    ),
  );
  const deeds: FakeSlackDeed[] = [];
  for (const { promotion } of scenes) {
    const message = await until(() => asking(slack, promotion), 30_000);
    for (const { member } of voters) deeds.push(member.press(message, 'approve'));
  }
  return deeds;
}

/** Does so many things at the pace of the presses, and tells how long each took. */
async function paced(count: number, work: (index: number) => Promise<void>): Promise<readonly number[]> {
  const beganAt = performance.now();
  const under = Array.from({ length: count }, async (_, index) => {
    const dueMs = (index * 1_000) / pressesPerSecond;
    await pause(dueMs);
    const startedAt = Math.max(performance.now(), beganAt + dueMs);
    await work(index);
    return performance.now() - startedAt;
  });
  return await Promise.all(under);
}

function percentileOf(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)] ?? 0;
}
