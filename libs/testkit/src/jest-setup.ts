import { startPostgres } from './postgres.ts';
import { startTemporal } from './temporal.ts';
import { POSTGRES_VARIABLE, TEMPORAL_VARIABLE } from './test-servers.ts';

/** What the teardown needs; jest runs both in one process and offers no other way from one to the other. */
declare global {
  var provisoTestServers: readonly { stop(): Promise<void> }[] | undefined;
}

/** Jest's `globalSetup`: one PostgreSQL and one Temporal for the whole run, ready in about a second. */
export default async function startTestServers(): Promise<void> {
  const [postgres, temporal] = await Promise.all([startPostgres({ durable: false }), startTemporal()]);
  process.env[POSTGRES_VARIABLE] = postgres.url;
  process.env[TEMPORAL_VARIABLE] = temporal.address;
  globalThis.provisoTestServers = [postgres, temporal];
}
