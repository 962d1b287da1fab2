import { contractSchema, readContract } from './contract.ts';

const least = {
  prototype: 'ticket-triage',
  owner: 'Mara Lindqvist',
  requirements: { users: 40, dataClass: 'internal' },
  run: { kind: 'node', start: ['src/server.mjs'] },
  probes: { health: '/healthz', smoke: [{ path: '/', expect: { contains: 'Hello' } }] },
  evaluation: { cases: 'cases.yaml' },
  objective: { errorRateMax: 0.01 },
};

function problemPaths(change: object): string[] {
  const result = readContract({ ...least, ...change });
  return result.ok ? [] : result.problems.map((problem) => `${problem.code} ${problem.path.join('.')}`);
}

test('fills in what a short contract leaves out', () => {
  const result = readContract(least);
  expect(result).toMatchObject({
    ok: true,
    value: {
      run: { portVariable: 'PORT', environment: {}, memoryMbMax: 256, readyWithin: 15_000 },
      probes: { smoke: [{ method: 'GET', headers: {}, expect: { status: 200, contains: 'Hello' } }] },
      evaluation: { repeats: 3 },
    },
  });
});

test.each([
  ['an owner is missing', { owner: undefined }, ['wrong_type owner']],
  ['a name with capitals', { prototype: 'Triage' }, ['not_allowed prototype']],
  [
    'an unknown class of data',
    { requirements: { users: 1, dataClass: 'secret' } },
    ['not_allowed requirements.dataClass'],
  ],
  ['no command to start', { run: { kind: 'node', start: [] } }, ['out_of_range run.start']],
  ['cases outside the folder', { evaluation: { cases: '../cases.yaml' } }, ['not_allowed evaluation.cases']],
  ['cases at an absolute path', { evaluation: { cases: '/etc/passwd' } }, ['not_allowed evaluation.cases']],
  ['a misspelt key', { objektive: {} }, ['unknown_key objektive']],
  ['an objective of nothing', { objective: { errorRateMax: 0 } }, ['out_of_range objective.errorRateMax']],
])('refuses %s', (_, change, expected) => {
  expect(problemPaths(change)).toEqual(expected);
});

test('accepts a file in a folder whose name starts with a dot', () => {
  expect(problemPaths({ evaluation: { cases: '.quality/cases.yaml' } })).toEqual([]);
});

test('describes itself as a JSON Schema that requires what reading requires', () => {
  expect(contractSchema()).toMatchObject({
    title: 'proviso.yaml',
    required: Object.keys(least),
    additionalProperties: false,
  });
});
