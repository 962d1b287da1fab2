import { parseOrders, parseTrialOrder } from './orders.ts';
import { newLane, newOrder } from './release-fixture.ts';

const order = newOrder(`sha256:${'a'.repeat(64)}`);
const lane = newLane(order);

test('parses what the API sends, with the port variable filled in and hosts in lower case', () => {
  const { portEnvironment: _left, ...contract } = order.contract;
  const sent = { incarnation: 'i', lanes: [{ ...lane, hosts: ['A.Localhost'], canary: { ...order, contract } }] };
  const [parsed] = parseOrders(JSON.parse(JSON.stringify(sent))).lanes;
  expect(parsed).toEqual({ ...lane, hosts: ['a.localhost'] });
});

test('parses whom previews let in no longer', () => {
  const shutOut = [`psn_${'1'.repeat(32)}`];
  expect(parseOrders({ incarnation: 'i', lanes: [], shutOut }).shutOut).toEqual(shutOut);
});

test.each([
  ['people who are no texts', { incarnation: 'i', lanes: [], shutOut: [1] }, 'shutOut\\[0\\]'],
  ['no lanes', { incarnation: 'i' }, 'lanes'],
  ['a lane twice', { incarnation: 'i', lanes: [lane, lane] }, 'lanes'],
  ['a weight above 100', { incarnation: 'i', lanes: [{ ...lane, weightPercent: 101 }] }, 'lanes\\[0\\].weightPercent'],
  [
    'a weight that is no number',
    { incarnation: 'i', lanes: [{ ...lane, weightPercent: Number.NaN }] },
    'lanes\\[0\\].weightPercent',
  ],
  [
    'a fence below 0',
    { incarnation: 'i', lanes: [{ ...lane, fence: { incarnation: 1, counter: -1 } }] },
    'fence.counter',
  ],
  [
    'trust that is not true or false',
    { incarnation: 'i', lanes: [{ ...lane, canary: { ...order, trusted: 'yes' } }] },
    'trusted',
  ],
  [
    'a digest of another kind',
    { incarnation: 'i', lanes: [{ ...lane, canary: { ...order, artifactDigest: 'md5:1' } }] },
    'artifactDigest',
  ],
  ['stable left out', { incarnation: 'i', lanes: [{ ...lane, stable: undefined }] }, 'stable'],
])('refuses %s and names the place', (_name, value, place) => {
  expect(() => parseOrders(value)).toThrow(new RegExp(place));
});

test.each([
  ['no command', { start: [] }],
  ['a variable with an equals sign', { environment: { 'A=B': 'x' } }],
  ['a health path to another host', { health: { path: '@evil.example/' } }],
  ['a text with a zero byte', { start: ['node', 'a\0b'] }],
])('refuses a contract with %s', (_name, change) => {
  expect(() => parseTrialOrder({ ...order, contract: { ...order.contract, ...change } })).toThrow(/expected/);
});

test('a trial lives at most a minute', () => {
  expect(parseTrialOrder({ ...order }).leaseMs).toBe(60_000);
  expect(() => parseTrialOrder({ ...order, leaseMs: 60_001 })).toThrow('leaseMs');
});

test('takes an order to serve files, which has no start', () => {
  const served = { kind: 'static', root: 'dist', fallback: false, egress: ['api.example.com'], start: [] };
  const { contract } = parseTrialOrder({ ...order, contract: { ...order.contract, ...served } });
  expect(contract).toMatchObject(served);
});

test.each([
  [
    { kind: 'static', root: './dist/' },
    { kind: 'static', root: 'dist', start: [] },
  ],
  [
    { kind: 'static', root: '.', fallback: false },
    { kind: 'static', root: '.', fallback: false },
  ],
  [
    { kind: 'node', start: ['node', 'a.mjs'] },
    { kind: 'node', start: ['node', 'a.mjs'] },
  ],
  [{ start: ['node', 'a.mjs'] }, { start: ['node', 'a.mjs'] }],
])('the run %j is taken as %j', (run, expected) => {
  const contract = { health: { path: '/' }, ...run };
  expect(parseTrialOrder({ ...order, contract }).contract).toMatchObject(expected);
});

test.each([
  [{ kind: 'node' }, 'trial.contract.start'],
  [{ kind: 'magic', start: ['a'] }, 'trial.contract.kind'],
  [{ kind: 'static', root: '../other' }, 'trial.contract.root'],
  [{ kind: 'static', root: '/etc' }, 'trial.contract.root'],
  [{ kind: 'static', root: 'a\\b' }, 'trial.contract.root'],
  [{ kind: 'static', fallback: 'yes' }, 'trial.contract.fallback'],
])('the run %j is refused at %s', (run, place) => {
  const contract = { health: { path: '/' }, ...run };
  expect(() => parseTrialOrder({ ...order, contract })).toThrow(place);
});
