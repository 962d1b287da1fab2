import { createServer } from 'node:net';
import { ServerFailure } from './server-failure.ts';

/** All embedded servers listen here and nowhere else: they are for one machine. */
export const LOOPBACK = '127.0.0.1';

/** A port that was free a moment ago; whoever uses it must be ready to find it taken. */
export async function freePort(): Promise<number> {
  return await listenOnce(0);
}

/** Throws `port_taken` before a server is started, because the servers' own words for it differ and come late. */
export async function expectFreePort(port: number, usedFor: string): Promise<void> {
  try {
    await listenOnce(port);
  } catch (cause) {
    throw new ServerFailure('port_taken', `expected port ${port} to be free for ${usedFor}, got it taken`, { cause });
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host: LOOPBACK, port }, () => {
      const address = probe.address();
      const found = typeof address === 'object' && address !== null ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}
