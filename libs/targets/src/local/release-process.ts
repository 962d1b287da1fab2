import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { startWithPort } from '@proviso/domain';
import { identityOf, type MarkedProcess, type ProcessEnd } from '@proviso/isolation';
import { messageOf, TargetFailure } from './failure.ts';
import { FILE_BLOCKS_MAX } from './output-log.ts';
import type { RunContract } from './protocol.ts';

/** Starts the contract's command as leader of its own session, with an empty environment but for what is declared. */
export async function startProcess(options: {
  contract: RunContract;
  folder: string;
  temporaryFolder: string;
  logPath: string;
  marker: string;
  port: number;
}): Promise<MarkedProcess> {
  mkdirSync(options.temporaryFolder, { recursive: true, mode: 0o700 });
  const [program = 'node', ...rest] = startWithPort(options.contract, options.port);
  const words = [program === 'node' ? process.execPath : program, ...rest];
  // The shell only lowers limits and is then replaced, so the pid is the program's own.
  const script = `ulimit -c 0; ulimit -f ${FILE_BLOCKS_MAX}; exec "$@"`;
  // A file instead of a pipe: a pipe's writer would be killed or blocked by the edge's death.
  const output = openSync(options.logPath, 'a', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...words], {
      cwd: options.folder,
      env: environmentOf(options),
      detached: true,
      stdio: ['ignore', output, output],
    });
    return await watchChild(child, options.marker);
  } finally {
    closeSync(output);
  }
}

/** A port of 127.0.0.1 that the system says is free; another process may still be faster, then the start is repeated. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function watchChild(child: ChildProcess, marker: string): Promise<MarkedProcess> {
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', (cause) =>
      reject(new TargetFailure('start_failed', `start: ${messageOf(cause)}`, { retryable: true, cause })),
    );
  });
  const { pid } = child;
  if (pid === undefined) return failed;
  failed.catch(() => undefined);
  child.unref();
  return { pid, identity: identityOf(pid), marker, isolated: false, exited };
}

function environmentOf(options: {
  contract: RunContract;
  temporaryFolder: string;
  marker: string;
  port: number;
}): Record<string, string> {
  const [name = '', value = ''] = options.marker.split('=');
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    ...options.contract.environment,
    HOME: options.temporaryFolder,
    TMPDIR: options.temporaryFolder,
    HOST: '127.0.0.1',
    [options.contract.portEnvironment]: String(options.port),
    [name]: value,
  };
}
