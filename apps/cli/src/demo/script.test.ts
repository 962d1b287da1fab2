import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentConfig } from '../config.ts';
import { readScript } from './script.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-script-'));
  const policy = readFileSync(join(currentConfig().projectRoot, 'policies', 'demo.yaml'), 'utf8');
  writeFileSync(join(folder, 'policy.yaml'), policy);
  writeFileSync(join(folder, 'requests.json'), JSON.stringify([{ method: 'GET', path: '/' }]));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const script = {
  policy: 'policy.yaml',
  cast: { builder: 'ann', approvers: ['ben'], operator: 'cleo' },
  versions: [{ folder: 'one', outcome: 'live' }],
  traffic: { requests: 'requests.json', perSecond: 100, requestsMax: 1_000 },
};

function write(value: unknown): void {
  writeFileSync(join(folder, 'demo.json'), JSON.stringify(value));
}

test('a script is read with its policy’s name and its requests', () => {
  write(script);
  expect(readScript(folder)).toMatchObject({
    policyName: 'demo',
    traffic: { requests: [{ path: '/' }], perSecond: 100 },
  });
});

test.each([
  { name: 'a path out of the folder', change: { versions: [{ folder: '../other', outcome: 'live' }] } },
  { name: 'an outcome that is none', change: { versions: [{ folder: 'one', outcome: 'fine' }] } },
  { name: 'a blocked version without the gate', change: { versions: [{ folder: 'one', outcome: 'blocked' }] } },
  { name: 'a misspelt field', change: { casts: {} } },
  { name: 'traffic beyond the bound', change: { traffic: { ...script.traffic, perSecond: 100_000 } } },
])('$name is told with the file', ({ change }) => {
  write({ ...script, ...change });
  expect(() => readScript(folder)).toThrow('demo.json');
});

test('a missing script, policy or list of requests is told with its path', () => {
  expect(() => readScript(folder)).toThrow('demo.json, got ENOENT');
  write({ ...script, policy: 'none.yaml' });
  expect(() => readScript(folder)).toThrow('none.yaml, got ENOENT');
  write({ ...script, traffic: { ...script.traffic, requests: 'none.json' } });
  expect(() => readScript(folder)).toThrow('none.json, got ENOENT');
});
