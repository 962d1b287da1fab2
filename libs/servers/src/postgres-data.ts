import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerFailure } from './server-failure.ts';
import { type ServerIdentity, spawnAccount } from './server-identity.ts';

/** The name of the one superuser; the product's own roles are made by the journal's migrations. */
export const SUPERUSER = 'postgres';

/** The major version of the pinned binaries; data of another one is refused, never converted in passing. */
const VERSION_MAJOR = '18';
/** initdb takes 0.6 s; a minute covers a disk that is very slow to sync. */
const INITDB_TIMEOUT_MS = 60_000;

/** Where one database lives on disk: the cluster itself and the superuser's password beside it. */
export interface PostgresFolder {
  readonly dataFolder: string;
  readonly passwordFile: string;
}

/** The layout under the folder a caller names. */
export function postgresFolder(dataDir: string): PostgresFolder {
  return { dataFolder: join(dataDir, 'data'), passwordFile: join(dataDir, 'password') };
}

/**
 * Makes the cluster once and returns the superuser's password. The cluster is made beside its place and renamed, so
 * that a crash in the middle leaves nothing that looks finished; the password is written first for the same reason.
 */
export async function prepareData(
  dataDir: string,
  { initdb, identity, durable }: { initdb: string; identity: ServerIdentity; durable: boolean },
): Promise<string> {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const { dataFolder, passwordFile } = postgresFolder(dataDir);
  if (existsSync(dataFolder)) {
    expectVersion(dataFolder);
    return readPassword(passwordFile);
  }
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  const password = readPassword(passwordFile);
  const draft = join(dataDir, `draft-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  const draftPassword = join(dataDir, `draft-password-${process.pid}`);
  writeFileSync(draftPassword, password, { mode: 0o600 });
  try {
    giveTo(identity, [draft, draftPassword]);
    await runInitdb({ initdb, identity, draft, draftPassword, durable });
    renameSync(draft, dataFolder);
  } finally {
    rmSync(draftPassword, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
  return password;
}

function expectVersion(dataFolder: string): void {
  const file = join(dataFolder, 'PG_VERSION');
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'no PG_VERSION file';
  if (found === VERSION_MAJOR) return;
  throw new ServerFailure(
    'data_unusable',
    `expected data of PostgreSQL ${VERSION_MAJOR} in ${dataFolder}, got ${found}`,
  );
}

function readPassword(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  throw new ServerFailure('data_unusable', `expected the database's password in ${file}, got no such file`);
}

function giveTo({ account }: ServerIdentity, paths: readonly string[]): void {
  if (account === undefined) return;
  for (const path of paths) chownSync(path, account.uid, account.gid);
}

interface InitdbOrder {
  readonly initdb: string;
  readonly identity: ServerIdentity;
  readonly draft: string;
  readonly draftPassword: string;
  readonly durable: boolean;
}

function runInitdb({ initdb, identity, draft, draftPassword, durable }: InitdbOrder): Promise<void> {
  const [command, ...args] = [
    ...identity.wrapper,
    ...[initdb, '--pgdata', draft, '--username', SUPERUSER, '--pwfile', draftPassword],
    // The built-in locale sorts the same on every machine, whatever its C library.
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale-provider', 'builtin', '--locale', 'C.UTF-8'],
    // The operating system's own locale is used for nothing but messages, which are read by us.
    ...['--lc-collate', 'C', '--lc-ctype', 'C', '--lc-messages', 'C', '--lc-monetary', 'C', '--lc-numeric', 'C'],
    ...(durable ? [] : ['--no-sync']),
  ] as [string, ...string[]];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(command, args, {
    cwd: '/',
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INITDB_TIMEOUT_MS,
    ...spawnAccount(identity),
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  child.once('error', (cause) => reject(new ServerFailure('binary_missing', `expected to run ${initdb}`, { cause })));
  child.once('close', (code) => {
    if (code === 0) resolve();
    else reject(new ServerFailure('data_unusable', `expected initdb to succeed, got code ${code}: ${said.trim()}`));
  });
  return promise;
}
