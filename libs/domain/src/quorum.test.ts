import fc from 'fast-check';
import type { PersonId } from './id.ts';
import { type EligibleVote, matchQuorum, type Requirement } from './quorum.ts';

const person = (index: number): PersonId => `psn_${index}`;

/** Tries every assignment of votes to requirements: slow, obvious, and written apart from the matching. */
function metByBruteForce(requirements: readonly Requirement[], votes: readonly EligibleVote[]): boolean {
  const open = requirements.map((requirement) => requirement.count);
  const assign = (index: number): boolean => {
    if (open.every((count) => count <= 0)) return true;
    const vote = votes[index];
    if (vote === undefined) return false;
    for (const place of vote.fills) {
      if ((open[place] ?? 0) <= 0) continue;
      open[place] = (open[place] ?? 0) - 1;
      const met = assign(index + 1);
      open[place] = (open[place] ?? 0) + 1;
      if (met) return true;
    }
    return assign(index + 1);
  };
  return assign(0);
}

const world = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }).chain((counts) =>
  fc.record({
    requirements: fc.constant(counts.map((count, index): Requirement => ({ from: `group/g${index}`, count }))),
    fills: fc.array(fc.subarray(counts.map((_, index) => index)), { maxLength: 7 }),
  }),
);

describe('matchQuorum', () => {
  it('grants exactly what trying every assignment grants', () => {
    fc.assert(
      fc.property(world, ({ requirements, fills }) => {
        const votes = fills.map((places, index) => ({ person: person(index), fills: places }));
        expect(matchQuorum(requirements, votes).met).toBe(metByBruteForce(requirements, votes));
      }),
      { numRuns: 10_000 },
    );
  });

  it('lets a person in two groups fill the one that nobody else can', () => {
    const requirements = [
      { from: 'group/security', count: 1 },
      { from: 'group/legal', count: 1 },
    ];
    const both = { person: person(1), fills: [0, 1] };
    const securityOnly = { person: person(2), fills: [0] };
    expect(matchQuorum(requirements, [both, securityOnly])).toEqual({
      met: true,
      have: [1, 1],
      assigned: { psn_1: 1, psn_2: 0 },
    });
  });

  it('never counts one person twice', () => {
    const requirements = [
      { from: 'group/security', count: 1 },
      { from: 'group/legal', count: 1 },
    ];
    expect(matchQuorum(requirements, [{ person: person(1), fills: [0, 1] }])).toMatchObject({ met: false });
  });
});
