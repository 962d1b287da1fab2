import type { PlanRamp } from './canary-document.ts';
import { policyFrom, policySchema, policySense, policyShape } from './policy-document.ts';
import { read } from './shape-reading.ts';

const canary = { gate: 'canary', weights: [10, 50] };
const approval = { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }] };

/** One percent of users costs ten bad requests of a hundred a second, and the ramp doubles once. */
const planRamp: PlanRamp = ({ budget }) => {
  const badRequests = (budget.requestsPerSecond * budget.badShare) / 10;
  return { weights: [1, 2], badRequests, withinBudget: badRequests <= budget.badRequests };
};

/** Reads as whoever has a file does. */
function readPolicy(node: unknown) {
  const found = read(policyShape, node);
  if (!found.ok) return found;
  const problems = policySense(found.value, planRamp);
  return problems.length === 0
    ? ({ ok: true, value: policyFrom(found.value, planRamp) } as const)
    : ({ ok: false, problems } as const);
}

const from = 'prometheus/main';
const query = 'x_bucket{a="{{arm}}"}';
const budget = { badRequests: 20, requestsPerSecond: 100 };
const judged = { ...canary, metrics: { latency: { portion: 0.2 }, score: { portion: 0.1 } } };

describe('a policy as it is read', () => {
  it('reads gates in order and fills what is left out with safe defaults', () => {
    const found = readPolicy({
      policy: 'standard',
      gates: [{ gate: 'readiness' }, { gate: 'evaluation', bar: 0.9 }, approval, canary],
    });
    expect(found).toMatchObject({
      ok: true,
      value: {
        environment: 'production',
        gates: [
          { gate: 'readiness', attemptsMax: 3 },
          { gate: 'evaluation', bar: 0.9, repeats: 3 },
          { gate: 'approval', expiresMs: 7 * 86_400_000 },
          { gate: 'canary', lookMs: 10_000, alpha: 0.01, beta: 0.05, rateRatioMax: 2 },
        ],
      },
    });
  });

  it.each([
    ['an unknown gate', { policy: 'a-b', gates: [{ gate: 'vibes' }] }, ['gates', 0, 'gate']],
    ['a misspelt key', { policy: 'a-b', gates: [{ gate: 'scan', attempts: 3 }] }, ['gates', 0, 'attempts']],
    ['no gates', { policy: 'a-b', gates: [] }, ['gates']],
    [
      'a group without its kind',
      { policy: 'a-b', gates: [{ ...approval, requirements: [{ from: 'security', count: 1 }] }, canary] },
      ['gates', 0, 'requirements', 0, 'from'],
    ],
    [
      'nobody to ask',
      { policy: 'a-b', gates: [{ ...approval, requirements: [] }, canary] },
      ['gates', 0, 'requirements'],
    ],
    [
      'an approval that outlives sixty days',
      { policy: 'a-b', gates: [{ ...approval, expires: '61d' }, canary] },
      ['gates', 0, 'expires'],
    ],
    ['a gate twice', { policy: 'a-b', gates: [{ gate: 'scan' }, { gate: 'scan' }] }, ['gates']],
    ['a build after what looks at it', { policy: 'a-b', gates: [{ gate: 'scan' }, { gate: 'build' }] }, ['gates']],
    ['weights that shrink', { policy: 'a-b', gates: [{ gate: 'canary', weights: [50, 10] }] }, ['gates', 0, 'weights']],
    ['neither weights nor a ramp', { policy: 'a-b', gates: [{ gate: 'canary' }] }, ['gates', 0]],
    ['both weights and a ramp', { policy: 'a-b', gates: [{ ...canary, ramp: { budget } }] }, ['gates', 0, 'ramp']],
    [
      'a budget that one percent of users breaks',
      { policy: 'a-b', gates: [{ gate: 'canary', ramp: { budget: { ...budget, badRequests: 9 } } }] },
      ['gates', 0, 'ramp', 'budget', 'badRequests'],
    ],
    [
      'portions that leave nothing to errors',
      { policy: 'a-b', gates: [{ ...canary, metrics: { latency: { portion: 0.7 }, cost: { portion: 0.3 } } }] },
      ['gates', 0, 'metrics'],
    ],
    [
      'a portion of nothing',
      { policy: 'a-b', gates: [{ ...canary, metrics: { latency: { portion: 0 } } }] },
      ['gates', 0, 'metrics', 'latency', 'portion'],
    ],
    [
      'bounds in which no edge counts',
      { policy: 'a-b', gates: [{ ...canary, metrics: { latency: { portion: 0.2, bounds: [100, 300] } } }] },
      ['gates', 0, 'metrics', 'latency', 'bounds'],
    ],
    [
      'bounds that do not rise',
      { policy: 'a-b', gates: [{ ...canary, metrics: { latency: { portion: 0.2, bounds: [250, 100] } } }] },
      ['gates', 0, 'metrics', 'latency', 'bounds'],
    ],
    [
      'bounds of scores, which are judged by ranks alone',
      { policy: 'a-b', gates: [{ ...canary, metrics: { score: { portion: 0.2, bounds: [0.5] } } }] },
      ['gates', 0, 'metrics', 'score', 'bounds'],
    ],
    ['a gate after the canary', { policy: 'a-b', gates: [canary, { gate: 'scan' }] }, ['gates']],
    ['an approval that admits to nothing', { policy: 'a-b', gates: [approval] }, ['gates']],
    [
      'evidence that ages faster than the approval',
      { policy: 'a-b', evidenceAgeMax: '1d', gates: [approval, canary] },
      ['gates', 0, 'expires'],
    ],
  ])('refuses %s and says where', (_what, document, path) => {
    const found = readPolicy(document);
    expect(found.ok).toBe(false);
    expect(found.ok ? [] : found.problems.map((problem) => problem.path)).toContainEqual(path);
  });

  it('plans the weights of a budget and keeps what they were planned from', () => {
    const found = readPolicy({ policy: 'a-b', gates: [{ gate: 'canary', ramp: { budget } }] });
    const ramp = { budget: { ...budget, badShare: 1 }, hold: 'usual' };
    expect(found).toMatchObject({ ok: true, value: { gates: [{ weights: [1, 2], ramp, lookMs: 10_000 }] } });
  });

  it('says what a budget would have to be', () => {
    const found = readPolicy({
      policy: 'a-b',
      gates: [{ gate: 'canary', ramp: { budget: { ...budget, badRequests: 3 } } }],
    });
    const message = expect.stringContaining('expected a budget of at least 10 bad requests');
    expect(found).toMatchObject({ ok: false, problems: [{ message }] });
  });

  it.each([
    ['a query of nobody', { query }, 'query'],
    ['a source without a query', { from }, 'from'],
    ['an address in the place of a name', { from: 'http://10.0.0.7:9090', query }, 'from'],
    ['bounds for values from elsewhere', { from, query, bounds: [100] }, 'bounds'],
    ['a query that names no arm', { from, query: 'x_bucket{a="b"}' }, 'query'],
  ])('refuses %s at its field of the metric', (_what, more, field) => {
    const metrics = { latency: { portion: 0.2, ...more } };
    const found = readPolicy({ policy: 'a-b', gates: [{ ...canary, metrics }] });
    const path = ['gates', 0, 'metrics', 'latency', field];
    expect(found).toMatchObject({ ok: false, problems: [{ path }] });
  });

  it('keeps where a metric comes from as it is written, and tells the column of a wrong query', () => {
    const asking = (written: string) =>
      readPolicy({
        policy: 'a-b',
        gates: [{ ...canary, metrics: { score: { portion: 0.2, from, query: written } } }],
      });
    expect(asking(query)).toMatchObject({ ok: true, value: { gates: [{ metrics: { score: { from, query } } }] } });
    const message = expect.stringContaining('column 13: expected one of {{prototype}}');
    expect(asking('x_bucket{a="{{owner}}"}')).toMatchObject({ ok: false, problems: [{ message }] });
  });

  it('judges errors alone when it says nothing of metrics, as it always did', () => {
    const found = readPolicy({ policy: 'a-b', gates: [canary] });
    expect(found.ok && found.value.gates[0]).not.toHaveProperty('metrics');
    const named = readPolicy({ policy: 'a-b', gates: [judged] });
    expect(named).toMatchObject({ ok: true, value: { gates: [{ metrics: judged.metrics }] } });
  });

  it.each([0, 1, -0.1, 1.1])('refuses a bar of %d, which the judge would refuse at every evaluation', (bar) => {
    const found = readPolicy({ policy: 'a-b', gates: [{ gate: 'evaluation', bar }] });
    const path = ['gates', 0, 'bar'];
    const message = expect.stringContaining(`expected a number above 0 and below 1, got ${bar}`);
    expect(found).toMatchObject({ ok: false, problems: [{ path, code: 'out_of_range', message }] });
  });

  it.each([0.000_1, 0.999_9])('takes a bar of %d', (bar) => {
    expect(readPolicy({ policy: 'a-b', gates: [{ gate: 'evaluation', bar }] }).ok).toBe(true);
  });

  it('reads what is watched after promotion, in the units of the product', () => {
    const watch = {
      every: '12h',
      owner: { do: 'hold' },
      review: { after: '90d', do: 'hold' },
      cost: { capPerDay: 20, do: 'demote' },
      errorBudget: { burnMax: 2, do: 'rollback' },
      scan: { do: 'demote' },
      evaluation: { below: 0.85, do: 'rollback' },
      drift: { psiMax: 0.2, do: 'note' },
    };
    const gates = [{ gate: 'evaluation', bar: 0.9 }, approval, canary];
    const found = readPolicy({ policy: 'a-b', gates, watch });
    const { every: _every, review: _review, ...same } = watch;
    const read = { everyMs: 43_200_000, review: { afterMs: 90 * 86_400_000, do: 'hold' }, ...same };
    expect(found).toMatchObject({ ok: true, value: { watch: read } });
    const rare = readPolicy({ policy: 'a-b', gates, watch: { scan: { do: 'note' } } });
    expect(rare).toMatchObject({ ok: true, value: { watch: { everyMs: 6 * 3_600_000 } } });
  });

  it.each([
    ['nothing to look at', { every: '6h' }, ['watch']],
    ['an order that nobody knows', { scan: { do: 'delete' } }, ['watch', 'scan', 'do']],
    ['a check that nobody knows', { vibes: { do: 'note' } }, ['watch', 'vibes']],
    ['a check without an order', { cost: { capPerDay: 3 } }, ['watch', 'cost', 'do']],
    ['drift without the evaluation that it reads', { drift: { psiMax: 0.2, do: 'note' } }, ['watch', 'drift']],
    ['an evaluation that no gate has', { evaluation: { below: 0.9, do: 'note' } }, ['watch', 'evaluation']],
    ['a bar of nothing', { evaluation: { below: 0, do: 'note' } }, ['watch', 'evaluation', 'below']],
    ['a look in every second', { every: '1s', scan: { do: 'note' } }, ['watch', 'every']],
  ])('refuses a watch with %s and says where', (_what, watch, path) => {
    const found = readPolicy({ policy: 'a-b', gates: [approval, canary], watch });
    expect(found.ok ? [] : found.problems.map((problem) => problem.path)).toContainEqual(path);
  });

  it('refuses a watch where nothing can go live', () => {
    const found = readPolicy({ policy: 'a-b', gates: [{ gate: 'scan' }], watch: { scan: { do: 'note' } } });
    expect(found.ok ? [] : found.problems.map((problem) => problem.path)).toContainEqual(['watch']);
  });

  it('describes itself to editors', () => {
    expect(policySchema()).toMatchObject({ $schema: expect.stringContaining('json-schema.org'), type: 'object' });
  });
});
