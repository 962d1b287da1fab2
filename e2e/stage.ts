import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startLeashed, startPostgres, startTemporal, temporalBinary } from '@proviso/servers';
import { foundCast, type Cast, type Extra } from './cast.ts';
import { endRemains } from './edge-remains.ts';
import { openPart, type Part, type Running } from './stage-part.ts';
import { openWireProxy, type WireProxy } from './wire-proxy.ts';

/** The processes that can be killed. */
export const partNames = ['api', 'worker', 'edge', 'temporal', 'postgres'] as const;
/** One of them. */
export type PartName = (typeof partNames)[number];

/** Who needs whom over the network; a stage may be given something between the two. */
export const routes = [
  'api to postgres',
  'worker to postgres',
  'worker to temporal',
  'worker to edge',
  'edge to api',
] as const;
/** One of them. */
export type Route = (typeof routes)[number];

/** A whole deployment on a folder of its own; API and worker reach PostgreSQL through a proxy each. */
export interface Stage {
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly proxies: { readonly api: WireProxy; readonly worker: WireProxy };
  readonly cast: Cast;
  readonly apiUrl: string;
  readonly routerUrl: string;
  readonly control: { readonly url: string; readonly token: string };
  readonly temporal: { readonly address: string; readonly binary: string };
  readonly superuserUrl: string;
  readonly evidenceFolder: string;
  readonly logFolder: string;
  /** Where secrets of lanes lie, on the machine of the edge. */
  readonly secretFolder: string;
  /** The worker's next start is told to kill itself at this fault; null again for none. */
  setWorkerFault(fault: string | null): void;
  /** A worker beside the first one, with a proxy of its own. */
  openSecondWorker(): Promise<{ readonly part: Part; readonly proxy: WireProxy }>;
  /** Takes Temporal's database away while it is dead. */
  loseTemporalDatabase(): void;
  close(): Promise<void>;
}

/** Where the code lies that is run (a copy with a planted bug, perhaps), and where its data go. */
export interface StageOptions {
  readonly codeRoot: string;
  readonly projectRoot: string;
  readonly folder: string;
  readonly policy: string;
  /** Its workspace, when the environment of a part has to name it; else one is drawn. */
  readonly workspace?: string;
  /** Policies beside it. */
  readonly morePolicies?: readonly string[];
  /** People beside the cast. */
  readonly extras?: readonly Extra[];
  readonly without?: readonly PartName[];
  /** What the edge has in its environment for lanes. */
  readonly edgeEnvironment?: Readonly<Record<string, string>>;
  /** More for the API: where GitHub is, say. */
  readonly apiEnvironment?: Readonly<Record<string, string>>;
  /** More for the worker: where packages come from, when a stage builds. */
  readonly workerEnvironment?: Readonly<Record<string, string>>;
  /** Puts something between two parts: given where the second listens, it says where the first finds it. */
  readonly reroute?: (route: Route, port: number) => Promise<number>;
}

/** Apps answer within a second; a machine whose cores are both busy has needed twenty. */
const readyMsMax = 60_000;
const readyPollMs = 50;
/** An edge ends its releases first, each with a grace of its own. */
const stopMsMax = 20_000;

/** Boots everything; whatever had started is stopped again when a part fails. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const ground = await layGround(options);
  const opened: Part[] = [];
  const add = async (part: Promise<Part>): Promise<Part> => {
    const ready = await part;
    opened.push(ready);
    return ready;
  };
  try {
    const absent = (name: PartName): boolean => options.without?.includes(name) === true;
    const [postgres, temporal] = await Promise.all([
      add(postgresOf(ground)),
      absent('temporal') ? absentPart('temporal') : add(temporalOf(ground)),
    ]);
    const cast = await foundCast(foundingOf(ground));
    const api = await add(apiOf(ground));
    const [worker, edge] = await Promise.all([
      absent('worker') ? absentPart('worker') : add(workerOf(ground, ground.proxies.worker, 'worker')),
      absent('edge') ? absentPart('edge') : add(edgeOf(ground, cast)),
    ]);
    return stageOf(ground, { parts: { api, worker, edge, temporal, postgres }, cast, opened });
  } catch (error) {
    await closeAll(ground, opened);
    throw error;
  }
}

interface Ground {
  readonly options: StageOptions;
  readonly ports: Readonly<Record<'postgres' | 'temporal' | 'api' | 'router' | 'control' | 'worker', number>>;
  /** Where a part finds the one it needs. */
  readonly ways: Readonly<Record<Exclude<Route, 'api to postgres' | 'worker to postgres'>, number>>;
  readonly proxies: { readonly api: WireProxy; readonly worker: WireProxy; more: WireProxy[] };
  readonly secrets: Readonly<Record<'app' | 'pump' | 'vault' | 'control' | 'preview' | 'workspace', string>>;
  readonly folders: Readonly<Record<'evidence' | 'logs' | 'secrets', string>>;
  readonly binary: string;
  superuserUrl: string;
  fault: string | null;
}

