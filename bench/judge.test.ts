import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './judge.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const vectors = join(root, 'libs/judge/src/fixtures/judge-vectors.json');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'judge-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(content: string): string {
  const path = join(folder, 'vectors.json');
  writeFileSync(path, content);
  return path;
}

function called(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/main.ts', 'judge', ...args], {
    ...{ cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } },
  });
  return { status, stdout, stderr };
}

describe('the judge against given values', () => {
  it('agrees with an independent implementation in every column', () => {
    const { status, stdout } = called('--vectors', vectors, '--json');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { metric: string; ours: number });
    expect(status).toBe(0);
    expect(lines.map(({ metric }) => metric)).toEqual(
      ['logE1', 'logE3', 'logJ', 'logSafe'].map((column) => `max_abs_difference_${column}`),
    );
    for (const { ours } of lines) expect(ours).toBeLessThanOrEqual(1e-9);
  });

  it('tells which column differs', async () => {
    const path = written(readFileSync(vectors, 'utf8').replace(/"logE3": -?/, '"logE3": 9'));
    const lines = await run({ rounds: 1, quick: true, inputs: { vectors: path } });
    expect(lines).toMatchObject([{ met: true }, { met: false }, { met: true }, { met: true }]);
  });

  it.each([
    ['not JSON', '{', 'expected a JSON object, got something else'],
    ['without sequences', '{}', 'expected sequences, got none'],
    ['without looks', '{"sequences": [{}]}', 'sequence 1: expected looks, got none'],
    ['without numbers', '{"sequences": [{"looks": [{}]}]}', 'look 1: expected canaryWeight as a number, got undefined'],
  ])('refuses a file %s in one line', (_, content, why) => {
    const { status, stdout, stderr } = called('--vectors', written(content));
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

it('tells its cost for each look and metric, how it grows, and the size of its memory', async () => {
  const lines = await run({ rounds: 1, quick: true, inputs: {} });
  const names = lines.map(({ metric }) => metric);
  expect(names.filter((name) => name.startsWith('ns_per_look_and_metric'))).toHaveLength(4);
  expect(names.filter((name) => name.startsWith('ns_per_look_after'))).toHaveLength(2);
  expect(lines.find(({ metric }) => metric.startsWith('state_bytes'))).toMatchObject({ met: true });
  for (const { ours } of lines) expect(ours).toBeGreaterThan(0);
});
