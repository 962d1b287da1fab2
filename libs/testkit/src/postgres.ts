import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningPostgres, startPostgres as startEmbedded } from '@proviso/servers';

/** How a test wants its database. */
export interface TestPostgresOptions {
  /** False turns syncing off, which is faster; a test of durability leaves it on. */
  readonly durable?: boolean;
  /** A folder of the test's own, kept over restarts; without it a temporary one that vanishes with the server. */
  readonly dataDir?: string;
  readonly port?: number;
}

/** Starts a PostgreSQL of the test's own on a free port of 127.0.0.1; it ends with the test process at the latest. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<RunningPostgres> {
  if (options.dataDir !== undefined) return await startEmbedded({ ...options, dataDir: options.dataDir });
  const folder = temporaryFolder('proviso-postgres-');
  return await startEmbedded({ ...options, dataDir: folder, removeAfter: folder });
}

/** A temporary folder that the user PostgreSQL runs as may pass through. */
function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o711);
  return folder;
}