async function layGround(options: StageOptions): Promise<Ground> {
  const ports = {
    ...{ postgres: await freePort(), temporal: await freePort(), api: await freePort() },
    ...{ router: await freePort(), control: await freePort(), worker: await freePort() },
  };
  const folders = {
    ...{ evidence: join(options.folder, 'evidence'), logs: join(options.folder, 'logs') },
    secrets: join(options.folder, 'secrets'),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const hex = (count: number): string => randomBytes(count).toString('hex');
  const way = async (route: Route, port: number): Promise<number> => (await options.reroute?.(route, port)) ?? port;
  return {
    options,
    ports,
    folders,
    ways: {
      'worker to temporal': await way('worker to temporal', ports.temporal),
      'worker to edge': await way('worker to edge', ports.control),
      'edge to api': await way('edge to api', ports.api),
    },
    proxies: {
      api: await openWireProxy(await way('api to postgres', ports.postgres)),
      worker: await openWireProxy(await way('worker to postgres', ports.postgres)),
      more: [],
    },
    secrets: {
      ...{ app: hex(12), pump: hex(12), vault: hex(32), control: hex(32), preview: hex(32) },
      workspace: options.workspace ?? `wsp_${randomUUID().replaceAll('-', '')}`,
    },
    binary: temporalBinary(options.projectRoot),
    superuserUrl: '',
    fault: null,
  };
}

function stageOf(
  ground: Ground,
  { parts, cast, opened }: { parts: Stage['parts']; cast: Cast; opened: Part[] },
): Stage {
  const { ports, folders, proxies, secrets, binary, superuserUrl } = ground;
  return {
    parts,
    proxies,
    cast,
    ...{ superuserUrl, evidenceFolder: folders.evidence, logFolder: folders.logs },
    secretFolder: folders.secrets,
    apiUrl: local(ports.api),
    routerUrl: local(ports.router),
    control: { url: local(ports.control), token: secrets.control },
    temporal: { address: `127.0.0.1:${ports.temporal}`, binary },
    setWorkerFault: (fault) => {
      ground.fault = fault;
    },
    openSecondWorker: async () => {
      const proxy = await openWireProxy(ports.postgres);
      proxies.more.push(proxy);
      const part = await workerOf({ ...ground, fault: null }, proxy, 'second-worker');
      opened.push(part);
      return { part, proxy };
    },
    loseTemporalDatabase: () => {
      for (const end of ['', '-wal', '-shm']) rmSync(temporalFile(ground) + end, { force: true });
    },
    close: async () => await closeAll(ground, opened),
  };
}

/**
 * In the opposite order of the start: who sends work goes first, who keeps it last. Releases outlive an edge that was
 * killed, and are ended here; one that was asked to stop must have left none.
 */
async function closeAll({ proxies, options }: Ground, opened: readonly Part[]): Promise<void> {
  const order = ['edge', 'second-worker', 'worker', 'api', 'temporal', 'postgres'];
  const sorted = opened.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  const hadEdge = opened.some(({ name, pid }) => name === 'edge' && pid() !== 0);
  for (const part of sorted) await part.close();
  await Promise.all([proxies.api, proxies.worker, ...proxies.more].map((proxy) => proxy.close()));
  const remains = await endRemains(join(options.folder, 'edge'));
  if (hadEdge && remains.length > 0) {
    throw new Error(`expected an edge that was stopped to leave nothing, got ${remains.join(', ')}`);
  }
}

async function postgresOf(ground: Ground): Promise<Part> {
  const { options, ports } = ground;
  return await openPart('postgres', async () => {
    const dataDir = join(options.folder, 'postgres');
    const running = await startPostgres({ dataDir, port: ports.postgres, log: logTo(ground, 'postgres') });
    ground.superuserUrl = running.url;
    return running;
  });
}

async function temporalOf(ground: Ground): Promise<Part> {
  const { binary, ports } = ground;
  const databaseFile = temporalFile(ground);
  const log = logTo(ground, 'temporal');
  return await openPart('temporal', () => startTemporal({ binary, databaseFile, port: ports.temporal, log }));
}

function temporalFile({ options }: Ground): string {
  return join(options.folder, 'temporal.db');
}

async function apiOf(ground: Ground): Promise<Part> {
  const { ports, secrets } = ground;
  const previews = { PROVISO_PREVIEW_KEY: secrets.preview, PROVISO_EDGE_PUBLIC_URL: local(ports.router) };
  const args = ['--import', './tools/decorators.mjs', 'apps/api/src/main.ts'];
  const environment = () => ({
    ...commonOf(ground, ground.proxies.api),
    PROVISO_API_PORT: String(ports.api),
    ...previews,
    ...ground.options.apiEnvironment,
  });
  return await appOf(ground, { name: 'api', args, environment, readyUrl: `${local(ports.api)}/readyz` });
}

async function workerOf(ground: Ground, proxy: WireProxy, name: string): Promise<Part> {
  const { ports, ways, secrets, options } = ground;
  const port = name === 'worker' ? ports.worker : await freePort();
  const environment = () => ({
    ...commonOf(ground, proxy),
    PROVISO_PUMP_URL: loginUrl(proxy, 'proviso_pump', secrets.pump),
    PROVISO_TEMPORAL_ADDRESS: `127.0.0.1:${ways['worker to temporal']}`,
    PROVISO_EDGE_CONTROL_URL: local(ways['worker to edge']),
    PROVISO_EDGE_CONTROL_TOKEN: secrets.control,
    PROVISO_EDGE_URL: local(ports.router),
    PROVISO_WORK_FOLDER: join(options.folder, name),
    PROVISO_WORKER_PORT: String(port),
    ...options.workerEnvironment,
    ...(ground.fault !== null && {
      PROVISO_FAULT: ground.fault,
      PROVISO_FAULT_ONCE: join(options.folder, `once-${randomUUID()}`),
    }),
  });
  return await appOf(ground, {
    name,
    args: ['apps/worker/src/main.ts'],
    environment,
    readyUrl: `${local(port)}/healthz`,
  });
}

async function edgeOf(ground: Ground, cast: Cast): Promise<Part> {
  const { ports, ways, secrets, options } = ground;
  const environment = () => ({
    ...surroundings(),
    PROVISO_API_URL: local(ways['edge to api']),
    PROVISO_EDGE_TOKEN: cast.people.edge.token,
    PROVISO_EDGE_PORT: String(ports.router),
    PROVISO_EDGE_CONTROL_PORT: String(ports.control),
    PROVISO_EDGE_CONTROL_TOKEN: secrets.control,
    PROVISO_EDGE_DATA: join(options.folder, 'edge'),
    PROVISO_EDGE_POLL_MS: '250',
    PROVISO_EDGE_SECRET_FOLDER: ground.folders.secrets,
    PROVISO_PREVIEW_KEY: secrets.preview,
    ...options.edgeEnvironment,
  });
  const readyUrl = `${local(ports.control)}/healthz`;
  return await appOf(ground, { name: 'edge', args: ['apps/edge/src/main.ts'], environment, readyUrl });
}

function foundingOf(ground: Ground) {
  const { options, secrets, superuserUrl } = ground;
  return {
    folder: options.codeRoot,
    workspace: secrets.workspace,
    policies: [options.policy, ...(options.morePolicies ?? [])],
    extras: options.extras ?? [],
    environment: {
      ...commonOf(ground, ground.proxies.api),
      PROVISO_SUPERUSER_URL: superuserUrl,
      PROVISO_APP_PASSWORD: secrets.app,
      PROVISO_PUMP_PASSWORD: secrets.pump,
    },
  };
}

function commonOf({ secrets, folders, options }: Ground, proxy: WireProxy): Record<string, string> {
  return {
    ...surroundings(),
    PROVISO_DATABASE_URL: loginUrl(proxy, 'proviso_app', secrets.app),
    PROVISO_EVIDENCE: folders.evidence,
    PROVISO_VAULT_KEY: secrets.vault,
    PROVISO_ORIGIN: 'e2e',
    PROVISO_TEMP: options.folder,
  };
}

interface App {
  readonly name: string;
  readonly args: readonly string[];
  /** Asked at each start: a fault may have been ordered meanwhile. */
  readonly environment: () => Record<string, string>;
  readonly readyUrl: string;
}

async function appOf(ground: Ground, app: App): Promise<Part> {
  return await openPart(app.name, async () => {
    const running = await startLeashed({
      command: process.execPath,
      args: app.args,
      env: app.environment(),
      cwd: ground.options.codeRoot,
      stopTimeoutMs: stopMsMax,
      onLine: logTo(ground, app.name),
    });
    await ready(app, running);
    return running;
  });
}

/** Resolves too when the process has ended: a fault may kill it before it was ever ready. */
async function ready({ name, readyUrl }: App, running: Running): Promise<void> {
  let ended = false;
  void running.exited.then(() => {
    ended = true;
  });
  const deadline = performance.now() + readyMsMax;
  while (!ended && !(await answers(readyUrl))) {
    if (performance.now() > deadline) throw new Error(`expected the ${name} to answer at ${readyUrl}, got nothing`);
    await pause(readyPollMs);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const text = await response.text();
    return response.ok && !text.includes('"starting"');
  } catch {
    return false;
  }
}

async function absentPart(name: string): Promise<Part> {
  return await openPart(name, null);
}

function logTo({ folders }: Ground, name: string): (line: string) => void {
  const path = join(folders.logs, `${name}.log`);
  // The last line of a process may come after its end, when the stage's folder is gone: then nobody reads it any more.
  return (line) => {
    if (existsSync(folders.logs)) appendFileSync(path, `${line}\n`);
  };
}

function surroundings(): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/nonexistent' } = process.env;
  return { PATH, HOME, TZ: 'UTC' };
}

function loginUrl({ port }: WireProxy, login: string, password: string): string {
  return `postgres://${login}:${password}@127.0.0.1:${port}/postgres`;
}

function local(port: number): string {
  return `http://127.0.0.1:${port}`;
}
