import type { FreezeWindow } from '@proviso/domain';
import fc from 'fast-check';
import { calendar } from './freeze-calendar.ts';

const weekend: FreezeWindow = {
  ...{ zone: 'Europe/Berlin', from: '2026-10-16T18:00', until: '2026-10-19T06:00' },
  ...{ every: 'FREQ=WEEKLY', why: 'nobody is here at the weekend' },
};
const at = (moment: string) => Date.parse(moment);
const ends = (moment: string, ...windows: readonly FreezeWindow[]) => {
  const freeze = calendar.freezeAt(windows, at(moment));
  return freeze === null ? null : new Date(freeze.until).toISOString();
};

// Clocks go back on 25 October 2026 and forward on 28 March 2027, in the night to Sunday.
test.each([
  ['a minute before', '2026-10-16T15:59:00Z', null],
  ['at its begin', '2026-10-16T16:00:00Z', '2026-10-19T04:00:00.000Z'],
  ['at its end', '2026-10-19T04:00:00Z', null],
  ['over the change to winter, an hour longer', '2026-10-24T12:00:00Z', '2026-10-26T05:00:00.000Z'],
  ['in the hour that comes twice, first', '2026-10-25T00:30:00Z', '2026-10-26T05:00:00.000Z'],
  ['in the hour that comes twice, again', '2026-10-25T01:30:00Z', '2026-10-26T05:00:00.000Z'],
  ['in winter', '2026-12-05T12:00:00Z', '2026-12-07T05:00:00.000Z'],
  ['over the change to summer, an hour shorter', '2027-03-27T12:00:00Z', '2027-03-29T04:00:00.000Z'],
  ['a second before that end', '2027-03-29T03:59:59Z', '2027-03-29T04:00:00.000Z'],
  ['five years later', '2031-10-18T12:00:00Z', '2031-10-20T04:00:00.000Z'],
])('a weekend in Berlin: %s', (_when, moment, until) => {
  expect(ends(moment, weekend)).toBe(until);
});

test('a window that would begin in the hour that is skipped begins when that hour would have', () => {
  const nightly = { ...weekend, from: '2027-03-20T02:30', until: '2027-03-20T04:00', every: 'FREQ=DAILY' };
  // 02:30 is not there on the 28th: taken as before the change it is 01:30 in UTC, which the wall shows as 03:30.
  expect(ends('2027-03-28T01:29:59Z', nightly)).toBeNull();
  expect(ends('2027-03-28T01:30:00Z', nightly)).toBe('2027-03-28T02:00:00.000Z');
  expect(ends('2027-03-29T00:30:00Z', nightly)).toBe('2027-03-29T02:00:00.000Z');
});

test('a window without a rule comes once', () => {
  const { every: _every, ...once } = weekend;
  expect(ends('2026-10-17T12:00:00Z', once)).toBe('2026-10-19T04:00:00.000Z');
  expect(ends('2026-10-24T12:00:00Z', once)).toBeNull();
});

test('windows that touch or overlap are one freeze, told with the reason of the first', () => {
  const monday = { ...weekend, from: '2026-10-19T06:00', until: '2026-10-19T09:00', why: 'market opens' };
  const freeze = calendar.freezeAt([monday, weekend], at('2026-10-17T12:00:00Z'));
  expect(freeze).toEqual({ until: at('2026-10-19T07:00:00Z'), why: weekend.why });
});

test('the last day of a rule is counted in local time', () => {
  const until = { ...weekend, every: 'FREQ=WEEKLY;UNTIL=20261023T180000' };
  expect(ends('2026-10-24T12:00:00Z', until)).not.toBeNull();
  expect(ends('2026-10-31T12:00:00Z', until)).toBeNull();
  expect(ends('2026-11-20T12:00:00Z', { ...weekend, every: 'FREQ=MONTHLY;BYDAY=3FR;COUNT=2' })).toBeNull();
  expect(ends('2026-11-21T12:00:00Z', { ...weekend, every: 'FREQ=MONTHLY;BYDAY=3FR;COUNT=2' })).not.toBeNull();
});

