import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOOPBACK, freePort, startPostgres, startTemporal, temporalBinary } from '@proviso/servers';
import { answers, startApp } from './app-process.ts';
import type { CommandConfig } from './config.ts';
import { type Deployment, removeDeployment, writeDeployment } from './deployment-file.ts';
import { type DeploymentLock, takeLock } from './deployment-lock.ts';
import { found } from './founding.ts';
import { interrupted } from './interruption.ts';
import { journalEnvironment, loginUrl, PUMP_LOGIN } from './journal-environment.ts';
import { edgePerson, localPeople } from './local-people.ts';
import { type LogFile, openLog } from './log-file.ts';
import { choosePort } from './port.ts';
import { ownRegistries } from './registries.ts';
import { type Secrets, ensureSecrets, previewKeyOf } from './secrets.ts';
import { type RunningService, type Service, startService } from './service.ts';
import { openTokens } from './token-store.ts';
import { Trouble } from './trouble.ts';

/** What a person may choose about a local deployment. */
export interface StackOptions {
  readonly apiPort: number;
  readonly routerPort: number;
  /** Policy files beside those of the checkout. */
  readonly policies: readonly string[];
  /** Starts API, worker and edge again when their sources change. */
  readonly watch: boolean;
  readonly say: (words: string) => void;
  /** Aborted by Ctrl-C; the start is then given up. */
  readonly signal: AbortSignal;
}

/** A whole deployment on this machine. */
export interface Stack {
  readonly deployment: Deployment;
  readonly services: readonly Service[];
  /** Resolves with the name of a part that could not be kept alive. */
  readonly broken: Promise<string>;
  /** Ends everything in order: first who sends work, last who keeps it. */
  stop(): Promise<void>;
}

/** The leashes of a killed deployment end its parts one by one, the edge with its releases last. */
const LEFTOVERS_END_WITHIN_MS = 10_000;
/** Sources that are half written do not start, and nobody wants the whole deployment to end for that. */
const RESTARTS_WATCHED_MAX = 1_000;
/** How often the edge asks for its lanes: a rollback is served within half a second. */
const EDGE_POLL_MS = '500';

/** Boots everything in the data folder; whatever had started is stopped again when a part fails. */
export async function startStack(config: CommandConfig, options: StackOptions): Promise<Stack> {
  const lock = takeLock(config.dataFolder);
  if (lock.recovered) options.say('the last deployment here ended without cleaning up; going on with its data');
  const boot = openBoot(config, options, lock);
  try {
    return await bootAll(boot);
  } catch (error) {
    await stopAll(boot);
    // What broke because the person ended the start is no news.
    throw options.signal.aborted ? interrupted() : error;
  }
}

interface Boot {
  readonly config: CommandConfig;
  readonly options: StackOptions;
  readonly lock: DeploymentLock;
  readonly logs: LogFile[];
  /** In the order of their start. */
  readonly services: Service[];
  readonly broken: PromiseWithResolvers<string>;
}

function openBoot(config: CommandConfig, options: StackOptions, lock: DeploymentLock): Boot {
  return { config, options, lock, logs: [], services: [], broken: Promise.withResolvers<string>() };
}

async function bootAll(boot: Boot): Promise<Stack> {
  const { config, options } = boot;
  const patienceMs = boot.lock.recovered ? LEFTOVERS_END_WITHIN_MS : 0;
  const apiPort = await choosePort(options.apiPort, { name: 'API', flag: '--port', patienceMs });
  const routerPort = await choosePort(options.routerPort, { name: 'router', flag: '--router-port', patienceMs });
  const secrets = ensureSecrets(config.dataFolder);
  const [database, temporalAddress] = await together(bootPostgres(boot), bootTemporal(boot));
  expectNotInterrupted(options.signal);
  const addresses: Addresses = {
    ...{
      database,
      temporal: temporalAddress,
      apiPort,
      routerPort,
      controlPort: await freePort(),
      workerPort: await freePort(),
    },
    ...{ api: `http://${LOOPBACK}:${apiPort}`, router: `http://${LOOPBACK}:${routerPort}` },
  };
  const founded = await foundDatabase(boot, secrets, addresses);
  expectNotInterrupted(options.signal);
  await bootApps(boot, { secrets, addresses, founded });
  const { [edgePerson.key]: _edge, ...people } = founded.people;
  const deployment: Deployment = {
    ...{ apiUrl: addresses.api, routerUrl: addresses.router, temporalAddress, pid: process.pid },
    databasePort: addresses.database.port,
    ...{ workerUrl: `http://${LOOPBACK}:${addresses.workerPort}`, startedAt: new Date().toISOString() },
    ...{ workspace: founded.workspace, people },
  };
  writeDeployment(config.dataFolder, deployment);
  return { deployment, services: boot.services, broken: boot.broken.promise, stop: () => stopAll(boot) };
}

