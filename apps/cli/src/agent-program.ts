import { type Command, Option } from 'commander';
import { type AgentFlags, addAgent, serveAgent } from './commands/agent.ts';
import { type Bind, connected, examples, word } from './program-part.ts';
import { days, TOKEN_DAYS } from './program-principals.ts';

/** What an agent may be: it votes by none of them, so none that is for voting is offered. */
const roles = ['builder', 'operator', 'auditor'] as const;

/** The commands about agents. */
export function addAgents(program: Command, bind: Bind): void {
  connected(program.command('mcp'))
    .description('Serve an agent’s tools on standard input and output (Model Context Protocol); needs an agent’s token')
    .addHelpText('after', examples('PROVISO_URL=https://proviso.example PROVISO_TOKEN=prv_… proviso mcp'))
    .action(bind((session, _args, flags) => serveAgent(session, flags, process.stdin)));
  const agent = program.command('agent').description('Agents: programs that act on behalf of a human, and never vote');
  connected(agent.command('add'))
    .argument('<name>', 'what history calls it')
    .description('Add an agent and print its token, which may look, start, run again, pause and roll back')
    .requiredOption('--for <person>', 'by name or id: who answers for it, and has no vote on what it starts')
    .addOption(new Option('--role <role...>', 'what it may').choices(roles).default(['builder']))
    .option('--prototype <name>', 'there alone')
    .option('--days <days>', 'its token ends after this many', days, TOKEN_DAYS)
    .addHelpText('after', examples('proviso agent add "Bea’s helper" --for "Bea Builder" --as pia'))
    .action(bind((session, args, flags) => addAgent(session, word(args, 0), flags as AgentFlags)));
}
