import fc from 'fast-check';
import { retryDelayMs, retryForMs } from './retry.ts';

describe('the next try', () => {
  it('comes after seconds at first, and within an hour at the end', () => {
    const longest = [1, 2, 3, 4, 5, 6, 70].map((attempt) => retryDelayMs(attempt, { random: 1, askedMs: null }));
    expect(longest).toEqual([5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 3_600_000]);
  });

  it('is drawn between half of its pause and the whole, and never earlier than the other side asks', () => {
    const attempts = fc.integer({ min: 1, max: 200 });
    const asked = fc.option(fc.integer({ min: 0, max: 86_400_000 }));
    fc.assert(
      fc.property(attempts, fc.double({ min: 0, max: 1, noNaN: true }), asked, (attempt, random, askedMs) => {
        const delay = retryDelayMs(attempt, { random, askedMs });
        const whole = retryDelayMs(attempt, { random: 1, askedMs: null });
        expect(delay).toBeGreaterThanOrEqual(Math.max(whole / 2, Math.min(askedMs ?? 0, 3_600_000)));
        expect(delay).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });

  it('is one of less than a hundred and fifty in all', () => {
    let [passed, tries] = [0, 0];
    while (passed < retryForMs) passed += retryDelayMs((tries += 1), { random: 0, askedMs: null });
    expect(tries).toBeLessThan(150);
  });
});
