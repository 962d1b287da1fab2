import fc from 'fast-check';
import type { Demand } from './demand.ts';
import { type Policy, gateNames } from './policy.ts';
import { policyShape } from './policy-document.ts';
import { type Strength, comparePolicies, gateFields, policyFields, strengthOf } from './policy-strength.ts';
import { matchQuorum } from './quorum.ts';
import type { ShapeNode } from './shape.ts';
import { leavesOf } from './demand.ts';
import { watchShape } from './watch-document.ts';
import { watchChecks } from './watch-rule.ts';
import { watchFields } from './watch-strength.ts';
import { smallPolicy } from './world.contract.ts';

/** The small policy with some rules changed. */
function withRule(gate: string, change: object): Policy {
  return {
    ...smallPolicy,
    gates: smallPolicy.gates.map((rule) => (rule.gate === gate ? { ...rule, ...change } : rule)),
  };
}

const ramp = (badRequests: number) => ({
  budget: { badRequests, requestsPerSecond: 100, badShare: 1 },
  hold: 'usual',
});
/** The small policy with its releases watched for errors. */
function watchedBy(change: object): Policy {
  return { ...smallPolicy, watch: { everyMs: 3_600_000, errorBudget: { burnMax: 2, do: 'hold' }, ...change } };
}

const security = { from: 'group/security', count: 1 };
const operator = { from: 'role/operator', count: 1 };
const edits: readonly (readonly [string, Policy, Strength, string])[] = [
  ['a shorter answer time', withRule('approval', { expiresMs: 400_000 }), 'stronger', 'approval.expires'],
  ['a longer answer time', withRule('approval', { expiresMs: 600_000 }), 'weaker', 'approval.expires'],
  ['a door less', withRule('approval', { channels: ['page', 'rest'] }), 'stronger', 'approval.channels'],
  ['a fresh login', withRule('approval', { stepUp: true }), 'stronger', 'approval.stepUp'],
  ['votes that stay on fresh evidence', withRule('approval', { onRefresh: 'keep' }), 'weaker', 'approval.onRefresh'],
  [
    'a glass to break',
    withRule('approval', { breakGlass: { from: 'group/incident' } }),
    'weaker',
    'approval.breakGlass',
  ],
  ['waivers', withRule('approval', { waivers: { from: 'group/security', daysMax: 30 } }), 'weaker', 'approval.waivers'],
  ['somebody who is told', withRule('approval', { escalate: 'group/security' }), 'neutral', 'approval.escalate'],
  ['fewer people', withRule('approval', { requirements: [security] }), 'weaker', 'approval.requirements'],
  [
    'one more person',
    withRule('approval', { requirements: [{ ...security, count: 2 }, operator] }),
    'stronger',
    'approval.requirements',
  ],
  [
    'either instead of both',
    withRule('approval', { requirements: [{ any: [security, operator] }] }),
    'weaker',
    'approval.requirements',
  ],
  [
    'another group instead',
    withRule('approval', { requirements: [security, { from: 'group/product', count: 1 }] }),
    'weaker',
    'approval.requirements',
  ],
  ['a finer ramp', withRule('canary', { weights: [1, 10, 50] }), 'stronger', 'canary.weights'],
  ['a coarser ramp', withRule('canary', { weights: [50] }), 'weaker', 'canary.weights'],
  ['slowness', withRule('canary', { metrics: { latency: { portion: 0.2 } } }), 'stronger', 'canary.metrics'],
  ['little for errors', withRule('canary', { metrics: { score: { portion: 0.9 } } }), 'weaker', 'canary.metrics'],
  ['the same shares, planned', withRule('canary', { ramp: ramp(50) }), 'neutral', 'canary.ramp'],
  ['nobody’s hand from chat', withRule('canary', { channels: ['rest'] }), 'stronger', 'canary.channels'],
  ['a longer stay', withRule('canary', { dwellMs: 5_000 }), 'stronger', 'canary.dwell'],
  ['fewer false alarms', withRule('canary', { alpha: 0.001 }), 'weaker', 'canary.alpha'],
  ['fewer bad ones let through', withRule('canary', { beta: 0.01 }), 'stronger', 'canary.beta'],
  ['more patience with crashes', withRule('scan', { attemptsMax: 5 }), 'neutral', 'scan.attemptsMax'],
  ['no scan', { ...smallPolicy, gates: smallPolicy.gates.slice(1) }, 'weaker', 'scan'],
  [
    'a readiness gate',
    { ...smallPolicy, gates: [{ gate: 'readiness', attemptsMax: 3 }, ...smallPolicy.gates] },
    'stronger',
    'readiness',
  ],
  [
    'staging before the scan',
    { ...smallPolicy, gates: [1, 0, 2, 3].flatMap((index) => smallPolicy.gates[index] ?? []) },
    'weaker',
    'gates',
  ],
  ['older evidence', { ...smallPolicy, evidenceAgeMaxMs: 2_000_000 }, 'weaker', 'evidenceAgeMax'],
  [
    'a window in which nothing goes live',
    {
      ...smallPolicy,
      freeze: [{ zone: 'Europe/Berlin', from: '2026-12-19T18:00', until: '2027-01-04T08:00', why: 'holidays' }],
    },
    'stronger',
    'freeze',
  ],
  ['a watch over the error budget', watchedBy({}), 'stronger', 'watch.errorBudget'],
  ['another environment', { ...smallPolicy, environment: 'staging' }, 'weaker', 'environment'],
  ['a base', { ...smallPolicy, extends: 'company' }, 'stronger', 'extends'],
  [
    'a tier with fewer people',
    { ...smallPolicy, tiers: { internal: { requirements: [security] } } },
    'weaker',
    'tiers.internal.approval.requirements',
  ],
  [
    'a tier with more people',
    { ...smallPolicy, tiers: { personal: { requirements: [security, operator, { from: 'group/legal', count: 1 }] } } },
    'stronger',
    'tiers.personal.approval.requirements',
  ],
  [
    'a change that leaves a gate out',
    { ...smallPolicy, changes: { prompt: ['staging', 'approval', 'canary'] } },
    'weaker',
    'changes.prompt',
  ],
];

