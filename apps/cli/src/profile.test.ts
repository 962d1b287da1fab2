import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from './config.ts';
import { writeDeployment } from './deployment-file.ts';
import { findConnection } from './profile.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-profile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const url = 'http://127.0.0.1:7070';

function config(environment: Record<string, string> = {}) {
  return parseConfig({ PROVISO_DATA: folder, ...environment }, '/');
}

function deploy(): void {
  const people = { ann: { id: 'psn_1', token: 'token-of-ann' }, ben: { id: 'psn_2', token: 'token-of-ben' } };
  writeDeployment(folder, {
    ...{ apiUrl: url, routerUrl: 'http://127.0.0.1:7080', temporalAddress: '127.0.0.1:7233', pid: 1 },
    databasePort: 5432,
    ...{ workerUrl: 'http://127.0.0.1:7081' },
    ...{ startedAt: '2026-11-21T10:00:00.000Z', workspace: 'wsp_1', people },
  });
}

test('the deployment file can be read by its owner only', () => {
  deploy();
  expect(statSync(join(folder, 'deployment.json')).mode & 0o777).toBe(0o600);
});

test('without flags the first local person speaks, with --as or PROVISO_AS another', () => {
  deploy();
  expect(findConnection({}, config())).toEqual({ url, token: 'token-of-ann' });
  expect(findConnection({ as: 'ben' }, config())).toEqual({ url, token: 'token-of-ben' });
  expect(findConnection({}, config({ PROVISO_AS: 'ben' }))).toEqual({ url, token: 'token-of-ben' });
});

test('flags win over the environment', () => {
  const given = config({ PROVISO_URL: 'http://one', PROVISO_TOKEN: 'first' });
  expect(findConnection({}, given)).toEqual({ url: 'http://one', token: 'first' });
  expect(findConnection({ url: 'http://two', token: 'second' }, given)).toEqual({ url: 'http://two', token: 'second' });
});

test('the token of a local person is never sent to another address', () => {
  deploy();
  expect(() => findConnection({ url: 'http://elsewhere' }, config())).toThrow('expected a token for http://elsewhere');
});

test.each([
  { name: 'an unknown person', flags: { as: 'zoe' }, words: 'expected one of the local people (ann, ben), got zoe' },
  { name: 'an address without a protocol', flags: { url: 'localhost' }, words: 'expected an address such as' },
])('$name is told', ({ flags, words }) => {
  deploy();
  expect(() => findConnection(flags, config())).toThrow(words);
});

test('without any deployment it says where it looked', () => {
  expect(() => findConnection({}, config())).toThrow(folder);
});
