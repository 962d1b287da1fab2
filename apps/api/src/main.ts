import { openJournal } from '@proviso/journal';
import { assemble } from './assembly.ts';
import { startChannels } from './channels.ts';
import { ConfigProblem, readConfig } from './config.ts';
import { breakageOf, openLog } from './log.ts';
import { createServer } from './server.ts';

/** Connections of one process: more than the database can work on at once only wait there instead of here. */
const connectionsMax = 20;

/** Requests in flight get this long after a stop signal; then the process ends anyway, and retries use their keys. */
const stopWithinMs = 8_000;

const log = openLog();

async function main(): Promise<void> {
  const config = readConfig();
  const { databaseUrl: url, origin, vaultKeyHex, host, port } = config;
  const onError = (error: Error) => log.error(breakageOf(error), 'the database connection broke');
  const journal = await openJournal({ url, connectionsMax, origin, vaultKeyHex, onError });
  const parts = assemble(config, journal, log);
  const app = await createServer(parts);
  await app.listen(port, host);
  const channels = startChannels(parts);
  log.info({ address: await app.getUrl() }, 'listening');
  const stop = (signal: string): void => {
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    parts.feed.close();
    parts.metrics.close();
    void channels
      .stop()
      .then(() => app.close())
      .then(() => parts.summary.flush())
      .then(() => journal.close())
      .then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  log.fatal(breakageOf(error), wordsFor(error));
  process.exit(1);
});

/** What an operator can mend is said in words; everything else by its code. */
function wordsFor(error: unknown): string {
  if (error instanceof ConfigProblem) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') return 'expected a free port in PROVISO_API_PORT, got one that is taken';
  if (code === 'EACCES') return 'expected a port that this user may open in PROVISO_API_PORT';
  if (code === 'unavailable') return 'expected a database at PROVISO_DATABASE_URL, got none that answers';
  if (code === 'unsafe_role') return 'expected the role proviso_app in PROVISO_DATABASE_URL, got one with more rights';
  if (code === 'vault_unreadable')
    return 'expected the key in PROVISO_VAULT_KEY that this database was sealed with, got another';
  return 'could not start';
}
