import { parseConfig } from './config.ts';

const environment = {
  PROVISO_API_URL: 'http://127.0.0.1:3000/',
  PROVISO_EDGE_TOKEN: 'a-secret-token',
  PROVISO_EDGE_CONTROL_TOKEN: 'another-token',
  PROVISO_EDGE_DATA: '/tmp/edge',
};

test('reads what is needed, listens on loopback and never changes after', () => {
  const config = parseConfig(environment);
  expect(config).toMatchObject({
    apiUrl: 'http://127.0.0.1:3000',
    host: '127.0.0.1',
    controlHost: '127.0.0.1',
    pollMs: 500,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test.each([
  ['PROVISO_API_URL', undefined],
  ['PROVISO_API_URL', 'ftp://somewhere'],
  ['PROVISO_EDGE_TOKEN', 'has a space'],
  ['PROVISO_EDGE_CONTROL_TOKEN', 'short'],
  ['PROVISO_EDGE_DATA', ''],
  ['PROVISO_EDGE_PORT', '70000'],
  ['PROVISO_EDGE_ISOLATION', 'weaker'],
  ['PROVISO_EDGE_CONTROL_PORT', 'x'],
  ['PROVISO_EDGE_POLL_MS', '249'],
  ['PROVISO_EDGE_POLL_MS', '1001'],
  ['PROVISO_EDGE_KEEP_RELEASES', 'yes'],
])('names %s when it is %s', (name, value) => {
  expect(() => parseConfig({ ...environment, [name]: value })).toThrow(new RegExp(`^${name}: expected`));
});

test('a message never repeats a secret', () => {
  expect(() => parseConfig({ ...environment, PROVISO_EDGE_TOKEN: 'my secret' })).not.toThrow(/my secret/);
});
