import { scopes, tokenDaysMax } from '@proviso/domain';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type TokenFlags, issue, issueOwn, listTokens, revoke } from './commands/token.ts';
import { openWorkspace } from './commands/workspace.ts';
import { type Bind, connected, examples, withData, word } from './program-part.ts';

/** A quarter of a year, and at most the year that the API allows. */
const TOKEN_DAYS = 90;

/** The commands about who acts: tokens, people, machines and workspaces. */
export function addPrincipals(program: Command, bind: Bind): void {
  addTokens(program, bind);
  addWorkspaces(program, bind);
}

function addWorkspaces(program: Command, bind: Bind): void {
  const workspace = program
    .command('workspace')
    .description('Workspaces of this deployment: nothing in one is seen from another');
  withData(workspace.command('open'))
    .argument('<name>', 'what its people call it')
    .description('Open a workspace with its first administrator, whose token is shown once')
    .requiredOption('--administrator <name>', 'who adds its other people')
    .addHelpText('after', examples('proviso workspace open "Team Blue" --administrator "Ada Lovelace"'))
    .action(
      bind((session, args, flags) =>
        openWorkspace(session, word(args, 0), (flags as { administrator: string }).administrator),
      ),
    );
}

function addTokens(program: Command, bind: Bind): void {
  const token = program.command('token').description('Tokens of people and services: list, issue, create, revoke');
  const person = ['[person]', 'by name or id; without one: yourself'] as const;
  connected(token.command('list'))
    .argument(...person)
    .description('Which tokens there are, how narrow, when they end, who issued them, when they were used last')
    .addHelpText('after', examples('proviso token list "Sam Security" --as pia'))
    .action(bind((session, args) => listTokens(session, args[0])));
  connected(token.command('issue'))
    .argument(...person)
    .description('Issue a token, shown once; issued to somebody else it acts in their name but cannot decide')
    .option('--days <days>', 'ends after this many', days, TOKEN_DAYS)
    .addOption(scopeOption('narrows it; a service has no other tokens'))
    .addHelpText('after', examples('proviso token issue "Bea Builder" --days 30 --as pia'))
    .action(bind((session, args, flags) => issue(session, args[0], flags as TokenFlags)));
  connected(token.command('create'))
    .description('Issue a narrower token to yourself, shown once: for a program that acts as you')
    .addOption(scopeOption('what it may do').makeOptionMandatory())
    .option('--days <days>', 'ends after this many', days, TOKEN_DAYS)
    .addHelpText('after', examples('proviso token create --scope read --scope build --days 7 --as bea'))
    .action(bind((session, _args, flags) => issueOwn(session, flags as Required<TokenFlags>)));
  connected(token.command('revoke'))
    .argument('<token>', 'its id, as listed')
    .argument(...person)
    .description('Revoke a token: it is refused from then on, everywhere')
    .addHelpText('after', examples('proviso token revoke tok_… "Bea Builder" --as pia'))
    .action(bind((session, args) => revoke(session, word(args, 0), args[1])));
}

function scopeOption(about: string): Option {
  return new Option('--scope <scope...>', about).choices(scopes);
}

function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= tokenDaysMax) return value;
  throw new InvalidArgumentError(`expected days from 1 to ${tokenDaysMax}.`);
}