test('zones with other changes, and without any', () => {
  const zoned = (zone: string) => ({ ...weekend, zone });
  expect(ends('2026-10-17T12:00:00Z', zoned('America/New_York'))).toBe('2026-10-19T10:00:00.000Z');
  expect(ends('2026-11-01T12:00:00Z', zoned('America/New_York'))).toBe('2026-11-02T11:00:00.000Z');
  expect(ends('2026-10-17T12:00:00Z', zoned('Asia/Kolkata'))).toBe('2026-10-19T00:30:00.000Z');
  expect(ends('2026-10-17T12:00:00Z', zoned('Australia/Lord_Howe'))).toBe('2026-10-18T19:00:00.000Z');
});

test('a freeze always ends after the moment it is asked for, and a moment later it is over or another', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'];
  const rules = [
    'FREQ=DAILY',
    'FREQ=DAILY;INTERVAL=3',
    'FREQ=WEEKLY;BYDAY=MO,FR',
    'FREQ=MONTHLY;BYMONTHDAY=-1',
    'FREQ=YEARLY',
  ];
  const moment = fc.integer({ min: at('2026-01-02T00:00:00Z'), max: at('2028-01-01T00:00:00Z') });
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...rules),
      fc.integer({ min: 1, max: 20 }),
      moment,
      (zone, every, hours, now) => {
        const until = `2026-01-01T${String(2 + hours).padStart(2, '0')}:30`;
        const window = { zone, every, from: '2026-01-01T02:30', until, why: 'x' };
        const freeze = calendar.freezeAt([window], now);
        if (freeze === null) return true;
        // No occurrence is longer than its wall hours and the change of a clock.
        return (
          freeze.until > now &&
          freeze.until - now <= (hours + 1) * 3_600_000 &&
          calendar.freezeAt([window], freeze.until) === null
        );
      },
    ),
    { numRuns: 400 },
  );
});

test.each<[string, Partial<FreezeWindow>, string]>([
  ['an unknown zone', { zone: 'Middle/Earth' }, 'expected a time zone such as Europe/Berlin, got Middle/Earth'],
  [
    'a day that is none',
    { from: '2026-02-30T18:00' },
    'expected from as a local time such as 2026-12-19T18:00, got 2026-02-30T18:00',
  ],
  [
    'an end without time',
    { until: '2026-10-19' },
    'expected until as a local time such as 2026-12-19T18:00, got 2026-10-19',
  ],
  [
    'an end before its begin',
    { until: '2026-10-16T17:00' },
    'expected until after from, got 2026-10-16T18:00 to 2026-10-16T17:00',
  ],
  ['a year', { until: '2027-10-19T06:00' }, 'expected at most 92 days, got 368'],
  [
    'a rule of minutes',
    { every: 'FREQ=MINUTELY' },
    'expected FREQ to be one of DAILY, WEEKLY, MONTHLY, YEARLY, got MINUTELY',
  ],
  ['no rule at all', { every: 'fridays' }, 'expected FREQ to be one of DAILY, WEEKLY, MONTHLY, YEARLY, got none'],
  [
    'a rule with another line in it',
    { every: 'FREQ=DAILY\nEXRULE:FREQ=DAILY' },
    'expected a recurrence rule such as FREQ=WEEKLY;BYDAY=FR',
  ],
  ['a last day in UTC', { every: 'FREQ=DAILY;UNTIL=20270101T000000Z' }, 'expected UNTIL as a local time without Z'],
  [
    'a day of the week that is none',
    { every: 'FREQ=WEEKLY;BYDAY=XX' },
    'expected a recurrence rule of RFC 5545, got one that cannot be read: Invalid BYDAY value: XX',
  ],
])('%s is refused in words', (_what, over, words) => {
  expect(calendar.windowProblem({ ...weekend, ...over })).toBe(words);
});

test('a window that makes sense has no problem', () => {
  expect(calendar.windowProblem(weekend)).toBeNull();
  expect(calendar.windowProblem({ ...weekend, every: 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20' })).toBeNull();
});
