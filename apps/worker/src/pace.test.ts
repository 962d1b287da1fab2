import { type Command, headline, type HeadlineFacts } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import { freezePrototype } from './prototype-folder.contract.ts';
import { hurriedClock, openWorld, type PromoteOver, type World } from './world.contract.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
}, 60_000);

afterAll(async () => {
  await world.close();
});

let versions = 0;

/** A first release at its canary: users wait, or are admitted by its share. */
async function atCanary(over: PromoteOver) {
  versions += 1;
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `paced ${versions}\n` });
  const subject = await world.promote(await world.openPrototype(), artifact, over);
  expect(await world.run(subject)).toMatchObject({ kind: 'wait', why: 'waiting_for_human' });
  await world.approve(subject.promotion);
  return { subject, artifact, promotion: subject.promotion };
}

/** What happens at which look; whatever is asked of the journal is awaited at the end. */
function atLooks(happenings: Readonly<Record<number, () => Promise<unknown> | void>>) {
  let looks = 0;
  const under: Promise<unknown>[] = [];
  const fault = (at: string): void => {
    if (at !== 'inside_look') return;
    looks += 1;
    const happening = happenings[looks]?.();
    if (happening !== undefined) under.push(happening);
  };
  return { fault, settled: async () => void (await Promise.all(under)) };
}

const hand = (kind: 'Pause' | 'Unpause' | 'Advance' | 'Rollback', promotion: `prm_${string}`) => async () =>
  await world.submit(world.operator, { kind, promotion } satisfies Command);

const seriesOf = async (promotion: `prm_${string}`) =>
  await world.journal.reads(world.workspace).series({ promotion, limit: 1_000 });

describe('a canary that a person has paused', () => {
  it('stays at its share long after its dwell and its proof, and goes live when it is let go', async () => {
    const { subject, promotion } = await atCanary({ lookMs: 1_000, dwellMs: 20_000, deadlineMs: 600_000 });
    const { fault, settled } = atLooks({ 3: hand('Pause', promotion), 70: hand('Unpause', promotion) });
    expect(await world.carry(subject, 'canary', { fault, clock: hurriedClock() })).toEqual({
      kind: 'end',
      outcome: 'live',
    });
    await settled();
    const points = await seriesOf(promotion);
    const higher = points.findIndex(({ weight }) => weight > 10);
    const [first, kept] = [points[0], points[higher - 1]];
    expect((kept?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(60_000);
    expect(kept?.evidence.advance).toBeGreaterThan(-Math.log(0.05));
    // The series ends with what was concluded from.
    expect(points.at(-1)).toMatchObject({ weight: 50, move: 'settle', verdict: 'advance' });
  }, 60_000);

  it('is condemned as ever when it gets worse', async () => {
    const { subject, promotion, artifact } = await atCanary({ lookMs: 1_000, dwellMs: 60_000, deadlineMs: 600_000 });
    const { fault, settled } = atLooks({
      3: hand('Pause', promotion),
      20: () => world.edge.behave(artifact, { badShare: 0.6 }),
    });
    expect(await world.carry(subject, 'canary', { fault, clock: hurriedClock() })).toEqual({
      kind: 'run',
      step: 'undo',
    });
    await settled();
    expect((await seriesOf(promotion)).map(({ weight }) => weight)).not.toContain(50);
    expect((await world.view(promotion)).production?.state).toMatchObject({ weight: 0 });
  }, 60_000);

  it('is asked about at its deadline, proven or not', async () => {
    const { subject, promotion } = await atCanary({ lookMs: 1_000, dwellMs: 20_000, deadlineMs: 60_000 });
    const { fault, settled } = atLooks({ 3: hand('Pause', promotion) });
    expect(await world.carry(subject, 'canary', { fault, clock: hurriedClock() })).toMatchObject({
      kind: 'wait',
      why: 'blocked',
    });
    await settled();
    const { state, production } = await world.view(promotion);
    expect(state.gates.at(-1)).toMatchObject({ status: 'inconclusive', reasons: [{ code: 'canary_undecided' }] });
    expect((await seriesOf(promotion)).at(-1)).toMatchObject({ move: 'give_up', reason: 'deadline_reached' });
    expect(production?.state).toMatchObject({ weight: 0, canary: null });
  }, 60_000);
});

it('a canary that a person advances takes its next step long before its dwell is over', async () => {
  const { subject, promotion } = await atCanary({ lookMs: 1_000, dwellMs: 3_600_000, deadlineMs: 7_200_000 });
  const { fault, settled } = atLooks({ 10: hand('Advance', promotion), 60: hand('Rollback', promotion) });
  expect(await world.carry(subject, 'canary', { fault, clock: hurriedClock() })).toEqual({ kind: 'run', step: 'undo' });
  await settled();
  const weights = (await seriesOf(promotion)).map(({ weight }) => weight);
  expect([...new Set(weights)]).toEqual([0, 10, 50]);
  expect(await world.carry(subject, 'undo')).toEqual({ kind: 'end', outcome: 'rolled_back' });
}, 60_000);

/** The headline as the API would say it of a healthy canary. */
function saidOf({ state, lastLook }: PromotionView, now: number): string {
  if (lastLook === null) throw new Error('expected a look');
  const { unitsSeen: units, ...seen } = lastLook;
  const facts: HeadlineFacts = {
    ...{ now, timeZone: 'UTC', tally: null, hold: null, laneBusy: false, liveVersion: null, pastWaitsMs: [] },
    canary: { ...seen, units, finding: 'healthy' },
  };
  return headline(state, facts).sentence;
}

it('at two requests a minute it is told how many more are needed, when that will be, and that it is too late', async () => {
  const over = { weights: [50, 100], lookMs: 30_000, dwellMs: 60_000, deadlineMs: 20 * 60_000 };
  const { subject, promotion } = await atCanary(over);
  world.edge.visitorsPerLook = 1;
  const clock = hurriedClock();
  const said: string[] = [];
  const note = async () => {
    const now = clock.now();
    said.push(saidOf(await world.view(promotion), now));
  };
  const { fault, settled } = atLooks({ 20: note });
  let onward = await world.carry(subject, 'canary', { fault, clock });
  while (onward.kind === 'run') onward = await world.carry(subject, 'canary', { fault, clock });
  await settled();
  world.edge.visitorsPerLook = 200;
  expect(said).toEqual([
    expect.stringMatching(
      /^Live for 50 % of users, healthy so far \(n = \d+\)\. It needs about \d+ more visitors to be proven: at the present 2 a minute that is at about (\w+ )?\d\d:\d\d \(after the deadline at (\w+ )?\d\d:\d\d: a person will be asked\)\.$/,
    ),
  ]);
  // The time came, and a person is asked.
  expect(onward).toMatchObject({ kind: 'wait', why: 'blocked' });
  expect(saidOf(await world.view(promotion), clock.now())).toMatch(/^The canary could not tell.*A person decides/);
}, 60_000);
