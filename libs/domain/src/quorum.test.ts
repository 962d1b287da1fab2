import fc from 'fast-check';
import { type Demand, type Requirement, countWays, demandProblem, demandWords, leavesOf, waysOf } from './demand.ts';
import type { PersonId } from './id.ts';
import { type EligibleVote, matchQuorum, missingWords } from './quorum.ts';

/** Enough for every shape of demands to meet every kind of vote; fewer where the same is run for every mutant. */
const { numRuns = 12_000 } = fc.readConfigureGlobal();

const person = (index: number): PersonId => `psn_${index}`;

/** Somebody who voted: their groups, and whether they are excluded from this promotion. */
interface Voter {
  readonly groups: readonly string[];
  readonly excluded: boolean;
}

/** Tries every assignment of people to leaves, then asks the tree: slow, obvious, and written apart from the matching. */
function metByBruteForce(demands: readonly Demand[], voters: readonly Voter[]): boolean {
  const places: Requirement[] = [];
  const collect = (demand: Demand): ((filled: readonly number[]) => boolean) => {
    if ('from' in demand) {
      const at = places.push(demand) - 1;
      return (filled) => (filled[at] ?? 0) >= demand.count;
    }
    if ('any' in demand) {
      const parts = demand.any.map(collect);
      return (filled) => parts.some((part) => part(filled));
    }
    if ('all' in demand) {
      const parts = demand.all.map(collect);
      return (filled) => parts.every((part) => part(filled));
    }
    const parts = demand.of.map(collect);
    return (filled) => parts.filter((part) => part(filled)).length >= demand.atLeast;
  };
  const holds = collect({ all: demands });
  const filled = places.map(() => 0);
  const assign = (index: number): boolean => {
    if (holds(filled)) return true;
    const voter = voters[index];
    if (voter === undefined) return false;
    if (assign(index + 1)) return true;
    return places.some((place, at) => {
      if (voter.excluded || !voter.groups.includes(place.from) || filled[at] === place.count) return false;
      filled[at] = (filled[at] ?? 0) + 1;
      const met = assign(index + 1);
      filled[at] = (filled[at] ?? 0) - 1;
      return met;
    });
  };
  return assign(0);
}

function votesOf(demands: readonly Demand[], voters: readonly Voter[]): readonly EligibleVote[] {
  const leaves = leavesOf(demands);
  return voters.map(({ groups, excluded }, index) => ({
    person: person(index),
    fills: leaves.flatMap(({ from }, leaf) => (!excluded && groups.includes(from) ? [leaf] : [])),
  }));
}

const groups = ['group/security', 'group/product', 'group/legal', 'role/operator'];
const leaf = fc.record({ from: fc.constantFrom(...groups), count: fc.integer({ min: 1, max: 2 }) });

/** Demands nested up to three deep, small enough for the brute force. */
function demandOf(depth: number): fc.Arbitrary<Demand> {
  if (depth === 0) return leaf;
  const parts = fc.array(demandOf(depth - 1), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: parts.map((any) => ({ any })) },
    { weight: 1, arbitrary: parts.map((all) => ({ all })) },
    {
      weight: 1,
      arbitrary: parts.chain((of) => fc.integer({ min: 1, max: of.length }).map((atLeast) => ({ atLeast, of }))),
    },
  );
}

/** A small world: the brute force tries every assignment, so places and people are few. */
function worldOf(bounds: { readonly leaves: number; readonly voters: number }) {
  const member = fc.record({
    groups: fc.subarray(groups),
    excluded: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });
  return fc.record({
    demands: fc
      .array(demandOf(3), { minLength: 1, maxLength: 2 })
      .filter((demands) => leavesOf(demands).length <= bounds.leaves && demandProblem(demands) === null),
    voters: fc.array(member, { maxLength: bounds.voters }),
  });
}

