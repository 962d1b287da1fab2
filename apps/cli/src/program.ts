import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { bind as bindTo, list, preview, rotate, set, unbind, unset } from './commands/configuration.ts';
import { comment, decide, putOff, rerun, resume, steer, trust } from './commands/decide.ts';
import { demo, type DemoFlags } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { type ExplainFlags, explain } from './commands/explain.ts';
import { history } from './commands/history.ts';
import { init } from './commands/init.ts';
import { changeLimits, showLimits } from './commands/limits.ts';
import { promote, type PromoteFlags } from './commands/promote.ts';
import { status } from './commands/status.ts';
import { up, type UpFlags } from './commands/up.ts';
import { type WaitFlags, wait, watch } from './commands/watch.ts';
import { type Environment, environments } from '@proviso/domain';
import { addExceptions } from './exception-program.ts';
import { completionScript } from './completion.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { addPolicies } from './policy-program.ts';
import { addAgents } from './agent-program.ts';
import { type Bind, connected, examples, withData, word } from './program-part.ts';
import { addPrincipals } from './program-principals.ts';
import type { GlobalFlags, Session } from './session.ts';
import { addWebhooks } from './webhook-program.ts';

/** Ports that people remember; both can be changed. */
const API_PORT = 7070;
const ROUTER_PORT = 7080;
/** Longer than a demo, shorter than a working day: whoever waits for people says so with --timeout. */
const WAIT_SECONDS = 600;
const WAIT_SECONDS_MAX = 30 * 86_400;

const exitCodeHelp = `
Exit codes: 0 done (live), 1 failed or blocked, 2 cancelled, 3 rejected, 4 not authenticated, 5 not allowed,
6 stale, 7 rolled back, 8 pending, 9 expired, 124 timed out, 130 interrupted.`;

/** Parses the words and runs one command; `open` makes the session once the flags are known. */
export async function runProgram(words: readonly string[], open: (flags: GlobalFlags) => Session): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const program = buildProgram((run) => {
    return async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const flags = command.opts<GlobalFlags>();
      code = (await run(open(flags), command.args, flags)) ?? exitCodes.ok;
    };
  });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its words already; help and version are no failures.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
  }
  return code;
}

function buildProgram(bind: Bind): Command {
  const program = new Command('proviso')
    .description('Takes a prototype to production, provided that it earns it.')
    .version('0.1.0')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', exitCodeHelp);
  addServing(program, bind);
  addPromoting(program, bind);
  addDeciding(program, bind);
  addExceptions(program, bind);
  addLooking(program, bind);
  addLimits(program, bind);
  addPolicies(program, { bind, withData, connected, examples });
  addPrincipals(program, bind);
  addAgents(program, bind);
  addWebhooks(program, bind);
  addConfiguring(program, bind);
  return program;
}

function addServing(program: Command, bind: Bind): void {
  const serving = (command: Command) =>
    withData(command)
      .option('--port <port>', 'port of the API, 0 for any free one', port, API_PORT)
      .option('--router-port <port>', 'port under which prototypes are served', port, ROUTER_PORT);
  serving(program.command('up'))
    .description('Start a whole deployment on this machine: PostgreSQL, Temporal, API, worker, edge')
    .option('--watch', 'start API, worker and edge again when their sources change')
    .addHelpText('after', examples('proviso up', 'proviso up --port 0 --data /srv/proviso'))
    .action(bind((session, _args, flags) => up(session, flags as UpFlags)));
  serving(program.command('demo'))
    .argument('<folder>', 'a folder with demo.json and one folder for each version')
    .description('Start a deployment and carry the versions of a folder through it')
    .option('--once', 'end when they are done instead of staying up')
    .addHelpText('after', examples('npm start', 'npm start -- --once --json'))
    .action(bind((session, args, flags) => demo(session, word(args, 0), flags as DemoFlags)));
}

