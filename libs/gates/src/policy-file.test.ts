import { readPolicyFile } from './policy-file.ts';

const withRamp = (ramp: string) => `policy: careful
gates:
  - gate: canary
    look: 10s
    ramp:
${ramp}
`;

/** The canary of a policy that must be readable. */
function canaryOf(source: string) {
  const found = readPolicyFile(source);
  if (!found.ok) throw new Error(JSON.stringify(found.problems));
  return found.value.gates[0];
}

test('plans the weights of a budget: a look and the way back, doubled until the hold', () => {
  // 12 s × 100 requests are 1,200 that an outage would break; 25 of them are 2.08 %.
  const ramp = '      budget: { badRequests: 25, requestsPerSecond: 100 }\n      hold: careful';
  expect(canaryOf(withRamp(ramp))).toMatchObject({
    weights: [2, 4, 10],
    ramp: { budget: { badRequests: 25, requestsPerSecond: 100, badShare: 1 }, hold: 'careful' },
  });
});

test('starts where it waits when the budget allows more', () => {
  expect(canaryOf(withRamp('      budget: { badRequests: 5000, requestsPerSecond: 10 }'))).toMatchObject({
    weights: [20],
  });
});

test('refuses a budget that one percent breaks, at its place and with the least that would do', () => {
  const found = readPolicyFile(withRamp('      budget: { badRequests: 10, requestsPerSecond: 100 }'));
  expect(found).toMatchObject({ ok: false, problems: [{ line: 6, column: 30 }] });
  expect(found.ok ? '' : found.problems[0]?.message).toContain('expected a budget of at least 12 bad requests');
});

test('refuses portions that leave nothing to errors, at their place', () => {
  const found = readPolicyFile(`policy: careful
gates:
  - gate: canary
    weights: [10]
    metrics:
      latency: { portion: 0.5 }
      cost: { portion: 0.5 }
`);
  const message = 'expected portions that leave a part to errors (a sum below 1), got 1';
  expect(found).toMatchObject({ ok: false, problems: [{ line: 5, message }] });
});

test('refuses a wrong query of a metric, at its place and with the column in it', () => {
  const found = readPolicyFile(`policy: careful
gates:
  - gate: canary
    weights: [10]
    metrics:
      latency:
        portion: 0.2
        from: prometheus/main
        query: 'rate(x_bucket{arm="{{arm}}"}[5m])'
`);
  const message = 'column 1: expected the buckets of a histogram, a name that ends with _bucket, got rate';
  expect(found).toMatchObject({ ok: false, problems: [{ line: 9, message }] });
});
