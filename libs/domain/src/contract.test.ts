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

const node = { kind: 'node', start: ['a.js'] };
const python = (...start: string[]) => ({ run: { kind: 'python', start } });

test.each([
  ['served files with a start', { run: { kind: 'static', start: ['a.js'] } }, ['unknown_key run.start']],
  ['a server without a start', { run: { kind: 'node' } }, ['missing run.start']],
  ['an unknown kind', { run: { kind: 'ruby' } }, ['not_allowed run.kind']],
  ['a build into nowhere for served files', { run: { kind: 'static' }, build: {} }, ['not_allowed build.output']],
  ['a build of nothing', { build: { install: 'none' } }, ['not_allowed build.command']],
  ['a build beside the folder', { build: { output: '../dist' } }, ['not_allowed build.output']],
  ['a build that takes an hour', { build: { within: '60m' } }, ['out_of_range build.within']],
  [
    'a secret twice',
    { run: { ...node, secrets: [{ name: 'A_KEY' }, { name: 'A_KEY' }] } },
    ['not_allowed run.secrets.1.name'],
  ],
  [
    'a secret that is a plain variable too',
    { run: { ...node, environment: { A_KEY: '1' }, secrets: [{ name: 'A_KEY' }] } },
    ['not_allowed run.secrets.0.name'],
  ],
  ['the port as a secret', { run: { ...node, secrets: [{ name: 'PORT' }] } }, ['not_allowed run.secrets.0.name']],
  [
    'a value beside the name of a secret',
    { run: { ...node, secrets: [{ name: 'A', value: 'x' }] } },
    ['unknown_key run.secrets.0.value'],
  ],
  ['a port glued to a word', python('app.py', '--bind=:$PORT'), ['not_allowed run.start.1']],
])('refuses %s', (_, change, expected) => {
  expect(problemPaths(change)).toEqual(expected);
});

test.each([
  ['api.example.com', true],
  ['api.example.com:8443', true],
  ['api.example.com:65535', true],
  ['api.example.com:65536', false],
  ['api.example.com:0', false],
  ['*.example.com', true],
  ['*.com', false],
  ['*', false],
  ['a*.example.com', false],
  ['api.*.com', false],
  ['localhost', false],
  ['API.example.com', false],
  ['10.0.0.1', false],
  ['169.254.169.254', false],
  ['1.0x7f', false],
  ['[::1]', false],
  ['https://api.example.com', false],
  ['api.example.com/path', false],
  ['user@example.com', false],
  ['-a.example.com', false],
  ['example.com.', false],
])('knows whether %s names a host to talk to', (host, isHost) => {
  expect(problemPaths({ egress: [host] })).toEqual(isHost ? [] : ['not_allowed egress.0']);
});

test.each([
  ['a site without a build', { run: { kind: 'static' } }],
  ['a site with its own folder', { run: { kind: 'static', root: 'public' }, build: { install: 'auto' } }],
  ['a site that is built', { run: { kind: 'static' }, build: { command: ['vite', 'build'], output: 'dist' } }],
  ['a module of Python with its port', python('-m', 'uvicorn', 'app:app', '--port', '$PORT')],
  ['a shell that reads the port', { run: { kind: 'command', start: ['sh', '-c', 'app --port=$PORT'] } }],
  ['a peak load', { objective: { errorRateMax: 0.01, peakRequestsPerSecond: 20 } }],
])('accepts %s', (_, change) => {
  expect(problemPaths(change)).toEqual([]);
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
