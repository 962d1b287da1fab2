/** Where the run's own servers are: one PostgreSQL and one Temporal, shared by all test files. */
export interface TestServers {
  /** The superuser's connection string: make a database of your own in it. */
  readonly postgresUrl: string;
  /** host:port; use a task queue of your own. */
  readonly temporalAddress: string;
}

/** The environment variables by which jest's global set-up tells its workers. */
export const POSTGRES_VARIABLE = 'PROVISO_TEST_POSTGRES';
/** See POSTGRES_VARIABLE. */
export const TEMPORAL_VARIABLE = 'PROVISO_TEST_TEMPORAL';

/** The servers that `globalSetup` started for this run. */
export function testServers(): TestServers {
  return { postgresUrl: expectVariable(POSTGRES_VARIABLE), temporalAddress: expectVariable(TEMPORAL_VARIABLE) };
}

function expectVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`expected ${name} from jest's global set-up, got nothing`);
  return value;
}
