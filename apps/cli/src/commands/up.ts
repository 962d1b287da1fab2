import { localPeople } from '../local-people.ts';
import type { Session } from '../session.ts';
import { type WatchedPart, watchSources } from '../source-watch.ts';
import { type Stack, startStack, untilAskedToEnd } from '../stack.ts';
import { facts } from '../table.ts';

/** Flags of `up`, and of `demo` beside its own. */
export interface UpFlags {
  readonly port: number;
  readonly routerPort: number;
  /** For development of API, worker and edge. */
  readonly watch?: boolean;
}

/** Boots a deployment and stays until it is asked to end. */
export async function up(session: Session, flags: UpFlags): Promise<void> {
  const stack = await boot(session, flags, []);
  const watching = flags.watch === true ? watchStack(session, stack) : null;
  try {
    const { deployment } = stack;
    if (session.json) {
      // Tokens stay in the private file; this output may land in a log.
      const { people, ...told } = deployment;
      session.print(JSON.stringify({ up: 'ready', ...told, people: Object.keys(people) }));
    } else
      session.print(`\n${summary(stack)}\n\nCtrl-C ends all of it; the data stays in ${session.config.dataFolder}.`);
    await untilAskedToEnd(stack, session.interruption.asked);
  } finally {
    watching?.close();
    await end(session, stack);
  }
}

/** Starts the parts anew whose sources change; one that cannot be ended is told and left as it is. */
function watchStack({ config, progress }: Session, { services }: Stack): { readonly close: () => void } {
  return watchSources(config.projectRoot, (parts) => {
    for (const service of services.filter(({ name }) => parts.has(name as WatchedPart))) {
      service.restart().catch((error: unknown) => progress.say(`${service.name} did not end: ${String(error)}`));
    }
  });
}

/** Starts all parts with their progress. */
export async function boot(session: Session, flags: UpFlags, policies: readonly string[]): Promise<Stack> {
  session.progress.now('starting PostgreSQL, Temporal, API, worker and edge');
  const stack = await startStack(session.config, {
    apiPort: flags.port,
    routerPort: flags.routerPort,
    policies,
    watch: flags.watch === true,
    say: session.progress.say,
    signal: session.interruption.signal,
  });
  session.progress.done();
  session.progress.say(`ready: API ${stack.deployment.apiUrl}, prototypes at ${stack.deployment.routerUrl}`);
  return stack;
}

/** Ends all parts, saying so, since it may take some seconds. */
export async function end(session: Session, stack: Stack): Promise<void> {
  session.progress.say('stopping edge, worker, API, Temporal and PostgreSQL');
  await stack.stop();
  session.progress.say('stopped');
}

function summary({ deployment, services }: Stack): string {
  const people = localPeople.map(({ key, bindings }) => `${key} (${bindings.map(({ role }) => role).join(', ')})`);
  return facts([
    ['API', deployment.apiUrl],
    ['prototypes', `${deployment.routerUrl}, told apart by host name`],
    ['people', `${people.join('; ')}: speak as one of them with --as`],
    ['processes', services.map((service) => `${service.name} ${service.pid()}`).join(', ')],
  ]);
}
