import type { CanaryRule } from '@proviso/domain';
import type { CountsThen, EndedShare, LaneCounts } from '@proviso/targets';
import { beginCourse, canaryPerMinute, type Course, nextMove, sees, takeCounts, turnCourse } from './course.ts';

const rule: CanaryRule = {
  weights: [10, 50, 100],
  lookMs: 1_000,
  dwellMs: 3_000,
  deadlineMs: 60_000,
  alpha: 0.01,
  beta: 0.05,
  rateRatioMax: 2,
};
const plan = { objective: 0.01, firstRelease: false, sticky: true, rateRatioTolerated: 1, rateRatioMax: 2 };
const opened = beginCourse(plan, { weight: 10, laneFence: 7 });
const deadline = 60_000;
const at = (now: number, stale = false) => ({ now, deadline, stale });

/** Cumulative counts after so many looks of 1,000 visitors each. */
function counts(looks: number, more: { bad?: number; badStable?: number } & Partial<LaneCounts> = {}): LaneCounts {
  const { bad = 0, badStable = 0, ...rest } = more;
  const arm = (units: number, badUnits: number) => ({
    requests: units * looks,
    units: units * looks,
    firstBadUnits: badUnits * looks,
    badEvents: badUnits * looks,
    aborted: 0,
    latencyHistogram: [],
  });
  const fence = { incarnation: 1, counter: 7 };
  const at = { since: '2026-01-01T00:00:00.000Z', ageMs: 0, latencyBoundsMs: [], turnedAway: 0, saturated: false };
  const served = { lane: 'lane_1', boot: 'boot-1', fence, weightPercent: 10, parked: false, epoch: 1 };
  return { ...served, ...at, canary: arm(100, bad), stable: arm(900, badStable), ...rest };
}

function take(course: Course, seen: LaneCounts, now: number): Course {
  return takeCounts(course, seen, { now, readings: {} });
}

/** What was counted in the first epoch after so many looks, as it ended. */
function ended(looks: number, more: { bad?: number } = {}): EndedShare {
  const { epoch, weightPercent } = counts(looks);
  return { epoch, weightPercent, ...then(looks, more), began: then(0) };
}

/** How far the counters had come after so many looks. */
function then(looks: number, more: { bad?: number } = {}): CountsThen {
  const { canary, stable, turnedAway } = counts(looks, more);
  return { canary, stable, turnedAway };
}

function after(looks: number, more: Parameters<typeof counts>[1] = {}, from: Course = opened): Course {
  let course = from;
  for (let look = 0; look <= looks; look += 1) course = take(course, counts(look, more), look * 1_000);
  return course;
}

