import type { CanaryRule } from '@proviso/domain';
import type { LaneCounts } from '@proviso/targets';
import { beginCourse, type Course, nextMove, takeCounts, turnCourse } from './course.ts';
import { edgeMetrics } from './edge-metrics.ts';
import { takeReadings } from './metric-look.ts';
import { inBounds, type MetricCounters, type MetricReading, samplesBetween } from './metric-source.ts';

const bounds = [10, 25, 50];
const latency = { metric: 'latency', portion: 0.2, bounds } as const;
const since = 1_000;

/** Counters after so many looks, with so many values a look in each bucket. */
function counters(looks: number, more: Partial<MetricCounters> = {}): MetricCounters {
  const arm = (each: readonly number[]) => each.map((count) => count * looks);
  const { canary = [5, 5, 0, 0], stable = [40, 40, 5, 0], ...rest } = more;
  return { life: 'boot-1', at: since + looks * 1_000, bounds, canary: arm(canary), stable: arm(stable), ...rest };
}

const counted = (each: MetricCounters): { latency: MetricReading } => ({
  latency: { kind: 'counted', counters: each },
});
const none = (why: Extract<MetricReading, { kind: 'none' }>['why']) => ({ latency: { kind: 'none', why } }) as const;
const plans = [latency];

describe('what the sources of metrics say at a look', () => {
  const usedUp = { latency: counters(1) };

  it('is the difference to what was used up before', () => {
    const taken = takeReadings(usedUp, counted(counters(3)), { plans, since, newcomers: true });
    expect(taken).toMatchObject({ usedUp: { latency: counters(3) }, waiting: [], fault: null });
    expect(taken.metrics).toEqual({
      latency: { kind: 'histogram', canary: [10, 10, 0, 0], stable: [80, 80, 10, 0] },
    });
  });

  it.each([
    ['nothing newer was collected', counters(1), usedUp.latency],
    ['the counters began anew', counters(2, { life: 'boot-2' }), counters(2, { life: 'boot-2' })],
    ['a counter went back', { ...counters(0), at: 9_000 }, { ...counters(0), at: 9_000 }],
  ])('is no evidence and no silence when %s', (_what, next, used) => {
    const taken = takeReadings(usedUp, counted(next), { plans, since, newcomers: true });
    expect(taken).toEqual({ usedUp: { latency: used }, metrics: {}, waiting: ['latency'], fault: null });
  });

  it('takes what is new in both arms, where they are collected one after the other', () => {
    const collected = (looks: number, youngerAt: number) => counters(looks, { youngerAt: since + youngerAt });
    const used = { latency: collected(1, 1_500) };
    // Only the older of the two was collected again: its values wait for those of the other arm.
    const half = takeReadings(used, counted({ ...collected(2, 2_000), at: since + 1_500 }), {
      plans,
      since,
      newcomers: true,
    });
    expect(half).toEqual({ usedUp: used, metrics: {}, waiting: ['latency'], fault: null });
    const whole = takeReadings(used, counted(collected(2, 2_500)), { plans, since, newcomers: true });
    expect(whole.metrics.latency?.canary).toEqual([5, 5, 0, 0]);
  });

  it('counts from the first counters that were collected under the present share', () => {
    const early = takeReadings({}, counted(counters(0, { at: since - 1 })), { plans, since, newcomers: true });
    expect(early).toMatchObject({ usedUp: {}, waiting: ['latency'] });
    expect(takeReadings({}, counted(counters(1)), { plans, since, newcomers: true }).usedUp).toEqual(usedUp);
  });

  it.each(['absent', 'stale', 'unreachable', 'bad_answer'] as const)('is missed when it is %s', (why) => {
    expect(takeReadings(usedUp, none(why), { plans, since, newcomers: true })).toEqual({
      usedUp,
      metrics: {},
      waiting: [],
      fault: null,
    });
  });

  it('is refused when it makes no sense', () => {
    expect(takeReadings(usedUp, none('several_series'), { plans, since, newcomers: true }).fault).toBe(
      'several_series',
    );
    expect(takeReadings(usedUp, none('not_a_number'), { plans, since, newcomers: true }).fault).toBe(
      'impossible_samples',
    );
  });

  it('has the heats that came since, and none that was used up; a number that went back is counters begun anew', () => {
    const heats = (finished: number) => ({
      finished,
      newest: [
        [4, 16, 64],
        [5, 15, 80],
      ] as const,
    });
    const at = { plans, since, newcomers: true };
    const used = { latency: counters(1, { heats: { finished: 6, newest: [] } }) };
    const taken = takeReadings(used, counted(counters(3, { heats: heats(7) })), at);
    expect(taken.metrics.latency?.heats).toEqual([[5, 15, 80]]);
    expect(taken.usedUp.latency?.heats).toEqual({ finished: 7, newest: [] });
    expect(takeReadings(taken.usedUp, counted(counters(4, { heats: heats(7) })), at).metrics.latency?.heats).toEqual(
      [],
    );
    expect(takeReadings(used, counted(counters(3, { heats: heats(2) })), at).waiting).toEqual(['latency']);
    // An edge of a version before tells none: all values of a look are compared at once.
    expect(takeReadings(used, counted(counters(3)), at).metrics.latency).not.toHaveProperty('heats');
  });

  it('counts a first look from the beginning of its share, if the source saw that', () => {
    const began = { ...counters(1), heats: { finished: 6, newest: [] } };
    const newest = [[4, 16, 64]] as const;
    const reading = counted(counters(3, { began, heats: { finished: 7, newest } }));
    const at = { plans, since, newcomers: true };
    const first = takeReadings({}, reading, { ...at, fromBeginning: true });
    expect(first.metrics.latency).toEqual({
      ...{ kind: 'histogram', canary: [10, 10, 0, 0], stable: [80, 80, 10, 0] },
      heats: newest,
    });
    expect(first.usedUp.latency).not.toHaveProperty('began');
    expect(takeReadings({}, reading, at)).toMatchObject({ metrics: {}, waiting: ['latency'] });
    expect(takeReadings({}, counted(counters(3)), { ...at, fromBeginning: true }).waiting).toEqual(['latency']);
  });

  it('is no silence when nobody came for the first time, unless the source itself is away', () => {
    const later = counters(1, { at: 9_000 });
    const asked = (newcomers: boolean) => takeReadings(usedUp, counted(later), { plans, since, newcomers }).waiting;
    expect([asked(false), asked(true)]).toEqual([['latency'], []]);
    expect(takeReadings(usedUp, none('stale'), { plans, since, newcomers: false }).waiting).toEqual([]);
  });

  it('is put in the buckets of the policy, which must be among those of the source', () => {
    expect(inBounds(counters(1), [25])).toMatchObject({ bounds: [25], canary: [10, 0], stable: [80, 5] });
    expect(inBounds(counters(1), [])).toEqual(counters(1));
    expect(inBounds(counters(1), [30])).toBeNull();
    expect(samplesBetween(counters(1), { ...counters(2), bounds: [10, 25, 60] })).toBeNull();
  });
});

