// Runs every test of every room, or those whose path is given, and ends with one line of totals. The same totals go to
// .cache/test-totals.json for .ci/run.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode } from './pinned-node.mjs';

const results = join(root, '.cache', 'test-results.json');
const totals = join(root, '.cache', 'test-totals.json');
mkdirSync(join(root, '.cache'), { recursive: true });
// Totals of an earlier run must not speak for one that died.
for (const file of [results, totals]) rmSync(file, { force: true });

const { code } = await runNode(
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${results}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
const { passed, failed } = readTotals();
writeFileSync(totals, `${JSON.stringify({ passed, failed })}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = code === 0 && failed > 0 ? 1 : code;

function readTotals() {
  try {
    const run = JSON.parse(readFileSync(results, 'utf8'));
    // A file that could not be loaded has no failed test of its own and is a failure all the same.
    return { passed: run.numPassedTests, failed: run.numFailedTests + run.numRuntimeErrorTestSuites };
  } catch {
    // jest died before it could write: that is one failure, never none.
    return { passed: 0, failed: 1 };
  }
}
