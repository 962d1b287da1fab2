import { type Command, InvalidArgumentError } from 'commander';
import { agree, diff, lint, publish, replay, test } from './commands/policy.ts';
import type { ExitCode } from './exit-code.ts';
import type { Session } from './session.ts';

/** A quarter of a year, which is what the API allows. */
const WEAKER_DAYS_MAX = 90;

/** How a command is made here: what binds a run to a session, and the flags and examples that all have. */
export interface ProgramParts {
  readonly bind: (
    run: (session: Session, args: readonly string[], flags: object) => Promise<ExitCode> | ExitCode,
  ) => (...given: unknown[]) => Promise<void>;
  readonly withData: (command: Command) => Command;
  readonly connected: (command: Command) => Command;
  readonly examples: (...lines: readonly string[]) => string;
}

/** `proviso policy`: look at a policy before it is published, publish it, agree to a weaker one. */
export function addPolicies(program: Command, { bind, withData, connected, examples }: ProgramParts): void {
  const policy = program.command('policy').description('Policies: lint, diff, test, replay, publish, agree');
  withData(policy.command('lint'))
    .argument('<file>')
    .description('Every mistake of a policy file with line and column; asks nobody')
    .addHelpText('after', examples('proviso policy lint policies/standard.yaml'))
    .action(bind((session, [file = '']) => lint(session, file)));
  connected(policy.command('diff'))
    .argument('<file>')
    .argument('[name]', 'the published policy; without it: the one that the file names')
    .description('What a file changes, field by field: weaker, neutral or stronger')
    .addHelpText('after', examples('proviso policy diff policies/standard.yaml'))
    .action(bind((session, [file = '', name]) => diff(session, file, name)));
  connected(policy.command('test'))
    .argument('<file>')
    .requiredOption('--person <name>', 'by name or id')
    .requiredOption('--promotion <id>', 'the promotion to approve')
    .description('Could this person approve this promotion under the file? Which rule says no?')
    .addHelpText('after', examples('proviso policy test strict.yaml --person "Ana Lima" --promotion prm_…'))
    .action(bind((session, [file = ''], flags) => test(session, file, flags as { person: string; promotion: string })));
  connected(policy.command('replay'))
    .argument('<file>')
    .option('--since <date>', 'only promotions that were opened since then')
    .description('Decide past promotions again under the file; list what would change')
    .addHelpText('after', examples('proviso policy replay strict.yaml --since 2026-01-01'))
    .action(bind((session, [file = ''], flags) => replay(session, file, (flags as { since?: string }).since)));
  connected(policy.command('publish'))
    .argument('<file>')
    .option('--reason <text>', 'why it may be weaker; kept encrypted')
    .option('--weaker-for <days>', 'when a weaker version ends', daysOf)
    .description('Publish a file; a weaker version waits for an administrator')
    .addHelpText('after', examples('proviso policy publish policies/standard.yaml --as pia'))
    .action(bind((session, [file = ''], flags) => publish(session, file, flags)));
  connected(policy.command('agree'))
    .argument('<name>')
    .option('--reason <text>', 'kept encrypted')
    .description('Agree to the weaker version that waits; never its author')
    .addHelpText('after', examples('proviso policy agree standard'))
    .action(bind((session, [name = ''], flags) => agree(session, name, (flags as { reason?: string }).reason)));
}

function daysOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= WEAKER_DAYS_MAX) return value;
  throw new InvalidArgumentError(`expected days from 1 to ${WEAKER_DAYS_MAX}.`);
}