describe('matchQuorum', () => {
  it('grants exactly what trying every assignment grants, and says what is missing exactly when it does not', () => {
    const seen = { met: 0, open: 0, joined: 0 };
    fc.assert(
      fc.property(worldOf({ leaves: 4, voters: 5 }), ({ demands, voters }) => {
        const tally = matchQuorum(demands, votesOf(demands, voters));
        expect(tally.met).toBe(metByBruteForce(demands, voters));
        expect(tally.missing.length > 0).toBe(!tally.met);
        seen[tally.met ? 'met' : 'open'] += 1;
        if (demands.some((demand) => !('from' in demand))) seen.joined += 1;
      }),
      { numRuns },
    );
    // A property over worlds that are all alike would prove nothing.
    expect(Math.min(seen.met, seen.open, seen.joined)).toBeGreaterThan(numRuns / 12);
  }, 60_000);

  it('needs exactly as many more people as it says are missing', () => {
    fc.assert(
      fc.property(worldOf({ leaves: 3, voters: 2 }), ({ demands, voters }) => {
        const { met, missing } = matchQuorum(demands, votesOf(demands, voters));
        for (const way of missing) {
          const helpers = way.flatMap(({ from, count }) =>
            Array.from({ length: count }, () => ({ groups: [from], excluded: false })),
          );
          expect(metByBruteForce(demands, [...helpers, ...voters])).toBe(true);
          expect(metByBruteForce(demands, [...helpers.slice(1), ...voters])).toBe(false);
        }
        expect(met || missing.length > 0).toBe(true);
      }),
      { numRuns: Math.min(numRuns, 1_000) },
    );
  }, 60_000);

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
      missing: [],
    });
  });

  it('never counts one person twice', () => {
    const requirements = [
      { from: 'group/security', count: 1 },
      { from: 'group/legal', count: 1 },
    ];
    expect(matchQuorum(requirements, [{ person: person(1), fills: [0, 1] }])).toMatchObject({ met: false });
  });

  it('names each of the nearest ways, and counts a vote that only another way could use', () => {
    const demands = [
      { from: 'group/security', count: 1 },
      {
        any: [
          { from: 'group/product', count: 2 },
          { from: 'group/legal', count: 2 },
        ],
      },
    ];
    const votes = [
      { person: person(1), fills: [1] },
      { person: person(2), fills: [2] },
    ];
    const tally = matchQuorum(demands, votes);
    expect(tally).toMatchObject({ met: false, have: [0, 1, 1] });
    expect(missingWords(tally)).toBe(
      '1 more of group/security and 1 more of group/product, or 1 more of group/security and 1 more of group/legal',
    );
  });

  it('names the three nearest ways at most, each once', () => {
    const from = (name: string): Requirement => ({ from: `group/${name}`, count: 1 });
    const missing = (names: readonly string[]) => matchQuorum([{ any: names.map(from) }], []).missing;
    expect(missing(['a', 'b', 'c', 'd'])).toEqual([[from('a')], [from('b')], [from('c')]]);
    expect(missing(['a', 'a', 'b'])).toEqual([[from('a')], [from('b')]]);
  });

  it('leaves out the ways that are further, and counts what is there', () => {
    const demands: readonly Demand[] = [
      {
        any: [
          { from: 'group/a', count: 3 },
          { from: 'group/b', count: 3 },
        ],
      },
    ];
    const votes = [0, 1, 2].map((index) => ({ person: person(index), fills: index === 0 ? [0] : [1] }));
    expect(matchQuorum(demands, votes)).toEqual({
      ...{ met: false, have: [1, 2], assigned: { psn_0: 0, psn_1: 1, psn_2: 1 } },
      missing: [[{ from: 'group/b', count: 1 }]],
    });
  });

  it('counts nobody beyond a place that is full, and moves one along to seat another', () => {
    const two = [
      { from: 'group/a', count: 2 },
      { from: 'group/b', count: 1 },
    ];
    const vote = (index: number, ...fills: readonly number[]) => ({ person: person(index), fills });
    expect(matchQuorum(two, [vote(0, 0), vote(1, 0), vote(2, 0)])).toMatchObject({
      ...{ met: false, have: [2, 0], assigned: { psn_0: 0, psn_1: 0 } },
    });
    expect(matchQuorum(two, [vote(0, 0), vote(1, 0, 1), vote(2, 0)])).toMatchObject({
      ...{ met: true, have: [2, 1], assigned: { psn_0: 0, psn_1: 1, psn_2: 0 } },
    });
  });

  it('takes the worst case of its bound in less than half a second', () => {
    const of = Array.from({ length: 12 }, (_, index) => ({ from: `group/g${index}`, count: 3 }));
    const demands = [{ atLeast: 4, of }];
    expect(demandProblem(demands)).toBeNull();
    const votes = Array.from({ length: 11 }, (_, index) => ({ person: person(index), fills: [...of.keys()] }));
    const began = performance.now();
    expect(matchQuorum(demands, votes).met).toBe(false);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('demands', () => {
  const four = ['a', 'b', 'c', 'd'].map((name): Requirement => ({ from: `group/${name}`, count: 1 }));

  const five = [...four, { from: 'group/e', count: 1 }];

  it('lists as many ways as it counts', () => {
    fc.assert(
      fc.property(fc.array(demandOf(3), { minLength: 1, maxLength: 3 }), (demands) => {
        fc.pre(demandProblem(demands) === null);
        expect(waysOf(demands)).toHaveLength(countWays({ all: demands }));
      }),
      { numRuns: Math.min(numRuns, 500) },
    );
  });

  it.each<[string, readonly Demand[], RegExp | null]>([
    ['two of four', [{ atLeast: 2, of: four }], null],
    ['five of four', [{ atLeast: 5, of: four }], /at least 5 requirements below atLeast: 5, got 4/],
    [
      'three of two, within others',
      [{ any: [four[0] as Requirement, { atLeast: 3, of: four.slice(0, 2) }] }],
      /at least 3 requirements below atLeast: 3, got 2/,
    ],
    ['nothing', [], /at least one requirement/],
    ['twenty places', [{ any: Array.from({ length: 20 }, () => four[0] as Requirement) }], null],
    ['twenty-one places', [{ any: Array.from({ length: 21 }, () => four[0] as Requirement) }], /at most 20/],
    [
      'ten of twenty',
      [{ atLeast: 10, of: Array.from({ length: 20 }, (_, index) => ({ from: `group/g${index}`, count: 1 })) }],
      /at most 1000 ways to meet the requirements, got 184756/,
    ],
    ['a thousand ways', Array.from({ length: 3 }, () => ({ atLeast: 2, of: five })), null],
    [
      'a thousand ways and some more',
      [...Array.from({ length: 3 }, () => ({ atLeast: 2, of: five })), { any: four.slice(0, 2) }],
      /at most 1000 ways to meet the requirements, got 2000/,
    ],
  ])('judges %s', (_what, demands, message) => {
    if (message === null) expect(demandProblem(demands)).toBeNull();
    else expect(demandProblem(demands)).toMatch(message);
  });

  it('are said as people say them', () => {
    const say = ({ from }: Requirement) => from.slice('group/'.length);
    const [a, b, c, d] = four as [Requirement, Requirement, Requirement, Requirement];
    expect(demandWords([a, b], say)).toBe('a and b');
    expect(demandWords([a, { any: [b, { all: [c, d] }] }], say)).toBe('a and (b or (c and d))');
    expect(demandWords([{ atLeast: 2, of: [b, c, d] }], say)).toBe('at least 2 of (b, c, d)');
    expect(demandWords([a, { atLeast: 1, of: [b, c] }], say)).toBe('a and (b or c)');
    expect(demandWords([{ any: [a, { atLeast: 2, of: [b, c] }] }], say)).toBe('(a or (b and c))');
    expect(demandWords([a, { any: [b] }], say)).toBe('a and b');
  });

  it('are said with the place of each, in the order in which they are written', () => {
    const [a, b, c] = four as [Requirement, Requirement, Requirement];
    const say = ({ from }: Requirement, index: number) => `${from} ${index}`;
    expect(demandWords([{ all: [a, { any: [b, c] }] }, a, { any: [c] }], say)).toBe(
      '(group/a 0 and (group/b 1 or group/c 2)) and group/a 3 and group/c 4',
    );
  });

  it('name their places in that order, the nested ones too, and each way to meet them once', () => {
    const [a, b, c] = four as [Requirement, Requirement, Requirement];
    const demands: readonly Demand[] = [{ any: [a, { all: [b, c] }] }, { atLeast: 2, of: four.slice(0, 3) }];
    expect(leavesOf(demands).map(({ from }) => from.slice(-1))).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(waysOf(demands)).toEqual([
      ...[
        [0, 3, 4],
        [0, 3, 5],
        [0, 4, 5],
      ],
      ...[
        [1, 2, 3, 4],
        [1, 2, 3, 5],
        [1, 2, 4, 5],
      ],
    ]);
    expect(demands.map(countWays)).toEqual([2, 3]);
  });
});
