import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Listeners that nobody has a reason to visit: whoever comes has broken out. */
export interface Lures {
  readonly tcp: readonly string[];
  readonly unix: string;
  readonly abstract: string;
  /** How many have come so far. */
  readonly visits: () => number;
  readonly close: () => Promise<void>;
}

/** Opens one listener of each kind. */
export async function openLures(folder: string): Promise<Lures> {
  mkdirSync(folder, { recursive: true });
  const [unix, abstract] = [join(folder, 'lure.sock'), `proviso-lure-${process.pid}`];
  let visits = 0;
  const open = async (place: string | { host: string; port: number }) => {
    const server = createServer((socket) => {
      visits += 1;
      socket.on('error', () => undefined).destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(place, resolve);
    });
    return server;
  };
  const servers = await Promise.all([
    open({ host: '127.0.0.1', port: 0 }),
    open({ host: '127.0.0.2', port: 0 }),
    open(unix),
    open(`\0${abstract}`),
  ]);
  const tcp = servers.flatMap((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? [`${address.address}:${address.port}`] : [];
  });
  return {
    ...{ tcp, unix, abstract, visits: () => visits },
    close: async () => {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