function addPromoting(program: Command, bind: Bind): void {
  withData(program.command('init'))
    .argument('[folder]', 'the prototype', '.')
    .description('Write a commented proviso.yaml from the code; ask only what the code does not say')
    .option('--owner <name>', 'the accountable person')
    .option('--force', 'overwrite the one that is there; test questions stay')
    .option('--yes', 'ask nothing, take safe defaults and mark them')
    .addHelpText('after', examples('proviso init', 'proviso init ./my-app --owner "Ada Lovelace" --yes'))
    .action(bind((session, args, flags) => init(session, args[0] ?? '.', flags)));
  connected(program.command('promote'))
    .argument('[folder]', 'the prototype', '.')
    .description('Upload a folder and open a promotion; registers the prototype when it is new')
    .option('--policy <name>', 'the gates to pass', 'standard')
    .option('--version <name>', 'what to call it, such as v14; else it is named by its content')
    .option('--prototype <name>', 'instead of the name in proviso.yaml')
    .option('--wait', 'follow it until it has ended or needs a new version')
    .option('--workspace <id>', 'in a run of a pipeline that is trusted to promote: acts as that run')
    .option('--audience <text>', 'with it: as the pipeline was trusted', 'proviso')
    .option('--repository <name>', 'with it: the repository of the run, such as team/app')
    .option('--commit <id>', 'with it: the commit of the run, instead of a folder')
    .addHelpText('after', examples('proviso promote', 'proviso promote ./my-app --version v14 --policy demo --wait'))
    .action(bind((session, args, flags) => promote(session, args[0] ?? '.', flags as PromoteFlags)));
}

function addDeciding(program: Command, bind: Bind): void {
  const verdicts = [
    { name: 'approve', verdict: 'approve', about: 'Approve at the gate that waits, bound to the evidence shown' },
    { name: 'reject', verdict: 'reject', about: 'Reject at the gate that waits' },
  ] as const;
  for (const { name, verdict, about } of verdicts) {
    connected(program.command(name))
      .argument('<promotion>')
      .description(about)
      .option('--reason <text>', 'kept encrypted; the journal holds a commitment to it')
      .option('--open', 'open the page in a browser where this gate is decided there')
      .addHelpText('after', examples(`proviso ${name} prm_… --as sam --reason "looked at the evidence"`))
      .action(
        bind((session, args, flags) => {
          const { reason, open = false } = flags as { reason?: string; open?: boolean };
          return decide(session, word(args, 0), { verdict, reason, open });
        }),
      );
  }
  const steering = [
    { name: 'rollback', about: 'Take a release back from users, now' },
    { name: 'cancel', about: 'Stop a promotion; what users got from it is taken back' },
    { name: 'pause', about: 'Let a canary stay at its share; it is looked at, and condemned, as before' },
    { name: 'unpause', about: 'Let a paused canary climb again' },
    { name: 'advance', about: "Let a canary go to the policy's next share without waiting out its time there" },
  ] as const;
  for (const { name, about } of steering) {
    connected(program.command(name))
      .argument('<promotion>')
      .description(about)
      .requiredOption('--reason <text>', 'why; people will ask')
      .addHelpText('after', examples(`proviso ${name} prm_… --as olga --reason "wrong prices"`))
      .action(bind((session, args, flags) => steer(session, word(args, 0), { verb: name, reason: reasonOf(flags) })));
  }
  connected(program.command('defer'))
    .argument('<promotion>')
    .description('Say "not now" at the gate that waits; it still expires when it does')
    .requiredOption('--until <time>', 'with its offset, such as 2026-12-01T09:00:00+01:00')
    .option('--reason <text>', 'kept encrypted')
    .addHelpText('after', examples('proviso defer prm_… --until 2026-12-01T09:00:00Z --as sam'))
    .action(bind((session, args, flags) => putOff(session, word(args, 0), flags as { until: string })));
  connected(program.command('comment'))
    .argument('<promotion>')
    .argument('<text>', 'kept encrypted; the journal holds a commitment to it')
    .description('Say something about a promotion, before or after its end; it decides nothing')
    .addHelpText('after', examples('proviso comment prm_… "the odd answers are the old index, not this version"'))
    .action(bind((session, args) => comment(session, word(args, 0), word(args, 1))));
  connected(program.command('rerun'))
    .argument('<promotion>')
    .description('Run the gate again at which it stands still, once the cause is mended')
    .option('--reason <text>', 'what was mended')
    .addHelpText('after', examples('proviso rerun prm_… --reason "the scanner is installed now"'))
    .action(bind((session, args, flags) => rerun(session, word(args, 0), (flags as { reason?: string }).reason)));
  connected(program.command('resume'))
    .argument('<prototype>')
    .description('Let a lane take releases again after a rollback has held it')
    .requiredOption('--reason <text>', 'what was found and changed')
    .addHelpText('after', examples('proviso resume my-app --as olga --reason "the cause is mended"'))
    .action(bind((session, args, flags) => resume(session, word(args, 0), reasonOf(flags))));
  connected(program.command('trust'))
    .argument('<prototype>')
    .description('Vouch for a prototype: it may run where nothing can be isolated')
    .addHelpText('after', examples('proviso trust my-app --as olga'))
    .action(bind((session, args) => trust(session, word(args, 0))));
}

