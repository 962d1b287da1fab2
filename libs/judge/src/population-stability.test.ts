import { populationStability, scoreClasses } from './population-stability.ts';

describe('the population stability index', () => {
  it('is what it is by hand', () => {
    // (.1−.25)·ln(.1/.25) + (.2−.25)·ln(.2/.25) + (.3−.25)·ln(.3/.25) + (.4−.25)·ln(.4/.25)
    //  = .137444 + .011157 + .009116 + .070501
    expect(populationStability([25, 25, 25, 25], [10, 20, 30, 40])).toBeCloseTo(0.228217, 6);
  });

  it('is 0 for the same shares, however many there are of each', () => {
    expect(populationStability([5, 3, 2], [50, 30, 20])).toBeCloseTo(0, 12);
  });

  it('is the same both ways', () => {
    const [one, other] = [
      [10, 30, 60],
      [20, 20, 60],
    ];
    expect(populationStability(one, other)).toBeCloseTo(populationStability(other, one), 12);
  });

  it('stays finite when a class empties, and says that much has moved', () => {
    const moved = populationStability([0, 90, 10], [0, 100, 0]);
    expect(moved).toBeCloseTo(0.1 * Math.log(1 / 0.9) + (0.000_1 - 0.1) * Math.log(0.000_1 / 0.1), 6);
    expect(moved).toBeGreaterThan(0.25);
  });

  it.each([
    ['no scores', [0, 0], [1, 1]],
    ['other classes', [1, 1], [1, 1, 1]],
    ['no classes', [], []],
  ])('is no number with %s', (_what, expected, actual) => {
    expect(populationStability(expected, actual)).toBeNaN();
  });
});

describe('classes of scores', () => {
  it('puts the bounds where they belong', () => {
    expect(scoreClasses([0, 0.19, 0.2, 0.5, 0.99, 1], 5)).toEqual([2, 1, 1, 0, 2]);
  });
});
