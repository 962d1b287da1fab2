import { parseArgs } from 'node:util';
import type { BenchLine } from './line.ts';

/** The benchmarks by name; each prints lines of one form, so that they can be compared and collected. */
const benches: Readonly<
  Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<readonly BenchLine[]> }>>
> = {
  decide: () => import('./decide.ts'),
  overhead: () => import('./overhead.ts'),
};

/** What every benchmark can be told. */
export interface BenchOptions {
  readonly rounds: number;
  /** A smaller profile for the tests: the same code, less of it. */
  readonly quick: boolean;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
  },
});

const chosen = positionals.length === 0 ? Object.keys(benches) : positionals;
for (const name of chosen) {
  const bench = benches[name];
  if (bench === undefined) {
    process.stderr.write(`expected one of ${Object.keys(benches).join(', ')}, got ${name}\n`);
    process.exit(2);
  }
  const { run } = await bench();
  const lines = await run({ rounds: Number(values.rounds), quick: values.quick });
  for (const line of lines) process.stdout.write(`${values.json ? JSON.stringify(line) : sentenceOf(line)}\n`);
}
process.exit(0);

function sentenceOf(line: BenchLine): string {
  const peer = line.peer === null ? '' : `, ${line.peerName} ${line.peer}, ratio ${line.ratio}`;
  return `${line.met ? 'met   ' : 'MISSED'} ${line.bench} ${line.metric}: ${line.ours}${peer} (goal ${line.goal})`;
}
