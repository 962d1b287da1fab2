import { parseArgs } from 'node:util';

/** What `npm run bench` and `npm run e2e` have to offer. */
export interface Offer<Name extends string> {
  readonly script: 'bench' | 'e2e';
  /** By name: what it is, in a few words. */
  readonly runs: Readonly<Record<Name, string>>;
  readonly roundsDefault: number;
  /** Runs for which another number is the default, because that number is what is promised about them. */
  readonly roundsDefaultOf?: Partial<Readonly<Record<Name, number>>>;
}

/** What was asked for. */
export interface NamedRun<Name extends string> {
  /** At least one; all of them when none was named. */
  readonly names: readonly Name[];
  /** How often each is done. */
  readonly roundsOf: (name: Name) => number;
  /** A smaller profile for the tests: the same code, less of it. */
  readonly quick: boolean;
  readonly json: boolean;
}

/** Reads the command line. Ends the process with help at `--help`, and with code 2 at anything that is not offered. */
export function namedRunOf<Name extends string>(offer: Offer<Name>, args: readonly string[]): NamedRun<Name> {
  const refuse = (why: string): never => {
    process.stderr.write(`${why}\n\n${helpOf(offer)}`);
    process.exit(2);
  };
  const { values, positionals } = parsed(args, refuse);
  if (values.help) {
    process.stdout.write(helpOf(offer));
    process.exit(0);
  }
  const all = Object.keys(offer.runs) as Name[];
  const named = positionals.map(
    (name) => all.find((one) => one === name) ?? refuse(`expected one of ${all.join(', ')}, got ${name}`),
  );
  const rounds = Number(values.rounds ?? offer.roundsDefault);
  if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds: expected a whole number from 1, got ${values.rounds}`);
  const roundsOf = (name: Name): number => (values.rounds === undefined && offer.roundsDefaultOf?.[name]) || rounds;
  return { names: named.length === 0 ? all : named, roundsOf, quick: values.quick, json: values.json };
}

function parsed(args: readonly string[], refuse: (why: string) => never) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function helpOf({ script, runs, roundsDefault, roundsDefaultOf = {} }: Offer<string>): string {
  const list = Object.entries(runs).map(([name, about]) => `  ${name.padEnd(12)}${about}`);
  const others = Object.entries(roundsDefaultOf).map(([name, rounds]) => `, ${name} ${rounds}`);
  return `usage: npm run ${script} -- [name ...] [options]

${list.join('\n')}

  --rounds <number>  how often (default ${roundsDefault}${others.join('')})
  --quick            less of the same, for the tests
  --json             lines for machines
  --help             this

Without a name: all of them.
`;
}