describe('a course', () => {
  it('climbs when the dwell is over and nothing speaks against it', () => {
    expect(nextMove(after(2), rule, at(2_000)).move).toEqual({ kind: 'hold' });
    expect(nextMove(after(3), rule, at(3_000)).move).toEqual({ kind: 'weigh', percent: 50 });
  });

  it('goes to 100 only when it is proven, however long it was calm', () => {
    const half = { ...after(3), weight: 50 };
    expect(nextMove(half, rule, at(9_000)).move).toEqual({ kind: 'hold' });
    const proven = { ...after(40), weight: 50 };
    expect(nextMove(proven, rule, at(40_000)).move).toEqual({ kind: 'weigh', percent: 100 });
    expect(nextMove({ ...proven, weight: 100 }, rule, at(40_000)).move).toEqual({ kind: 'settle' });
  });

  it('neither climbs nor settles on what it saw before the edge went away', () => {
    const proven = { ...after(40), weight: 50 };
    expect(nextMove(proven, rule, at(40_000, true))).toMatchObject({
      move: { kind: 'hold' },
      judged: { reason: 'stale_sample' },
    });
    expect(nextMove({ ...proven, weight: 100 }, rule, at(40_000, true)).move).toEqual({ kind: 'hold' });
    expect(nextMove(proven, rule, at(60_000, true)).move).toEqual({ kind: 'give_up' });
  });

  it('condemns what is worse, whatever else is due', () => {
    const { move, judged } = nextMove(after(5, { bad: 20, badStable: 9 }), rule, at(99_000));
    expect(move).toEqual({ kind: 'condemn' });
    expect(judged.reason).toBe('worse_than_stable');
  });

  it('condemns on visitors who have been there for long when they begin to fail', () => {
    const before = counts(3);
    const worse = (canary: number, stable: number) => ({
      ...before,
      canary: { ...before.canary, requests: 900, badEvents: canary, firstBadUnits: canary },
      stable: { ...before.stable, requests: 8_100, badEvents: stable, firstBadUnits: stable },
    });
    const course = takeCounts(after(3), worse(30, 9), { now: 4_000, readings: {} });
    expect(course.judge).toMatchObject({ lastLook: 'counted', canary: { bad: 30, ok: 270 }, stable: { bad: 9 } });
    expect(nextMove(course, rule, at(4_000)).move).toEqual({ kind: 'condemn' });
  });

  it('gives up at its deadline and never promotes by default', () => {
    expect(nextMove(after(0), rule, at(60_000)).move).toEqual({ kind: 'give_up' });
    expect(nextMove(after(0), rule, at(59_999)).move).toEqual({ kind: 'hold' });
  });

  it('takes nothing from counts under another fence, another boot or another share', () => {
    const course = after(1);
    const other = { incarnation: 1, counter: 8 };
    expect(take(course, counts(9, { bad: 90, fence: other }), 9_000)).toBe(course);
    for (const changed of [{ boot: 'boot-2' }, { epoch: 2 }, { weightPercent: 0 }]) {
      expect(take(course, counts(9, { bad: 90, ...changed }), 9_000).judge).toEqual(course.judge);
    }
  });

  it('takes what was counted before a lease lapsed, once, and condemns on it before anybody meets the canary again', () => {
    const course = after(2);
    const parked = { epoch: 2, weightPercent: 0, parked: true, ended: ended(9, { bad: 50 }) };
    const back = take(course, counts(12, { bad: 50, ...parked }), 12_000);
    expect(back.judge.canary).toEqual({ bad: 450, ok: 450 });
    expect(nextMove(back, rule, at(12_000, true)).move).toEqual({ kind: 'condemn' });
    expect(take(back, counts(13, { bad: 50, ...parked }), 13_000).judge).toEqual(back.judge);
    expect(back.countedAt).toBe(course.countedAt);
  });

  it.each([
    ['an epoch that it has not looked at', { epoch: 3 }],
    ['a share that it did not decide', { weightPercent: 0 }],
  ])('takes nothing of what ended under %s', (_what, then) => {
    const course = after(2);
    const cut = { ...ended(9, { bad: 50 }), ...then };
    expect(take(course, counts(12, { bad: 50, epoch: 4, ended: cut }), 12_000).judge).toEqual(course.judge);
  });

  it('counts each visitor since the share began, whether or not there was a look under it', () => {
    const began = then(3, { bad: 10 });
    const first = take(opened, counts(8, { bad: 10, epoch: 2, began }), 8_000);
    expect(first.judge.canary).toEqual({ bad: 50, ok: 450 });
    expect(take(first, counts(9, { bad: 10, epoch: 2, began }), 9_000).judge.canary).toEqual({ bad: 60, ok: 540 });
    const lost = take(
      opened,
      counts(12, { epoch: 3, weightPercent: 0, ended: { ...ended(9), began: then(4) } }),
      12_000,
    );
    expect(lost.judge.canary).toEqual({ bad: 0, ok: 500 });
  });

  it('uses nothing twice when the counters of one share went back', () => {
    const course = after(4);
    expect(take(course, counts(3, { began: then(0) }), 5_000).judge).toEqual(course.judge);
  });

  it('counts each visitor once when looks in between were lost', () => {
    const every = after(6, { bad: 1, badStable: 9 });
    const lost = take(after(2, { bad: 1, badStable: 9 }), counts(6, { bad: 1, badStable: 9 }), 6_000);
    expect(lost.judge.canary).toEqual(every.judge.canary);
    expect(lost.judge.stable).toEqual(every.judge.stable);
  });

  it('stops seeing after four looks without a visitor, and sees again with the next', () => {
    let course = after(1);
    for (let look = 2; look < 5; look += 1) course = take(course, counts(1), look * 1_000);
    expect(sees(course)).toBe(true);
    course = take(course, counts(1), 5_000);
    expect(sees(course)).toBe(false);
    expect(nextMove(course, { ...rule, dwellMs: 0 }, at(5_000)).move).toEqual({ kind: 'hold' });
    expect(sees(take(course, counts(2), 6_000))).toBe(true);
  });

  it('keeps its evidence and begins its counters anew under another share', () => {
    const course = after(3, { bad: 1, badStable: 9 });
    const turned = turnCourse(course, { weight: 50, laneFence: 8 });
    expect(turned).toMatchObject({ judge: course.judge, sample: null, weightSince: null, requestsAtWeight: 0 });
    expect(turnCourse(course, { weight: 10, laneFence: 7 })).toBe(course);
  });

  it('stays at its share while a person has paused it, proven or not, and is condemned as ever', () => {
    const paused = (course: Course, now: number) => nextMove(course, rule, { ...at(now), pace: 'paused' });
    expect(paused(after(3), 3_000).move).toEqual({ kind: 'hold' });
    const proven = { ...after(40), weight: 100 };
    expect(paused(proven, 40_000)).toMatchObject({ move: { kind: 'hold' }, judged: { reason: 'dwell_unmet' } });
    expect(paused(after(5, { bad: 20, badStable: 9 }), 5_000).move).toEqual({ kind: 'condemn' });
    expect(paused(proven, deadline)).toMatchObject({
      move: { kind: 'give_up' },
      judged: { reason: 'deadline_reached' },
    });
  });

  it('needs no dwell where a person hurries it, and everything else as ever', () => {
    const hurried = (course: Course, over: object = {}) =>
      nextMove(course, rule, { ...at(2_000), ...over, pace: 'hastened' }).move;
    expect(hurried(after(2))).toEqual({ kind: 'weigh', percent: 50 });
    expect(hurried({ ...after(2), weight: 50 })).toEqual({ kind: 'hold' });
    expect(hurried({ ...after(2), weightSince: null })).toEqual({ kind: 'hold' });
    expect(hurried(after(2), { stale: true })).toEqual({ kind: 'hold' });
    const suspicious = after(2, { bad: 3, badStable: 9 });
    expect(nextMove(suspicious, rule, at(9_000)).judged.reason).toBe('suspicious');
    expect(hurried(suspicious)).toEqual({ kind: 'hold' });
  });

  it('tells how fast its visitors come: both arms together, by its part of them, under one share', () => {
    let course = opened;
    for (let look = 0; look <= 10; look += 1)
      course = takeCounts(course, counts(look), { now: look * 30_000, readings: {} });
    expect(canaryPerMinute(course, 300_000)).toBeCloseTo(200, 0);
    expect(canaryPerMinute(turnCourse(course, { weight: 50, laneFence: 8 }), 300_000)).toBeNull();
  });

  it('survives being stored, bit for bit', () => {
    const course = after(5, { bad: 2, badStable: 9 });
    expect(JSON.parse(JSON.stringify(course))).toEqual(course);
  });
});
