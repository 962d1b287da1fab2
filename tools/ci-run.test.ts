import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'proviso-ci-'));
  cpSync(join(root, '.ci'), join(tree, '.ci'), { recursive: true });
  mkdirSync(join(tree, '.cache'));
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

/** Runs .ci/run with an `npm` that ends as told, and gives its code and last line. */
function ci({
  setup = 0,
  test = 0,
  check = 0,
  totals,
}: {
  setup?: number;
  test?: number;
  check?: number;
  totals?: object;
}) {
  const writeTotals = totals ? `echo '${JSON.stringify(totals)}' > .cache/test-totals.json;` : '';
  writeFileSync(
    join(tree, 'npm'),
    `#!/bin/sh\ncase "$*" in\n"run setup") exit ${setup};;\ntest) ${writeTotals} exit ${test};;\n"run check") exit ${check};;\nesac\n`,
    { mode: 0o755 },
  );
  const { status, stdout } = spawnSync(join(tree, '.ci', 'run'), {
    encoding: 'utf8',
    env: { PATH: [tree, process.env.PATH].join(delimiter) },
  });
  return { status, lastLine: stdout.trim().split('\n').at(-1) };
}

test.each([
  ['all is well', { totals: { passed: 7, failed: 0 } }, { status: 0, lastLine: '8 passed, 0 failed' }],
  ['a test failed', { test: 1, totals: { passed: 6, failed: 1 } }, { status: 1, lastLine: '7 passed, 1 failed' }],
  ['the check failed', { check: 1, totals: { passed: 7, failed: 0 } }, { status: 1, lastLine: '7 passed, 1 failed' }],
  ['the tests died', { test: 137 }, { status: 1, lastLine: '1 passed, 1 failed' }],
  [
    'they failed without a failed test',
    { test: 1, totals: { passed: 7, failed: 0 } },
    { status: 1, lastLine: '8 passed, 1 failed' },
  ],
  ['set-up failed', { setup: 1 }, { status: 1, lastLine: '0 passed, 1 failed' }],
])('counts right when %s', (_, run, expected) => {
  expect(ci(run)).toEqual(expected);
});