const rule: CanaryRule = {
  weights: [10, 50],
  lookMs: 1_000,
  dwellMs: 0,
  deadlineMs: 900_000,
  alpha: 0.01,
  beta: 0.05,
  rateRatioMax: 2,
};
const plan = { objective: 0.01, firstRelease: false, sticky: true, rateRatioTolerated: 1, rateRatioMax: 2 };
const opened = beginCourse({ ...plan, metrics: plans }, { weight: 10, laneFence: 7 });
const at = (now: number) => ({ now, deadline: 900_000, stale: false });

/** What the edge counted after so many looks of 10 and 90 new visitors; `firsts` is absent from an older edge. */
function counts(looks: number, firsts: MetricCounters | null, more: { bad?: number } = {}): LaneCounts {
  const arm = (units: number, badUnits: number, buckets: readonly number[] | undefined) => ({
    ...{ requests: units * looks, units: units * looks, firstBadUnits: badUnits * looks, badEvents: badUnits * looks },
    ...{ aborted: 0, latencyHistogram: [] },
    ...(buckets !== undefined && { firstLatencyHistogram: buckets }),
  });
  return {
    ...{ lane: 'lane_1', boot: 'boot-1', fence: { incarnation: 1, counter: 7 }, weightPercent: 10, parked: false },
    ...{ epoch: 1, since: '2026-01-01T00:00:00.000Z', ageMs: 0, latencyBoundsMs: bounds, turnedAway: 0 },
    saturated: false,
    canary: arm(10, more.bad ?? 0, firsts?.canary),
    stable: arm(90, 0, firsts?.stable),
  };
}

/** Looks at what the edge counts from look to look, through the edge as a source. */
async function look(
  begun: Course,
  span: { readonly from: number; readonly to: number },
  each: (looks: number) => LaneCounts,
): Promise<Course> {
  const releases = { promotion: 'prm_1', lane: 'lane_1', canary: 'rel_2', stable: 'rel_1' } as const;
  let course = begun;
  for (let looks = span.from; looks <= span.to; looks += 1) {
    const now = looks * 1_000;
    const seen = each(looks);
    const reading = await edgeMetrics.read({ ...releases, metric: 'latency', counts: seen, now });
    course = takeCounts(course, seen, { now, readings: { latency: reading } });
  }
  return course;
}

const slow = { canary: [0, 1, 9, 0] };

