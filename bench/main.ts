import { InputFault, type NamedRun, namedRunOf } from '../tools/named-run.ts';
import { type BenchLine, jsonOf } from './line.ts';

/** What every benchmark can be told. */
export type BenchOptions = Pick<NamedRun<string>, 'quick' | 'inputs'> & { readonly rounds: number };

interface Bench {
  readonly run: (options: BenchOptions) => Promise<readonly BenchLine[]>;
  /** All lines in one picture, for benchmarks whose single lines say little; beside it only promises are told. */
  readonly tableOf?: (lines: readonly BenchLine[]) => string;
}

const runs = {
  authority: 'who may do what, with the reason of a no, against Cedar, casbin and OPA',
  canary: 'our judge and ramp against the rules of others, on simulated canaries, good and bad',
  decide: 'one vote, durable, against a bare insert',
  edge: 'the router with its counts against HAProxy, and the start of an isolated release against a bare one',
  judge: "the judge's cost for each look, or with --vectors its distance from given values",
  overhead: 'a whole promotion with no-op runners, against a bare workflow',
};

/** The benchmarks by name; each gives lines of one form, so that they can be compared and collected. */
const benches: Readonly<Record<keyof typeof runs, () => Promise<Bench>>> = {
  authority: () => import('./authority.ts'),
  canary: () => import('./canary.ts'),
  decide: () => import('./decide.ts'),
  edge: () => import('./edge.ts'),
  judge: () => import('./judge.ts'),
  overhead: () => import('./overhead.ts'),
};

const inputs = {
  vectors: { of: 'judge', about: 'looks with expected values, in the form of judge-vectors.json' },
} as const;
const offer = { script: 'bench', runs, roundsDefault: 5, inputs } as const;
const { names, json, quick, inputs: files, roundsOf } = namedRunOf(offer, process.argv.slice(2));
for (const name of names) {
  const { run, tableOf } = await benches[name]();
  const lines = await run({ quick, inputs: files, rounds: roundsOf(name) }).catch(tellInputFault);
  const shown = json || tableOf === undefined ? lines : lines.filter(({ goal }) => goal !== 'none');
  if (shown !== lines && tableOf !== undefined) process.stdout.write(`${tableOf(lines)}\n`);
  for (const line of shown) process.stdout.write(`${json ? jsonOf(line) : sentenceOf(line)}\n`);
}
process.exit(0);

function tellInputFault(error: unknown): never {
  if (!(error instanceof InputFault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}

function sentenceOf(line: BenchLine): string {
  const peer = line.peer === null ? '' : `, ${line.peerName} ${line.peer}, ratio ${line.ratio}`;
  return `${line.met ? 'met   ' : 'MISSED'} ${line.bench} ${line.metric}: ${line.ours}${peer} (goal ${line.goal})`;
}