/** Waits for both even when one fails: what is still starting could not be stopped. */
async function together<A, B>(one: Promise<A>, other: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

interface Addresses {
  readonly database: { readonly host: string; readonly port: number; readonly superuserUrl: string };
  readonly temporal: string;
  readonly api: string;
  readonly apiPort: number;
  readonly router: string;
  readonly routerPort: number;
  readonly controlPort: number;
  readonly workerPort: number;
}

async function bootPostgres(boot: Boot): Promise<Addresses['database']> {
  const port = await freePort();
  const log = logOf(boot, 'postgres');
  const dataDir = join(boot.config.dataFolder, 'postgres');
  let url = '';
  await bootService(boot, 'PostgreSQL', async () => {
    const running = await startPostgres({ dataDir, port, log: log.write });
    url = running.url;
    return running;
  });
  return { host: LOOPBACK, port, superuserUrl: url };
}

async function bootTemporal(boot: Boot): Promise<string> {
  const { config } = boot;
  if (config.temporalAddress !== undefined) return config.temporalAddress;
  const port = await freePort();
  const log = logOf(boot, 'temporal');
  const binary = temporalBinary(config.projectRoot);
  const databaseFile = join(config.dataFolder, 'temporal.db');
  await bootService(boot, 'Temporal', async () => await startTemporal({ binary, databaseFile, port, log: log.write }));
  return `${LOOPBACK}:${port}`;
}

async function foundDatabase(boot: Boot, secrets: Secrets, addresses: Addresses): Promise<Founding> {
  const { config, options } = boot;
  const tokens = openTokens(config.dataFolder, Date.now());
  const founded = await found(
    {
      workspace: { id: secrets.workspace, name: 'local' },
      people: [...localPeople, edgePerson].map((person) => ({ ...person, token: tokens.wanted(person.key) })),
      policies: [...new Set([...projectPolicies(config), ...options.policies])].map((source) => ({ source })),
    },
    {
      folder: config.projectRoot,
      log: logOf(boot, 'founding'),
      environment: {
        ...config.childEnvironment,
        ...journalEnvironment(config, secrets, addresses.database.port),
        PROVISO_SUPERUSER_URL: addresses.database.superuserUrl,
        PROVISO_APP_PASSWORD: secrets.appPassword,
        PROVISO_PUMP_PASSWORD: secrets.pumpPassword,
      },
    },
  );
  for (const name of founded.kept)
    options.say(`the policy ${name} stays as published: its file is weaker, which takes a person, a reason and an end`);
  return { workspace: founded.workspace, people: tokens.keep(founded) };
}

type Founding = Pick<Deployment, 'workspace' | 'people'>;

/** The policies that demo, documents and tests use verbatim are also those a local deployment knows from the start. */
function projectPolicies(config: CommandConfig): readonly string[] {
  const folder = join(config.projectRoot, 'policies');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.sort().map((name) => readFileSync(join(folder, name), 'utf8'));
}

interface AppOrders {
  readonly secrets: Secrets;
  readonly addresses: Addresses;
  readonly founded: Founding;
}

async function bootApps(boot: Boot, { secrets, addresses, founded }: AppOrders): Promise<void> {
  const { config, options } = boot;
  const base = { ...config.childEnvironment, ...journalEnvironment(config, secrets, addresses.database.port) };
  // Whoever is told of events here sits on this machine, too.
  const webhooks = { PROVISO_WEBHOOK_REACH: 'private' };
  const previews = { PROVISO_PREVIEW_KEY: previewKeyOf(secrets), PROVISO_EDGE_PUBLIC_URL: addresses.router };
  const secretFolder = join(config.dataFolder, 'lane-secrets');
  mkdirSync(secretFolder, { recursive: true, mode: 0o700 });
  // Who reads a headline on this machine compares it with this machine's clock.
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  await bootApp(boot, {
    name: 'API',
    args: ['--import', './tools/decorators.mjs', 'apps/api/src/main.ts'],
    environment: {
      ...base,
      ...config.channelEnvironment,
      PROVISO_API_PORT: String(addresses.apiPort),
      PROVISO_TIME_ZONE: timeZone,
      ...previews,
      ...webhooks,
    },
    readyUrl: `${addresses.api}/readyz`,
  });
  expectNotInterrupted(options.signal);
  const control = `http://${LOOPBACK}:${addresses.controlPort}`;
  const registries = await ownRegistries(config.registryEnvironment);
  const sources = join(config.dataFolder, 'prometheus.json');
  await together(
    bootApp(boot, {
      name: 'worker',
      args: ['apps/worker/src/main.ts'],
      environment: {
        ...base,
        ...registries,
        ...webhooks,
        ...(existsSync(sources) && { PROVISO_PROMETHEUS: sources }),
        PROVISO_PUMP_URL: loginUrl(addresses.database.port, { login: PUMP_LOGIN, password: secrets.pumpPassword }),
        PROVISO_TEMPORAL_ADDRESS: addresses.temporal,
        PROVISO_EDGE_CONTROL_URL: control,
        PROVISO_EDGE_CONTROL_TOKEN: secrets.controlToken,
        PROVISO_EDGE_URL: addresses.router,
        PROVISO_WORK_FOLDER: join(config.dataFolder, 'worker'),
        PROVISO_WORKER_PORT: String(addresses.workerPort),
      },
      readyUrl: `http://${LOOPBACK}:${addresses.workerPort}/healthz`,
    }),
    bootApp(boot, {
      name: 'edge',
      args: ['apps/edge/src/main.ts'],
      environment: {
        ...config.childEnvironment,
        PROVISO_API_URL: addresses.api,
        PROVISO_EDGE_TOKEN: founded.people[edgePerson.key]?.token ?? '',
        PROVISO_EDGE_PORT: String(addresses.routerPort),
        PROVISO_EDGE_CONTROL_PORT: String(addresses.controlPort),
        PROVISO_EDGE_CONTROL_TOKEN: secrets.controlToken,
        PROVISO_EDGE_DATA: join(config.dataFolder, 'edge'),
        PROVISO_EDGE_POLL_MS: EDGE_POLL_MS,
        PROVISO_EDGE_SECRET_FOLDER: secretFolder,
        PROVISO_PREVIEW_KEY: previews.PROVISO_PREVIEW_KEY,
      },
      readyUrl: `${control}/healthz`,
    }),
  );
}

interface AppOrder {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly readyUrl?: string;
}

async function bootApp(boot: Boot, order: AppOrder): Promise<void> {
  const log = logOf(boot, order.name.toLowerCase());
  await bootService(boot, order.name, async () => {
    return await startApp({ ...order, folder: boot.config.projectRoot, log });
  });
}

async function bootService(boot: Boot, name: string, start: () => Promise<RunningService>): Promise<void> {
  const { say } = boot.options;
  const patience = boot.options.watch ? { restartsMax: RESTARTS_WATCHED_MAX } : {};
  boot.services.push(await startService({ name, start, say, gaveUp: boot.broken.resolve, ...patience }));
}

function logOf(boot: Boot, name: string): LogFile {
  const log = openLog(join(boot.config.dataFolder, 'logs', `${name}.log`));
  boot.logs.push(log);
  return log;
}

/** The opposite of the order in which work flows, whatever order things came up in. */
const stopOrder = ['edge', 'worker', 'API', 'Temporal', 'PostgreSQL'];

async function stopAll(boot: Boot): Promise<void> {
  removeDeployment(boot.config.dataFolder);
  const place = ({ name }: Service) => stopOrder.indexOf(name);
  for (const service of boot.services.toSorted((a, b) => place(a) - place(b))) {
    await service.stop().catch((error: unknown) => boot.options.say(`${service.name} did not stop: ${String(error)}`));
  }
  for (const log of boot.logs) log.close();
  boot.lock.release();
}

function expectNotInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}

/** Waits until the person asks to end, or a part could not be kept alive. */
export async function untilAskedToEnd(stack: Stack, asked: Promise<void>): Promise<void> {
  const broken = await Promise.race([asked.then(() => null), stack.broken]);
  if (broken === null) return;
  throw new Trouble(`expected ${broken} to stay alive, got too many deaths in a row`, {
    advice: 'Its log is in the folder logs of the data folder.',
  });
}

/** True while the deployment answers; used by `doctor` too. */
export async function isServing(deployment: Deployment): Promise<boolean> {
  return await answers(`${deployment.apiUrl}/readyz`);
}