function addLooking(program: Command, bind: Bind): void {
  connected(program.command('status'))
    .argument('[promotion]', 'without one: the latest promotions')
    .description('Where it stands, what is in the way, who must act; the exit code says it too')
    .addHelpText('after', examples('proviso status', 'proviso status prm_… --json'))
    .action(bind((session, args) => status(session, args[0])));
  connected(program.command('watch'))
    .argument('<promotion>')
    .description('Follow a promotion until it has ended, with a picture of its canary; --json prints each look')
    .addHelpText('after', examples('proviso watch prm_…', 'proviso watch prm_… --json'))
    .action(bind((session, args) => watch(session, word(args, 0))));
  connected(program.command('wait'))
    .argument('<promotion>')
    .description('Wait for a state or for a gate to be passed')
    .option('--until <goal>', 'a state such as live, or a gate such as staging', 'live')
    .option('--timeout <seconds>', 'ends with 124 after this long', seconds, WAIT_SECONDS)
    .option('--workspace <id>', 'in a run of a pipeline that has opened it: acts as that run')
    .option('--audience <text>', 'with it: as the pipeline was trusted', 'proviso')
    .option('--prototype <id>', 'with it: whose promotion it is')
    .addHelpText('after', examples('proviso wait prm_… --until staging --timeout 300'))
    .action(bind((session, args, flags) => wait(session, word(args, 0), flags as WaitFlags)));
  connected(program.command('history'))
    .argument('<promotion>')
    .description('Every entry of a promotion, its hash chain verified here')
    .addHelpText('after', examples('proviso history prm_…', 'proviso history prm_… --json'))
    .action(bind((session, args) => history(session, word(args, 0))));
  connected(program.command('explain'))
    .argument('<promotion>')
    .description('Why you may or may not do something now: every rule that is asked, and the one that decides')
    .option(
      '--action <action>',
      'approve, reject, rerun, pause, unpause, advance, comment, cancel, rollback or resume',
      'approve',
    )
    .option('--person <person>', 'whose rights, by name or id; without it your own')
    .addHelpText('after', examples('proviso explain prm_…', 'proviso explain prm_… --person "Sam Security" --json'))
    .action(bind((session, args, flags) => explain(session, word(args, 0), flags as ExplainFlags)));
  connected(program.command('doctor'))
    .description('What runs where, in which version, what it takes, and what is missing')
    .addHelpText('after', examples('proviso doctor'))
    .action(bind((session) => doctor(session)));
  program
    .command('completion')
    .argument('<shell>', 'bash, zsh or fish')
    .description('Print a completion script for a shell')
    .addHelpText('after', examples('source <(proviso completion bash)'))
    .action(bind((session, args) => session.print(completionScript(program, word(args, 0))) ?? exitCodes.ok));
}

