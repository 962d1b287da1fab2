import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kills, killsText } from './kills.ts';

/** What every scenario can be told, and what it answers: the words for people, the facts for machines. */
interface Played {
  readonly text: string;
  readonly json: object;
  readonly passed: boolean;
}

interface Order {
  readonly quick: boolean;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const scenarios: Readonly<Record<string, (order: Order) => Promise<Played>>> = {
  kills: async (order) => {
    const result = await kills({ projectRoot, ...order });
    const { storm, lost, clean, planted, elapsedMs, passed } = result;
    const { struck, findings, last, stableFailed, visitorsSent } = storm;
    const json = {
      struck,
      findings: [...findings, ...clean],
      lost,
      planted,
      last,
      stableFailed,
      visitorsSent,
      elapsedMs,
    };
    return { text: killsText(result), json, passed };
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
  },
});

const startedMs = performance.now();
const [name = 'kills'] = positionals;
const scenario = scenarios[name];
const rounds = Number(values.rounds);
if (scenario === undefined || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(
    `expected one of ${Object.keys(scenarios).join(', ')} and --rounds of at least 1, got ${name}\n`,
  );
  process.exit(2);
}
const say = (line: string): void => {
  process.stderr.write(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
};
const { text, json, passed } = await scenario({ quick: values.quick, rounds, say });
process.stdout.write(values.json ? `${JSON.stringify({ e2e: name, passed, ...json })}\n` : `${text}\n`);
process.exit(passed ? 0 : 1);