describe('a course that judges latency', () => {
  it('condemns a canary that is slower and makes no mistakes, and says so', async () => {
    const course = await look(opened, { from: 0, to: 60 }, (looks) => counts(looks, counters(looks, slow)));
    const { move, judged } = nextMove(course, rule, at(60_000));
    expect(move).toEqual({ kind: 'condemn' });
    expect(judged).toMatchObject({ reason: 'worse_by_metric', explanation: { worst: 'latency' } });
    expect(judged.explanation.metrics[0]?.samples).toEqual({ canary: 600, stable: 60 * 85 });
  });

  it('leaves one alone that answers alike', async () => {
    const alike = { canary: [4, 4, 1, 0], stable: [40, 40, 10, 0] };
    const course = await look(opened, { from: 0, to: 600 }, (looks) => counts(looks, counters(looks, alike)));
    expect(nextMove(course, rule, at(600_000)).judged.explanation.anytimeP).toBeGreaterThan(0.3);
  });

  it('climbs when both arms were heard, however late a source collects', async () => {
    const early = await look(opened, { from: 0, to: 0 }, (looks) => counts(looks, counters(looks)));
    let course = early;
    for (let looks = 1; looks <= 9; looks += 1)
      course = takeCounts(course, counts(looks, null), { now: looks * 1_000, readings: counted(counters(0)) });
    expect(nextMove(course, rule, at(9_000))).toMatchObject({ move: { kind: 'hold' }, judged: { kind: 'hold' } });
    const heard = await look(course, { from: 10, to: 11 }, (looks) => counts(looks, counters(looks)));
    expect(nextMove(heard, rule, at(11_000)).move).toEqual({ kind: 'weigh', percent: 50 });
  });

  it('holds while visitors come and their values do not, and asks a person at the deadline', async () => {
    const course = await look(opened, { from: 0, to: 5 }, (looks) => counts(looks, null));
    const { move, judged } = nextMove(course, rule, at(5_000));
    expect([move.kind, judged.reason]).toEqual(['hold', 'metric_silent']);
    expect(course.countedAt).toBe(0);
    expect(nextMove(course, rule, at(900_000)).move).toEqual({ kind: 'give_up' });
    const again = await look(course, { from: 6, to: 8 }, (looks) => counts(looks, counters(looks)));
    expect(nextMove(again, rule, at(8_000))).toMatchObject({ move: { kind: 'weigh', percent: 50 } });
  });

  it('asks for no more first values when only visitors come who were here before', async () => {
    const before = await look(opened, { from: 0, to: 3 }, (looks) => counts(looks, counters(looks)));
    const known = counts(3, counters(3));
    const later = (looks: number): LaneCounts => ({
      ...known,
      canary: { ...known.canary, requests: 10 * looks },
      stable: { ...known.stable, requests: 90 * looks },
    });
    const course = await look(before, { from: 4, to: 12 }, later);
    const { move, judged } = nextMove(course, rule, at(12_000));
    expect([move.kind, judged.kind]).toEqual(['weigh', 'hold']);
    expect(judged.explanation.metrics).toEqual(nextMove(before, rule, at(3_000)).judged.explanation.metrics);
  });

  it('expects no first values of visitors whom a growing share moves to the other side', async () => {
    const before = await look(opened, { from: 0, to: 3 }, (looks) => counts(looks, counters(looks)));
    const known = counts(3, counters(3));
    const moved = (looks: number): LaneCounts => ({
      ...known,
      canary: { ...known.canary, firstUnits: 30, units: 10 * looks, requests: 10 * looks },
      stable: { ...known.stable, firstUnits: 270, requests: 90 * looks },
    });
    const course = await look(before, { from: 4, to: 12 }, moved);
    expect(nextMove(course, rule, at(12_000)).judged.kind).toBe('hold');
  });

  it('sees an outage while the source of a metric is in disorder', async () => {
    let course = await look(opened, { from: 0, to: 3 }, (looks) => counts(looks, counters(looks)));
    for (let looks = 4; looks <= 9; looks += 1)
      course = takeCounts(course, counts(looks, null, { bad: 10 }), {
        now: looks * 1_000,
        readings: none('several_series'),
      });
    expect(nextMove(course, rule, at(9_000)).judged.reason).toBe('worse_than_stable');
  });

  it('is inconclusive and stays where it is while a source is in disorder', async () => {
    const before = await look(opened, { from: 0, to: 3 }, (looks) => counts(looks, counters(looks)));
    const course = takeCounts(before, counts(4, null), { now: 4_000, readings: none('several_series') });
    expect(nextMove(course, rule, at(4_000))).toMatchObject({
      move: { kind: 'hold' },
      judged: { kind: 'inconclusive', reason: 'look_refused' },
    });
  });

  it('takes no values across a change of the share, nor across a break of it', async () => {
    const before = await look(opened, { from: 0, to: 3 }, (looks) => counts(looks, counters(looks)));
    expect(turnCourse(before, { weight: 50, laneFence: 8 })).toMatchObject({ usedUp: {}, servedSince: null });
    const broken = await look(before, { from: 4, to: 4 }, (looks) => ({
      ...counts(looks, counters(looks, slow)),
      epoch: 2,
    }));
    expect(broken.judge.metrics).toEqual(before.judge.metrics);
    expect(broken.servedSince).toBe(4_000);
  });

  it('goes on from what was stored, bit for bit', async () => {
    const course = await look(opened, { from: 0, to: 9 }, (looks) => counts(looks, counters(looks, slow)));
    expect(JSON.parse(JSON.stringify(course))).toEqual(course);
  });
});