describe('comparePolicies', () => {
  it.each(edits)('judges %s', (_what, policy, strength, field) => {
    expect(comparePolicies(smallPolicy, policy)).toEqual([expect.objectContaining({ field, strength })]);
  });

  it('judges the way back of whatever is not neutral and can be compared the other way round', () => {
    const swapped = { weaker: 'stronger', stronger: 'weaker', neutral: 'neutral' } as const;
    const oneWay = new Set(['another group instead', 'staging before the scan', 'another environment']);
    // Taking a metric away is weaker, however little it left to errors.
    oneWay.add('little for errors');
    for (const [what, policy, strength] of edits) {
      const back = strengthOf(comparePolicies(policy, smallPolicy));
      expect([what, back]).toEqual([what, oneWay.has(what) ? 'weaker' : swapped[strength]]);
    }
  });

  it.each([
    ['a smaller budget', { ...ramp(20) }, 'stronger'],
    ['a larger budget', { ...ramp(80) }, 'weaker'],
    ['a wait at half of all users', { ...ramp(20), hold: 'fast' }, 'weaker'],
    [
      'users who are believed to be fewer',
      { ...ramp(20), budget: { ...ramp(20).budget, requestsPerSecond: 9 } },
      'weaker',
    ],
  ] as const)('judges %s by the budget, whatever weights come of it', (_what, to, strength) => {
    const before = withRule('canary', { ramp: ramp(50), weights: [3, 6, 12, 20] });
    const after = withRule('canary', { ramp: to, weights: [2, 4, 8, 20] });
    expect(comparePolicies(before, after)).toEqual([expect.objectContaining({ field: 'canary.ramp', strength })]);
  });

  it('cannot compare values of one source with those of another, or of another query', () => {
    const asking = (from?: string, query?: string) =>
      withRule('canary', { metrics: { latency: { portion: 0.2, ...(from !== undefined && { from, query }) } } });
    const main = asking('prometheus/main', 'x_bucket{a="{{arm}}"}');
    for (const other of [
      asking(),
      asking('prometheus/other', 'x_bucket{a="{{arm}}"}'),
      asking('prometheus/main', 'y_bucket{a="{{arm}}"}'),
    ])
      expect([strengthOf(comparePolicies(main, other)), strengthOf(comparePolicies(other, main))]).toEqual([
        'weaker',
        'weaker',
      ]);
    expect(comparePolicies(main, main)).toEqual([]);
  });

  it('cannot compare portions that trade one metric for another', () => {
    const judging = (latency: number, cost: number) =>
      withRule('canary', { metrics: { latency: { portion: latency }, cost: { portion: cost } } });
    expect(strengthOf(comparePolicies(judging(0.2, 0.1), judging(0.1, 0.2)))).toBe('weaker');
    expect(strengthOf(comparePolicies(judging(0.1, 0.1), withRule('canary', { metrics: {} })))).toBe('weaker');
  });

  it('lets nothing that is stronger make good what is weaker', () => {
    const both = withRule('canary', { dwellMs: 9_000, alpha: 0.001 });
    expect(strengthOf(comparePolicies(smallPolicy, both))).toBe('weaker');
  });

  it('sees that the same demands in other words are the same', () => {
    const other = withRule('approval', { requirements: [{ atLeast: 2, of: [operator, security] }] });
    expect(strengthOf(comparePolicies(smallPolicy, other))).toBe('neutral');
  });

  it('takes demands for as strong only when no votes meet the new ones without the old', () => {
    // Fewer where the same is run for every mutant.
    const { numRuns = 10_000 } = fc.readConfigureGlobal();
    const groups = ['group/a', 'group/b', 'group/c'];
    const leaf = fc.record({ from: fc.constantFrom(...groups), count: fc.integer({ min: 1, max: 2 }) });
    const demand: fc.Arbitrary<Demand> = fc.oneof(
      leaf,
      fc.array(leaf, { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
      fc.array(leaf, { minLength: 2, maxLength: 3 }).map((of) => ({ atLeast: 2, of })),
    );
    const demands = fc.array(demand, { minLength: 1, maxLength: 2 });
    const voters = fc.array(fc.subarray(groups), { maxLength: 6 });
    const met = (asked: readonly Demand[], people: readonly (readonly string[])[]) => {
      const leaves = leavesOf(asked);
      const votes = people.map((held, index) => ({
        person: `psn_${index}` as const,
        fills: leaves.flatMap(({ from }, at) => (held.includes(from) ? [at] : [])),
      }));
      return matchQuorum(asked, votes).met;
    };
    const seen = { weaker: 0, neutral: 0, stronger: 0 };
    fc.assert(
      fc.property(demands, demands, voters, (before, after, people) => {
        const strength = strengthOf(
          comparePolicies(
            withRule('approval', { requirements: before }),
            withRule('approval', { requirements: after }),
          ),
        );
        seen[strength] += 1;
        if (strength !== 'weaker' && met(after, people)) expect(met(before, people)).toBe(true);
        if (strength === 'neutral' && met(before, people)) expect(met(after, people)).toBe(true);
      }),
      { numRuns },
    );
    expect(Math.min(seen.weaker, seen.stronger)).toBeGreaterThan(numRuns / 34);
  });
});

describe('edits of the watch', () => {
  it.each([
    ['a look twice as often', { everyMs: 1_800_000 }, 'stronger', 'watch.every'],
    ['a look half as often', { everyMs: 7_200_000 }, 'weaker', 'watch.every'],
    ['more errors let by', { errorBudget: { burnMax: 3, do: 'hold' } }, 'weaker', 'watch.errorBudget.burnMax'],
    ['only a note', { errorBudget: { burnMax: 2, do: 'note' } }, 'weaker', 'watch.errorBudget.do'],
    ['a rollback', { errorBudget: { burnMax: 2, do: 'rollback' } }, 'stronger', 'watch.errorBudget.do'],
    ['nobody who looks at errors', { errorBudget: undefined }, 'weaker', 'watch.errorBudget'],
    ['a look at costs as well', { cost: { capPerDay: 1, do: 'note' } }, 'stronger', 'watch.cost'],
  ] as const)('judges %s', (_what, change, strength, field) => {
    expect(comparePolicies(watchedBy({}), watchedBy(change))).toEqual([expect.objectContaining({ field, strength })]);
  });

  it('takes a demotion for a rollback and back as neither', () => {
    const [demote, rollback] = ['demote', 'rollback'].map((order) => watchedBy({ scan: { do: order } }));
    expect(demote && rollback && strengthOf(comparePolicies(demote, rollback))).toBe('neutral');
    expect(demote && rollback && strengthOf(comparePolicies(rollback, demote))).toBe('neutral');
  });
});

/** Every field that a document can have, by the gate it belongs to. */
function fieldsOf(shape: ShapeNode): readonly string[] {
  return shape.kind === 'group' ? Object.keys({ ...shape.required, ...shape.optional }) : [];
}

describe('the table of directions', () => {
  it('has a row for every field of every gate in the document', () => {
    const gates = policyShape.required['gates'];
    const list = gates as ShapeNode & { readonly of: ShapeNode };
    const cases = (list.of as Extract<ShapeNode, { kind: 'one-of' }>).cases;
    expect(Object.keys(cases).sort()).toEqual([...gateNames].sort());
    for (const name of gateNames) {
      const shape = cases[name];
      const rows = Object.values(gateFields[name]).map((row) => row.name);
      expect([name, shape && [...fieldsOf(shape)].sort()]).toEqual([name, [...rows].sort()]);
    }
  });

  it('has a row for every field of every check of the watch', () => {
    for (const check of watchChecks) {
      const shape = (watchShape.optional as Readonly<Record<string, ShapeNode>>)[check];
      const rows = Object.values(watchFields[check]).map((row) => row.name);
      expect([check, shape && [...fieldsOf(shape)].sort()]).toEqual([check, [...rows].sort()]);
    }
    expect(fieldsOf(watchShape).toSorted()).toEqual(['every', ...watchChecks].toSorted());
  });

  it('has a row for every field of the document itself', () => {
    const rows = Object.entries(policyFields).map(([field, row]) => (row === 'apart' ? field : row.name));
    expect([...rows].sort()).toEqual([...fieldsOf(policyShape)].sort());
  });
});
