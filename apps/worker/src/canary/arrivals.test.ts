import { arrivalsPerMinute, type Mark, withMark } from './arrivals.ts';

const minute = 60_000;

/** Marks of somebody who counts every so often, with so many visitors each time. */
function counted(everyMs: number, each: number, times: number): readonly Mark[] {
  let marks: readonly Mark[] = [];
  for (let time = 0; time <= times; time += 1) marks = withMark(marks, { at: time * everyMs, visitors: time * each });
  return marks;
}

it('is known after a minute and not before, so that a burst is no rate', () => {
  const marks = counted(1_000, 5, 0);
  expect(arrivalsPerMinute([], { at: 0, visitors: 9 })).toBeNull();
  expect(arrivalsPerMinute(marks, { at: minute - 1, visitors: 9 })).toBeNull();
  expect(arrivalsPerMinute(marks, { at: minute, visitors: 9 })).toBe(9);
});

it('is of the last ten minutes, however often somebody counts', () => {
  const marks = counted(1_000, 1, 3_600);
  expect(marks.map(({ at }) => at)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60].map((at) => at * minute));
  expect(arrivalsPerMinute(marks, { at: minute * 60, visitors: 3_600 })).toBe(60);
});

it('is of the last ten counts where they are further apart, and goes down while nobody comes', () => {
  const marks = counted(5 * minute, 2, 100);
  expect(marks).toHaveLength(11);
  expect(arrivalsPerMinute(marks, { at: 500 * minute, visitors: 200 })).toBe(0.4);
  expect(arrivalsPerMinute(marks, { at: 550 * minute, visitors: 200 })).toBe(0.2);
});

it('is nothing where nobody came', () => {
  expect(arrivalsPerMinute(counted(minute, 0, 5), { at: 6 * minute, visitors: 0 })).toBe(0);
});
