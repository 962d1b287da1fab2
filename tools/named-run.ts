import { parseArgs } from 'node:util';

/** What `npm run bench` and `npm run e2e` have to offer. */
export interface Offer<Name extends string> {
  readonly script: 'bench' | 'e2e';
  /** By name: what it is, in a few words. */
  readonly runs: Readonly<Record<Name, string>>;
  readonly roundsDefault: number;
  /** Runs for which another number is the default, because that number is what is promised about them. */
  readonly roundsDefaultOf?: Partial<Readonly<Record<Name, number>>>;
  /** Options that take a file, each of one run alone. */
  readonly inputs?: Readonly<Record<string, { readonly of: Name; readonly about: string }>>;
}

/** What a person gave us to read and what cannot be used: told in one line, never with a stack. */
export class InputFault extends Error {}

/** What was asked for. */
export interface NamedRun<Name extends string> {
  /** At least one; all of them when none was named. */
  readonly names: readonly Name[];
  /** How often each is done. */
  readonly roundsOf: (name: Name) => number;
  /** A smaller profile for the tests: the same code, less of it. */
  readonly quick: boolean;
  readonly json: boolean;
  /** The files by their option's name. */
  readonly inputs: Readonly<Record<string, string | undefined>>;
}

/** Reads the command line. Ends the process with help at `--help`, and with code 2 at anything that is not offered. */
export function namedRunOf<Name extends string>(offer: Offer<Name>, args: readonly string[]): NamedRun<Name> {
  const refuse = (why: string): never => {
    process.stderr.write(`${why}\n\n${helpOf(offer)}`);
    process.exit(2);
  };
  const { values, positionals } = parsed(offer, args, refuse);
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
  const inputs = inputsOf(offer, { named, values, refuse });
  return { names: named.length === 0 ? all : named, roundsOf, quick: values.quick, json: values.json, inputs };
}

/** Files are taken with the one run that reads them: with others they would be overlooked in silence. */
function inputsOf<Name extends string>(
  offer: Offer<Name>,
  asked: {
    readonly named: readonly Name[];
    readonly values: Readonly<Record<string, unknown>>;
    readonly refuse: (why: string) => never;
  },
): NamedRun<Name>['inputs'] {
  const { named, values, refuse } = asked;
  const inputs: Record<string, string | undefined> = {};
  for (const [option, { of }] of Object.entries<{ readonly of: Name }>(offer.inputs ?? {})) {
    const given = values[option];
    if (typeof given !== 'string') continue;
    const others = named.length === 0 ? 'all' : named.join(', ');
    if (others !== of) refuse(`--${option}: expected with ${of} alone, got ${others}`);
    inputs[option] = given;
  }
  return inputs;
}

function parsed({ inputs = {} }: Offer<string>, args: readonly string[], refuse: (why: string) => never) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...Object.fromEntries(Object.keys(inputs).map((name) => [name, { type: 'string' as const }])),
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

function helpOf({ script, runs, roundsDefault, roundsDefaultOf = {}, inputs = {} }: Offer<string>): string {
  const files = Object.entries(inputs).map(
    ([option, { of, about }]) => `  ${`--${option} <file>`.padEnd(19)}${of}: ${about}\n`,
  );
  const list = Object.entries(runs).map(([name, about]) => `  ${name.padEnd(12)}${about}`);
  const others = Object.entries(roundsDefaultOf).map(([name, rounds]) => `, ${name} ${rounds}`);
  return `usage: npm run ${script} -- [name ...] [options]

${list.join('\n')}

  --rounds <number>  how often (default ${roundsDefault}${others.join('')})
  --quick            less of the same, for the tests
  --json             lines for machines
${files.join('')}  --help             this

Without a name: all of them.
`;
}
