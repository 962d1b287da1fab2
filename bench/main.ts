import { type NamedRun, namedRunOf } from '../tools/named-run.ts';
import { type BenchLine, jsonOf } from './line.ts';

/** What every benchmark can be told. */
export type BenchOptions = Pick<NamedRun<string>, 'quick'> & { readonly rounds: number };

interface Bench {
  readonly run: (options: BenchOptions) => Promise<readonly BenchLine[]>;
}

const runs = {
  decide: 'one vote, durable, against a bare insert',
  edge: 'the router with its counts against HAProxy, and the start of an isolated release against a bare one',
  overhead: 'a whole promotion with no-op runners, against a bare workflow',
};

/** The benchmarks by name; each gives lines of one form, so that they can be compared and collected. */
const benches: Readonly<Record<keyof typeof runs, () => Promise<Bench>>> = {
  decide: () => import('./decide.ts'),
  edge: () => import('./edge.ts'),
  overhead: () => import('./overhead.ts'),
};

const { names, json, quick, roundsOf } = namedRunOf({ script: 'bench', runs, roundsDefault: 5 }, process.argv.slice(2));
for (const name of names) {
  const { run } = await benches[name]();
  for (const line of await run({ quick, rounds: roundsOf(name) }))
    process.stdout.write(`${json ? jsonOf(line) : sentenceOf(line)}\n`);
}
process.exit(0);

function sentenceOf(line: BenchLine): string {
  const peer = line.peer === null ? '' : `, ${line.peerName} ${line.peer}, ratio ${line.ratio}`;
  return `${line.met ? 'met   ' : 'MISSED'} ${line.bench} ${line.metric}: ${line.ours}${peer} (goal ${line.goal})`;
}
