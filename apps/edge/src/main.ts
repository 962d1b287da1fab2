import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findIsolation } from '@proviso/isolation';
import { pino } from 'pino';
import { ConfigError, type EdgeConfig, parseConfig } from './config.ts';
import { openEdge, PortTaken } from './edge.ts';
import { FolderTaken } from './folder-lock.ts';

// The edge as a process: variables in, lines of JSON on stderr out, gone on SIGTERM or SIGINT with all its releases.
const logger = pino({ name: 'edge' }, pino.destination({ dest: 2, sync: true }));

try {
  const config = parseConfig(process.env);
  const isolation = await findIsolation(config.isolation === null ? {} : { way: config.isolation });
  const level = isolation.way === 'none' ? 'warn' : 'info';
  logger[level]({ way: isolation.way, limits: isolation.limits, why: isolation.why }, 'edge.isolation');
  const edge = await openEdge({
    config,
    isolation,
    edge: edgeIdOf(config),
    boot: randomUUID(),
    pid: process.pid,
    nowMs: () => performance.now(),
    wallClock: () => new Date(),
    environment: process.env,
    log: (level, event, fields) => logger[level](fields, event),
  });
  let stopping = false;
  const stop = (): void => {
    // A second signal means the person is out of patience; releases are then ended by the next start.
    if (stopping) process.exit(1);
    stopping = true;
    edge.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  fail(error);
}

function fail(error: unknown): never {
  const expected = error instanceof ConfigError || error instanceof PortTaken || error instanceof FolderTaken;
  if (expected) logger.fatal(error.message);
  else logger.fatal({ error }, 'edge failed');
  process.exit(1);
}

/** The same for each start on one data folder, so that the API knows an edge again. */
function edgeIdOf(config: EdgeConfig): string {
  const path = join(config.dataFolder, 'edge.id');
  mkdirSync(config.dataFolder, { recursive: true, mode: 0o700 });
  try {
    const id = readFileSync(path, 'utf8').trim();
    if (id !== '') return id;
  } catch {
    // The first start in this folder.
  }
  const id = `edge-${randomUUID()}`;
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}
