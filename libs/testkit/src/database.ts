import { randomBytes } from 'node:crypto';
import { migrate } from '@proviso/journal';
import pg from 'pg';
import { testServers } from './test-servers.ts';

/** A migrated database of a test's own in the run's PostgreSQL. */
export interface TestDatabase {
  readonly name: string;
  readonly superuserUrl: string;
  readonly appUrl: string;
  readonly pumpUrl: string;
  /** 64 hexadecimal digits, as the journal wants them. */
  readonly vaultKeyHex: string;
}

/** Roles belong to the whole server, so every test file must give them the same password. */
const rolePassword = 'only-for-tests';

/** Makes and migrates a database. Test files run in parallel and roles are the server's: one at a time does it. */
export async function createDatabase(postgresUrl: string = testServers().postgresUrl): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock(7203100)');
    await client.query(`create database ${name}`);
    const superuserUrl = urlFor(postgresUrl, name);
    await migrate({ superuserUrl, appPassword: rolePassword, pumpPassword: rolePassword });
    return {
      name,
      superuserUrl,
      appUrl: urlFor(postgresUrl, name, 'proviso_app'),
      pumpUrl: urlFor(postgresUrl, name, 'proviso_pump'),
      vaultKeyHex: randomBytes(32).toString('hex'),
    };
  } finally {
    await client.end();
  }
}

function urlFor(base: string, database: string, role?: string): string {
  const url = new URL(base);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = rolePassword;
  }
  return url.href;
}
