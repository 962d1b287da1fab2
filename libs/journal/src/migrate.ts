import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { JournalFailure } from './failure.ts';

/** Who may do what: roles are made here, tables by the numbered files. */
export interface MigrateOptions {
  /** A superuser, used for this alone; the product itself refuses to run as one. */
  readonly superuserUrl: string;
  readonly appPassword: string;
  readonly pumpPassword: string;
}

const folder = new URL('./migrations/', import.meta.url);

/** One migration at a time, whoever starts it: two processes that boot together wait for each other. */
const migrationLock = 7_203_114;

/** Brings the database to the newest schema. Forward only: a merged file is never edited, which its hash tells. */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: options.superuserUrl, application_name: 'proviso-migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await makeRoles(client, options);
    await client.query('create schema if not exists proviso authorization proviso_owner');
    await client.query(
      'create table if not exists proviso.migration (name text primary key, hash text not null, applied_at timestamptz not null default now())',
    );
    return await applyAll(client);
  } finally {
    await client.end();
  }
}

async function makeRoles(client: pg.Client, options: MigrateOptions): Promise<void> {
  const roles = [
    ['proviso_owner', 'nologin', null],
    ['proviso_app', 'login', options.appPassword],
    ['proviso_pump', 'login', options.pumpPassword],
  ] as const;
  for (const [name, login, password] of roles) {
    const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [name]);
    const secret = password === null ? '' : ` password ${client.escapeLiteral(password)}`;
    const verb = rowCount === 0 ? 'create' : 'alter';
    await client.query(`${verb} role ${name} ${login} nosuperuser nobypassrls nocreatedb nocreaterole${secret}`);
  }
}

async function applyAll(client: pg.Client): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const { rows } = await client.query<{ name: string; hash: string }>('select name, hash from proviso.migration');
  const known = new Map(rows.map((row) => [row.name, row.hash]));
  const applied: string[] = [];
  for (const name of names) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const hash = createHash('sha256').update(text).digest('hex');
    const before = known.get(name);
    if (before !== undefined && before !== hash)
      throw new JournalFailure('unsafe_role', `expected migration ${name} as it was applied, got an edited file`);
    if (before !== undefined) continue;
    await applyOne(client, { name, text, hash });
    applied.push(name);
  }
  return applied;
}

async function applyOne(client: pg.Client, file: { name: string; text: string; hash: string }): Promise<void> {
  await client.query('begin');
  try {
    await client.query('set local role proviso_owner');
    await client.query(file.text);
    await client.query('reset role');
    await client.query('insert into proviso.migration (name, hash) values ($1, $2)', [file.name, file.hash]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
