import { bet, betInTurn, emptyCapital, logBet, logCapital } from './capital.ts';

/** ln of the mean by plain logarithms, where the capital itself would overflow. */
function logMean(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0) / logs.length);
}

describe('a capital', () => {
  const stakes = [0.02, 0.5, 0.8];

  test.each([
    ['outgrows a double and comes back', [40, 0.0001], 1_000],
    ['shrinks below a double and comes back', [0.0001, 3], 80_000],
  ])('%s', (_, [first = 1, second = 1], looks) => {
    let capital = emptyCapital(stakes.length, 'early');
    const logs = stakes.map(() => 0);
    let furthest = 0;
    for (let look = 0; look < looks; look += 1) {
      const relative = look < looks / 2 ? first : second;
      capital = bet(capital, stakes, [relative]);
      for (const [index, stake] of stakes.entries())
        logs[index] = (logs[index] ?? 0) + Math.log1p(stake * (relative - 1));
      expect(capital.early.every(Number.isFinite)).toBe(true);
      const log = logMean(logs);
      furthest = Math.max(furthest, Math.abs(log));
      // The sums of logarithms are the less exact ones of the two.
      expect(Math.abs(logCapital(capital) - log)).toBeLessThan(1e-6);
    }
    // A double ends at e^709.
    expect(furthest).toBeGreaterThan(709);
  });

  test('knows each bet by itself', () => {
    const capital = bet(emptyCapital(2, 'early'), [0.5], [3, 0]);
    expect([logBet(capital, 0), logBet(capital, 1)]).toEqual([Math.log(2), Math.log(0.5)]);
  });

  test('is fair: with relatives of mean 1 it stays at 1 in the mean, before, while and after late money is paid', () => {
    let capital = emptyCapital(stakes.length, 'early_and_late');
    for (let look = 0; look < 400; look += 1) {
      if (look % 60 === 0) {
        const mean =
          (Math.exp(logCapital(bet(capital, stakes, [2]))) + Math.exp(logCapital(bet(capital, stakes, [0])))) / 2;
        expect(mean).toBeCloseTo(Math.exp(logCapital(capital)), 12);
      }
      capital = bet(capital, stakes, [look % 2 === 0 ? 1.3 : 0.7]);
    }
  });

  test('is paid one instalment for a look, however many bets it holds, and the same as ever when it holds one', () => {
    const start = emptyCapital(stakes.length, 'early_and_late');
    expect(logCapital(betInTurn(start, stakes, [1.7]))).toBeCloseTo(logCapital(bet(start, stakes, [1.7])), 12);
    const mean = (look: readonly number[]): number => Math.exp(logCapital(betInTurn(start, stakes, look)));
    const all = [2, 0].flatMap((first) => [2, 0].map((second) => mean([first, second])));
    expect(all.reduce((sum, each) => sum + each, 0) / 4).toBeCloseTo(1, 12);
    expect(betInTurn(start, stakes, []).late).toEqual(stakes.map(() => 1 / 360));
  });

  test.each([
    ['wins', 2],
    ['loses', 0],
  ])('%s as often as one look can hold, again and again, and stays a number', (_, relative) => {
    let capital = emptyCapital(stakes.length, 'early_and_late');
    for (let look = 0; look < 20; look += 1)
      capital = betInTurn(capital, [0.05, 0.4, 0.95], new Array<number>(512).fill(relative));
    const each = [...capital.early, ...capital.late, logCapital(capital)];
    expect(each.every(Number.isFinite)).toBe(true);
  });

  test('pays no more than it can count', () => {
    const capital = bet(emptyCapital(1, 'early_and_late'), [0.5], [Number.POSITIVE_INFINITY]);
    expect(Number.isFinite(logCapital(capital))).toBe(true);
    expect(logCapital(bet(capital, [0.5], [1e300]))).toBeGreaterThan(logCapital(capital));
  });
});
