import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * How a link stands. Silent: nothing passes in either direction and nobody is told, as when a network is lost or the one
 * at the end is stopped; what was sent arrives when it is open again. Refusing: as when nobody is there.
 */
export type LinkStanding = 'open' | 'silent' | 'refusing';

/** A pass-through in front of a server, by which it is cut off from one other part. */
export interface Link {
  readonly port: number;
  become(standing: LinkStanding): void;
  close(): Promise<void>;
}

/** Opens a link to the server at this port. */
export async function openLink(serverPort: number): Promise<Link> {
  let standing: LinkStanding = 'open';
  const pairs = new Set<Pair>();
  const server = createServer({ pauseOnConnect: true }, (client) => {
    if (standing === 'refusing') return void client.destroy();
    const pair = pairOf(client, serverPort);
    pairs.add(pair);
    client.once('close', () => pairs.delete(pair));
    if (standing === 'open') pair.flow();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    become: (next) => {
      standing = next;
      for (const pair of pairs) {
        if (next === 'open') pair.flow();
        else if (next === 'silent') pair.halt();
        else pair.end();
      }
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const pair of pairs) pair.end();
      await closed;
    },
  };
}

interface Pair {
  readonly flow: () => void;
  readonly halt: () => void;
  readonly end: () => void;
}

function pairOf(client: Socket, serverPort: number): Pair {
  let upstream: Socket | null = null;
  let flows = false;
  // What one side had said before it went still reaches the other.
  const end = (): void => {
    client.destroySoon();
    upstream?.destroySoon();
  };
  const watched = (socket: Socket): Socket => socket.setNoDelay(true).on('error', end).once('close', end);
  watched(client);
  return {
    flow: () => {
      if (flows) return;
      flows = true;
      // Not before: in a partition the first packet of a connection is lost like all others.
      upstream ??= watched(connect({ host: '127.0.0.1', port: serverPort }));
      client.pipe(upstream);
      upstream.pipe(client);
    },
    halt: () => {
      flows = false;
      for (const socket of [client, upstream]) socket?.unpipe().pause();
    },
    end: () => {
      client.destroy();
      upstream?.destroy();
    },
  };
}
