import { aboutWords, durationWords, momentWords, rateWords, usualMs } from './headline-words.ts';

/** A Wednesday, 25 November 2026. */
const now = Date.UTC(2026, 10, 25, 12, 0);
const at = (hour: number, minute = 0) => Date.UTC(2026, 10, 25, hour, minute);
const minute = 60_000;

describe('the words of time', () => {
  const said = (moment: number, timeZone = 'UTC') => momentWords(moment, { now, timeZone });

  it.each([
    ['the same day by its hour', at(0), '00:00'],
    ['the day before by its weekday', at(0) - 1, 'Tue 23:59'],
    ['within six days by its weekday', now + 6 * 24 * 60 * minute - 1, 'Tue 11:59'],
    ['from six days on by its date', now + 6 * 24 * 60 * minute, '1 Dec 12:00'],
    ['another year with it', Date.UTC(2027, 0, 5, 9), '5 Jan 2027 09:00'],
  ])('name %s', (_what, moment, words) => {
    expect(said(moment)).toBe(words);
  });

  it('go by the zone that is asked for', () => {
    expect(said(at(10, 2), 'Europe/Berlin')).toBe('11:02');
    expect(said(at(10, 2), 'Asia/Tokyo')).toBe('19:02');
    expect(momentWords(at(10, 2), { now: at(16), timeZone: 'Asia/Tokyo' })).toBe('Wed 19:02');
  });

  it.each([
    [59_999, 'less than a minute'],
    [minute, '1 min'],
    [59.4 * minute, '59 min'],
    [59.5 * minute, '1 h'],
    [47.4 * 60 * minute, '47 h'],
    [47.5 * 60 * minute, '2 days'],
  ])('round %d ms to %s', (ms, words) => {
    expect(durationWords(ms)).toBe(words);
  });

  it('call nothing usual on fewer than five waits, and otherwise the middle one', () => {
    expect(usualMs([1, 2, 3, 4])).toBeNull();
    expect(usualMs([9, 1, 3, 2, 4])).toBe(3);
    expect(usualMs([9, 1, 3, 2, 4, 5])).toBe(3.5);
  });
});

describe('the words of an estimate', () => {
  it.each([
    [1, '1'],
    [37, '37'],
    [284, '280'],
    [999, '1000'],
    [12_345, '12000'],
  ])('round %d to two figures: %s', (count, words) => {
    expect(aboutWords(count)).toBe(words);
  });

  it.each([
    [600, '600 a minute'],
    [2.04, '2 a minute'],
    [0.2, '12 an hour'],
    [0.01, '14 a day'],
    [0.000_01, '1 a day'],
  ])('tell %d a minute by the first clock on which it comes at least once: %s', (perMinute, words) => {
    expect(rateWords(perMinute)).toBe(words);
  });
});
