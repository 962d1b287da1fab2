import { type Command, InvalidArgumentError } from 'commander';
import { overlapMsMax } from '@proviso/domain';
import { add, deliveries, list, remove, resend, rotate } from './commands/webhook.ts';
import { type Bind, connected, examples, word } from './program-part.ts';

/** Long enough to bring the new secret to wherever the old one lies. */
const OVERLAP_HOURS = 24;
const OVERLAP_HOURS_MAX = overlapMsMax / 3_600_000;

/** The commands about who outside is told what happens. */
export function addWebhooks(program: Command, bind: Bind): void {
  const webhook = program.command('webhook').description('Who outside is told what happens: add, list, remove, …');
  const which = ['<webhook>', 'by name or id'] as const;
  connected(webhook.command('add'))
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .argument('<address>', 'where events are sent; kept sealed')
    .description('Tell somebody outside from now on; prints the secret that events are signed with, once')
    .requiredOption('--type <type...>', 'of what, such as dev.proviso.promotion.*')
    .addHelpText('after', examples("proviso webhook add pager https://pager.example/h/1 --type 'dev.proviso.gate.*'"))
    .action(
      bind((session, args, flags) =>
        add(session, { name: word(args, 0), address: word(args, 1), types: (flags as { type: string[] }).type }),
      ),
    );
  connected(webhook.command('list'))
    .description('Who is told of what')
    .addHelpText('after', examples('proviso webhook list --as olga'))
    .action(bind((session) => list(session)));
  connected(webhook.command('remove'))
    .argument(...which)
    .description('Tell it nothing more, and forget its address, its secrets and its deliveries')
    .addHelpText('after', examples('proviso webhook remove pager --as olga'))
    .action(bind((session, args) => remove(session, word(args, 0))));
  connected(webhook.command('rotate'))
    .argument(...which)
    .description('Print another secret, once; for a while events are signed under both')
    .option('--overlap <hours>', 'how long the one before signs, too', hours, OVERLAP_HOURS)
    .addHelpText('after', examples('proviso webhook rotate pager --overlap 1 --as olga'))
    .action(bind((session, args, flags) => rotate(session, word(args, 0), (flags as { overlap: number }).overlap)));
  connected(webhook.command('deliveries'))
    .argument(...which)
    .description('What was sent and what waits, newest first, with the last answer')
    .addHelpText('after', examples('proviso webhook deliveries pager --json'))
    .action(bind((session, args) => deliveries(session, word(args, 0))));
  connected(webhook.command('resend'))
    .argument(...which)
    .argument('<delivery>', 'as listed')
    .description('Send an event again, under the same id')
    .addHelpText('after', examples('proviso webhook resend pager dlv_… --as olga'))
    .action(bind((session, args) => resend(session, word(args, 0), word(args, 1))));
}

function hours(text: string): number {
  const value = Number(text);
  if (/^\d{1,3}$/.test(text) && value <= OVERLAP_HOURS_MAX) return value;
  throw new InvalidArgumentError(`expected hours from 0 to ${OVERLAP_HOURS_MAX}.`);
}
