import { scopes, tokenDaysMax } from '@proviso/domain';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type TokenFlags, issue, issueOwn, listTokens, revoke } from './commands/token.ts';
import { login, logout, people, whoami } from './commands/login.ts';
import { erase, exportPersonal } from './commands/people.ts';
import {
  bringEvidence,
  distrustPipeline,
  type EvidenceFlags,
  listPipelines,
  type TrustFlags,
  trustPipeline,
} from './commands/workload.ts';
import { openWorkspace } from './commands/workspace.ts';
import { type Bind, connected, examples, withData, word } from './program-part.ts';

/** A quarter of a year, and at most the year that the API allows. */
export const TOKEN_DAYS = 90;

/** The commands about who acts: signing in, tokens, people, machines and workspaces. */
export function addPrincipals(program: Command, bind: Bind): void {
  addSigningIn(program, bind);
  addTokens(program, bind);
  addWorkspaces(program, bind);
  addPeople(program, bind);
  addWorkloads(program, bind);
}

function addSigningIn(program: Command, bind: Bind): void {
  connected(program.command('login'))
    .description('Sign in: your browser asks you, and this command line gets a token of your own')
    .option('--open', 'open the browser')
    .addHelpText('after', examples('proviso login --url https://proviso.example --open'))
    .action(bind((session, _args, flags) => login(session, flags)));
  connected(program.command('logout'))
    .description('End the token that login was given')
    .addHelpText('after', examples('proviso logout'))
    .action(bind((session, _args, flags) => logout(session, flags)));
  connected(program.command('whoami'))
    .description('In whose name the commands speak')
    .addHelpText('after', examples('proviso whoami'))
    .action(bind((session) => whoami(session)));
}

function addPeople(program: Command, bind: Bind): void {
  const group = program.command('people').description('People: who is here, and what is held about them');
  connected(group.command('list', { isDefault: true }))
    .description('Who is here with which roles, and who waits for one')
    .addHelpText('after', examples('proviso people --as pia'))
    .action(bind((session) => people(session)));
  connected(group.command('export'))
    .argument('[person]', 'by name or id; without one: yourself')
    .description('All that is held about a person, as JSON; that it was read is recorded')
    .addHelpText('after', examples('proviso people export "Bea Builder" --as pia > bea.json'))
    .action(bind((session, args) => exportPersonal(session, args[0])));
  connected(group.command('erase'))
    .argument('<person>', 'by name or id')
    .description('Destroy name, address and reasons of a person for good; history stays valid')
    .option('--yes', 'nothing brings it back, and you know')
    .addHelpText('after', examples('proviso people erase "Bea Builder" --yes --as pia'))
    .action(bind((session, args, flags) => erase(session, word(args, 0), (flags as { yes?: true }).yes === true)));
}

function addWorkloads(program: Command, bind: Bind): void {
  const workload = program
    .command('workload')
    .description('Pipelines that may bring evidence for a prototype, or promote it');
  connected(workload.command('trust'))
    .argument('<prototype>')
    .description('Trust the runs of a pipeline; you answer for them, and have no vote where they bring something')
    .requiredOption('--repository <name>', 'such as team/app')
    .requiredOption('--audience <text>', 'for whom the CI system issues the token')
    .option('--issuer <address>', 'the CI system', 'https://token.actions.githubusercontent.com')
    .option('--ref <ref>', 'a branch or tag, with a star at its end at most', 'refs/heads/main')
    .option('--workflow <file>', 'such as team/app/.github/workflows/ci.yml; without it any of the repository')
    .option('--promotes', 'its runs may also promote their own commit, not only bring evidence about it')
    .option('--name <name>', 'what history calls it', 'pipeline')
    .addHelpText('after', examples('proviso workload trust my-app --repository team/app --audience proviso --as olga'))
    .action(bind((session, args, flags) => trustPipeline(session, word(args, 0), flags as TrustFlags)));
  connected(workload.command('list'))
    .argument('<prototype>')
    .description('Which pipelines are trusted')
    .addHelpText('after', examples('proviso workload list my-app'))
    .action(bind((session, args) => listPipelines(session, word(args, 0))));
  connected(workload.command('distrust'))
    .argument('<prototype>')
    .argument('<service>', 'as listed')
    .description('End the trust, and every token of its runs')
    .addHelpText('after', examples('proviso workload distrust my-app psn_… --as olga'))
    .action(bind((session, args) => distrustPipeline(session, word(args, 0), word(args, 1))));
  connected(program.command('evidence'))
    .argument('<prototype>', 'by name or id')
    .argument('<file>')
    .description('Bring a document for the version that was made from a commit')
    .requiredOption('--kind <kind>', 'such as test-report')
    .requiredOption('--commit <id>', 'the whole id')
    .option('--workspace <id>', 'in a run of a trusted pipeline: acts as that run, with no other token')
    .option('--audience <text>', 'with it: as the pipeline was trusted', 'proviso')
    .addHelpText(
      'after',
      examples(
        'proviso evidence my-app report.json --kind test-report --commit $(git rev-parse HEAD) --as bea',
        'proviso evidence pro_… report.json --kind test-report --commit $GITHUB_SHA --workspace wsp_…',
      ),
    )
    .action(
      bind((session, args, flags) =>
        bringEvidence(session, word(args, 0), { ...(flags as EvidenceFlags), file: word(args, 1) }),
      ),
    );
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

/** A token's days as they are typed. */
export function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= tokenDaysMax) return value;
  throw new InvalidArgumentError(`expected days from 1 to ${tokenDaysMax}.`);
}
