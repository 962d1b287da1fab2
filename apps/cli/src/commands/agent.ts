import { addAbortSignal, type Readable } from 'node:stream';
import { addPerson, issueToken, readMe } from '@proviso/client';
import { relayMessages } from '../agent-relay.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { interrupted } from '../interruption.ts';
import { findConnection, type ProfileFlags } from '../profile.ts';
import { expectPerson, expectPrototype } from '../reading.ts';
import type { Session } from '../session.ts';
import { Trouble } from '../trouble.ts';

/** For whom an agent acts, and what it may do. */
export interface AgentFlags {
  readonly for: string;
  readonly role: readonly ('builder' | 'operator' | 'auditor')[];
  readonly prototype?: string;
  readonly days: number;
}

/** Adds an agent and issues its token. The token is printed alone on stdout, so that it can be piped to where it is kept. */
export async function addAgent(session: Session, name: string, flags: AgentFlags): Promise<ExitCode> {
  const api = session.api();
  const human = await expectPerson(api, flags.for);
  const prototype = flags.prototype === undefined ? undefined : await expectPrototype(api, flags.prototype);
  const reach = prototype === undefined ? {} : { prototype: prototype.id };
  const roles = flags.role.map((role) => ({ role, ...reach }));
  const body = { name, kind: 'agent', actsFor: human.id, roles } as const;
  const agent = await api.write((options) => addPerson({ ...options, body }));
  const token = { validDays: flags.days, scopes: ['agent' as const] };
  const issued = await api.write((options) => issueToken({ ...options, path: { id: agent.id }, body: token }));
  if (session.json) session.print(JSON.stringify({ agent: agent.id, actsFor: human.id, ...issued }));
  else {
    const until = issued.expiresAt.slice(0, 10);
    session.progress.say(
      `${agent.id} acts for ${human.name ?? human.id}; its token, good until ${until}, shown only now:`,
    );
    session.print(issued.token);
  }
  return exitCodes.ok;
}

/** Serves the tools of an agent on standard input and output, until the input ends. */
export async function serveAgent(session: Session, flags: ProfileFlags, input: Readable): Promise<ExitCode> {
  // Said at once and with a number, not with the first call: whoever starts us sees it in the program's log.
  const { person } = await session.api().read((options) => readMe(options));
  if (person.kind !== 'agent') {
    throw new Trouble(`expected the token of an agent, got that of a ${person.kind}`, {
      advice: 'An administrator adds one with `proviso agent add`; give its token with PROVISO_TOKEN.',
      exitCode: exitCodes.notAllowed,
    });
  }
  const { signal } = session.interruption;
  await relayMessages({
    connection: findConnection(flags, session.config),
    input: addAbortSignal(signal, input),
    send: session.print,
    say: (line) => session.progress.say(line),
    interrupted: signal,
  }).catch((error: unknown) => {
    throw signal.aborted ? interrupted() : error;
  });
  return exitCodes.ok;
}
