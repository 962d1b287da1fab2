import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningTemporal, startTemporal as startDevServer, temporalBinary } from '@proviso/servers';

/** How a test wants its Temporal. */
export interface TestTemporalOptions {
  /** Lets workflows survive a restart of the server; without it they live in memory. */
  readonly databaseFile?: string;
  readonly port?: number;
}

/** Starts a Temporal dev server of the test's own; it ends with the test process at the latest. */
export async function startTemporal(options: TestTemporalOptions = {}): Promise<RunningTemporal> {
  return await startDevServer({ ...options, binary: temporalBinary(projectRoot()) });
}

function projectRoot(): string {
  return resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
}
