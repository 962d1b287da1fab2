import { type Command, InvalidArgumentError } from 'commander';
import {
  agreeToWaiver,
  breakGlass,
  type Handover,
  handOver,
  retire,
  takeBack,
  type WaiverWish,
  wishWaiver,
} from './commands/exception.ts';
import { type Bind, connected, examples, word } from './program-part.ts';

/** Commands for what people let pass for a time, hand on, or take out of service. */
export function addExceptions(program: Command, bind: Bind): void {
  const reasonOf = (flags: object) => (flags as { reason: string }).reason;
  const waiver = program.command('waiver').description('What is let pass for a time: ask, approve');
  connected(waiver.command('ask'))
    .argument('<promotion>')
    .description('Ask that the gate at which it stands still, or one finding, be waived')
    .requiredOption('--owner <person>', 'who answers for the risk, by name or id')
    .requiredOption('--until <time>', 'with its offset, such as 2026-12-01T09:00:00+01:00')
    .requiredOption('--reason <text>', 'why the risk can be taken; kept encrypted')
    .option('--finding <number>', 'only this finding, counted as the status lists them', finding)
    .addHelpText('after', examples('proviso waiver ask prm_… --owner "Olga" --until 2026-12-01T09:00:00Z --reason "…"'))
    .action(bind((session, args, flags) => wishWaiver(session, word(args, 0), flags as WaiverWish)));
  connected(waiver.command('approve'))
    .argument('<promotion>')
    .argument('<waiver>', 'its id, as it was asked for')
    .description('Agree to a waiver that another has asked for')
    .addHelpText('after', examples('proviso waiver approve prm_… wvr_… --as olga'))
    .action(bind((session, args) => agreeToWaiver(session, word(args, 0), word(args, 1))));
  const glass = program.command('break-glass').description('Emergencies: ask, approve, review; each at the page');
  for (const step of ['ask', 'approve', 'review'] as const)
    connected(glass.command(step))
      .argument('<promotion>')
      .description(glassWords[step])
      .requiredOption('--reason <text>', 'why; people will ask')
      .addHelpText('after', examples(`proviso break-glass ${step} prm_… --reason "customers cannot log in"`))
      .action(bind((session, args, flags) => breakGlass(session, word(args, 0), { step, reason: reasonOf(flags) })));
  const delegation = program.command('delegate').description('Your right to vote, in another’s hands: to, end');
  connected(delegation.command('to'))
    .argument('<person>', 'by name or id')
    .description('Let this person vote in your stead until a date')
    .requiredOption('--until <time>', 'with its offset, at most 90 days from now')
    .option('--prototype <name>', 'for this prototype only')
    .addHelpText('after', examples('proviso delegate to "Kim" --until 2026-12-24T18:00:00Z --as sam'))
    .action(bind((session, args, flags) => handOver(session, word(args, 0), flags as Handover)));
  connected(delegation.command('end'))
    .argument('<person>', 'by name or id')
    .description('Take your right back')
    .addHelpText('after', examples('proviso delegate end "Kim" --as sam'))
    .action(bind((session, args) => takeBack(session, word(args, 0))));
  connected(program.command('retire'))
    .argument('<prototype>')
    .description('Take what is live out of service; nobody is served, and the lane is held')
    .requiredOption('--reason <text>', 'why; people will ask')
    .addHelpText('after', examples('proviso retire my-app --as olga --reason "replaced by the new desk"'))
    .action(bind((session, args, flags) => retire(session, word(args, 0), reasonOf(flags))));
}

const glassWords = {
  ask: 'Ask to pass people or a freeze in an emergency',
  approve: 'Agree to it, as one of two others',
  review: 'Say that you have looked at what was done',
} as const;

function finding(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('expected the number of a finding, from 1.');
}
