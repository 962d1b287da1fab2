import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import type { Session } from './session.ts';
import { Trouble } from './trouble.ts';

/** What one command does with its session, its words and its flags. */
export type Run = (
  session: Session,
  args: readonly string[],
  flags: object,
) => Promise<ExitCode> | ExitCode | Promise<void>;

/** Makes of it what the parser of words calls. */
export type Bind = (run: Run) => (...given: unknown[]) => Promise<void>;

/** Flags of a command that works on this machine. */
export function withData(command: Command): Command {
  return command
    .option('--data <folder>', 'where the local deployment keeps its data (default: .proviso)')
    .option('--json', 'for machines: only JSON on stdout');
}

/** Flags of a command that talks to the API. */
export function connected(command: Command): Command {
  return withData(command)
    .option('--url <address>', "address of the API (or PROVISO_URL; else the local deployment's)")
    .option('--token <token>', 'in whose name (or PROVISO_TOKEN)')
    .option('--as <person>', 'a person of the local deployment, by key (or PROVISO_AS)');
}

/** The last lines of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** One of the words that were given; the parser has counted them already. */
export function word(args: readonly string[], index: number): string {
  const found = args[index];
  if (found === undefined) throw new Trouble(`expected ${index + 1} words, got ${args.length}`);
  return found;
}