function addLimits(program: Command, bind: Bind): void {
  const limits = program.command('limits').description('What the workspace may take: show, set');
  connected(limits.command('show'))
    .description('Disk, prototypes, candidates that run at once, retention: what is taken and what may be')
    .addHelpText('after', examples('proviso limits show', 'proviso limits show --json'))
    .action(bind((session) => showLimits(session)));
  connected(limits.command('set'))
    .argument('<limit=value...>', 'sizes may end in kB, MB, GB; nothing behind = is the default')
    .description('Change limits; those that are not named stay')
    .addHelpText('after', examples('proviso limits set diskBytesMax=20GB retentionDays=14 --as olga'))
    .action(bind((session, args) => changeLimits(session, args)));
}

function addConfiguring(program: Command, bind: Bind): void {
  const secret = program.command('secret').description('Secrets of lanes: where their values lie, never the values');
  const variable = program.command('variable').description('Plain variables of lanes, readable to everybody');
  const lane = (command: Command) =>
    connected(command)
      .argument('<prototype>')
      .argument('<name>', 'in capital letters, as the contract names it')
      .addOption(new Option('--lane <lane>', 'of which lane').choices(environments).makeOptionMandatory());
  const of = (args: readonly string[], flags: object) => {
    return { prototype: word(args, 0), name: word(args, 1), lane: (flags as { lane: Environment }).lane };
  };
  lane(secret.command('bind'))
    .argument('<place>', 'environment:NAME or file:path, on the machine of the edge')
    .description('Say where the value of a secret lies')
    .addHelpText('after', examples('proviso secret bind my-app MAIL_API_KEY file:my-app/mail --lane production'))
    .action(bind((session, args, flags) => bindTo(session, of(args, flags), word(args, 2))));
  lane(secret.command('rotate'))
    .description('Read the value again and start releases anew with it, without a promotion')
    .addHelpText('after', examples('proviso secret rotate my-app MAIL_API_KEY --lane production'))
    .action(bind((session, args, flags) => rotate(session, of(args, flags))));
  lane(secret.command('unbind'))
    .description('Take a secret from a lane')
    .addHelpText('after', examples('proviso secret unbind my-app MAIL_API_KEY --lane staging'))
    .action(bind((session, args, flags) => unbind(session, of(args, flags))));
  lane(variable.command('set'))
    .argument('<value>', 'plain: everybody who may read the lane reads it')
    .description('Set a plain variable; releases start anew with it')
    .addHelpText('after', examples('proviso variable set my-app LOG_LEVEL debug --lane staging'))
    .action(bind((session, args, flags) => set(session, of(args, flags), word(args, 2))));
  lane(variable.command('unset'))
    .description('Take a plain variable away')
    .addHelpText('after', examples('proviso variable unset my-app LOG_LEVEL --lane staging'))
    .action(bind((session, args, flags) => unset(session, of(args, flags))));
  for (const [command, noun] of [[secret, 'secrets'] as const, [variable, 'variables'] as const])
    connected(command.command('list'))
      .argument('<prototype>')
      .description(`The ${noun} of both lanes, by whom and since when`)
      .addHelpText('after', examples(`proviso ${command.name()} list my-app`))
      .action(bind((session, args) => list(session, word(args, 0), { noun })));
  connected(program.command('preview'))
    .argument('<promotion>')
    .description('A link to the version in staging: for you, once, for five minutes')
    .addHelpText('after', examples('proviso preview prm_…'))
    .action(bind((session, args) => preview(session, word(args, 0))));
}

function reasonOf(flags: object): string {
  return (flags as { reason: string }).reason;
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535 && text.trim() !== '') return value;
  throw new InvalidArgumentError('expected a port from 0 to 65535.');
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= WAIT_SECONDS_MAX) return value;
  throw new InvalidArgumentError(`expected seconds from 1 to ${WAIT_SECONDS_MAX}.`);
}
