import fc from 'fast-check';
import { letsThrough, verdicts, worse, worstOf } from './verdict.ts';

const verdict = fc.constantFrom(...verdicts);

describe('the lattice of verdicts', () => {
  it('has a join that is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(verdict, verdict, verdict, (a, b, c) => {
        expect(worse(a, b)).toBe(worse(b, a));
        expect(worse(worse(a, b), c)).toBe(worse(a, worse(b, c)));
        expect(worse(a, a)).toBe(a);
      }),
    );
  });

  it('never improves when a finding is added', () => {
    fc.assert(
      fc.property(fc.array(verdict, { minLength: 1 }), verdict, (parts, one) => {
        const [before, after] = [worstOf(parts), worstOf([...parts, one])];
        expect(verdicts.indexOf(after)).toBeGreaterThanOrEqual(verdicts.indexOf(before));
        if (!letsThrough(before)) expect(letsThrough(after)).toBe(false);
      }),
    );
  });

  it('takes no data for inconclusive, never for a pass', () => {
    expect(worstOf([])).toBe('inconclusive');
    expect(verdicts.filter(letsThrough)).toEqual(['pass', 'waived']);
  });
});
