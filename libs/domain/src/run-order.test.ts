import { readContract } from './contract.ts';
import { type RunOrder, runOrderOf, startWithPort } from './run-order.ts';

function orderOf(run: object, more: object = {}): RunOrder {
  const found = readContract({
    prototype: 'my-app',
    owner: 'Mara Lindqvist',
    requirements: { users: 5, dataClass: 'public' },
    run,
    probes: { health: '/' },
    evaluation: { cases: 'cases.yaml' },
    objective: { errorRateMax: 0.01 },
    ...more,
  });
  if (!found.ok) throw new Error(found.problems[0]?.message);
  return runOrderOf(found.value);
}

test.each([
  [{ kind: 'node', start: ['server.js', '--quiet'] }, ['node', 'server.js', '--quiet']],
  [{ kind: 'python', start: ['-m', 'uvicorn', 'app:app'] }, ['python3', '-m', 'uvicorn', 'app:app']],
  [{ kind: 'command', start: ['./serve'] }, ['./serve']],
])('%j is started with its program', (run, start) => {
  expect(orderOf(run)).toMatchObject({ kind: run.kind, start, portEnvironment: 'PORT', memoryMbMax: 256 });
});

test.each([
  ['its own folder first', { root: 'public' }, { build: { output: 'dist' } }, 'public'],
  ['what the build leaves', {}, { build: { output: 'dist' } }, 'dist'],
  ['all of it when nothing is built', {}, {}, '.'],
])('served files come from %s', (_, run, more, root) => {
  const order = orderOf({ kind: 'static', ...run }, more);
  expect(order).toMatchObject({ kind: 'static', start: [], root, fallback: true, environment: {} });
});

test('python finds the packages that a build has installed, after its own', () => {
  const run = { kind: 'python', start: ['app.py'] };
  expect(orderOf(run).environment).toEqual({});
  expect(orderOf(run, { build: {} }).environment).toEqual({ PYTHONPATH: 'python_packages' });
  expect(orderOf(run, { build: { install: 'none', command: ['make'] } }).environment).toEqual({});
  const own = { ...run, environment: { PYTHONPATH: 'lib' } };
  expect(orderOf(own, { build: {} }).environment).toEqual({ PYTHONPATH: 'lib:python_packages' });
});

test('the hosts to talk to travel with the order', () => {
  expect(orderOf({ kind: 'static' }, { egress: ['api.example.com'] }).egress).toEqual(['api.example.com']);
});

test.each([
  ['$PORT', '8080'],
  ['${PORT}', '8080'],
  ['$PORTS', '$PORTS'],
  ['${PORT', '${PORT'],
  [':$PORT', ':$PORT'],
  ['$HOME', '$HOME'],
  ['$(PORT)', '$(PORT)'],
])('%s becomes %s in a start', (item, expected) => {
  expect(startWithPort({ start: ['serve', item], portEnvironment: 'PORT' }, 8080)).toEqual(['serve', expected]);
});
