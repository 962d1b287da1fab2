// Everything that is checked without running the product, the same here and in CI. One line per check with its time;
// the output of a failed one is printed in full. `npm run check -- lint types` runs only those.
import { availableParallelism } from 'node:os';
import { root, runNode } from './pinned-node.mjs';

const bin = (name) => `${root}/node_modules/${name}`;

/** The slowest come first, so that the quick ones fill the gaps. */
const CHECKS = [
  { name: 'types', args: [bin('typescript/bin/tsc'), '-p', 'tsconfig.json'] },
  {
    name: 'lint',
    args: [bin('oxlint/bin/oxlint'), '--type-aware', '-f', 'unix', 'apps', 'libs', 'tools', 'deploy', 'e2e', 'bench'],
  },
  // These two are compiled once more without Node's types: that is what keeps them pure.
  { name: 'types of domain', args: [bin('typescript/bin/tsc'), '-p', 'libs/domain/tsconfig.json'] },
  { name: 'types of judge', args: [bin('typescript/bin/tsc'), '-p', 'libs/judge/tsconfig.json'] },
  { name: 'boundaries', args: ['tools/boundaries.mjs'] },
  { name: 'actions', args: ['tools/actions.mjs'] },
  { name: 'tidy', args: ['tools/tidy.mjs'] },
  { name: 'generated', args: ['tools/generate.mjs', '--check'] },
  { name: 'format', args: [bin('@biomejs/biome/bin/biome'), 'format', '--max-diagnostics=20', '.'] },
];

/** tsc and the linter use more than one core each; two at a time is the best on two cores and no worse on more. */
const LANES = Math.min(2, availableParallelism());

const wanted = process.argv.slice(2);
const queue = CHECKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const failed = [];
const startedAt = performance.now();
await Promise.all(Array.from({ length: LANES }, runLane));
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(
  failed.length === 0 ? `check: passed in ${seconds} s` : `check: failed: ${failed.join(', ')} (${seconds} s)`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function runLane() {
  for (let check = queue.shift(); check; check = queue.shift()) await run(check);
}

async function run({ name, args }) {
  const from = performance.now();
  const { code, stdout, stderr } = await runNode(args);
  const passed = code === 0;
  if (!passed) {
    failed.push(name);
    process.stdout.write(`${stdout}${stderr}`);
  }
  const time = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`check: ${name.padEnd(16)} ${passed ? 'passed' : 'FAILED'} ${time.padStart(5)} s`);
}
