import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** A line between a browser and the API that can be cut: then nothing passes and nobody answers. */
export interface Line {
  readonly url: string;
  /** What browsers asked to go on behind, in the order in which they asked. */
  readonly lastEventIds: readonly string[];
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a line to a port of this machine. */
export async function openLine(port: number): Promise<Line> {
  const lastEventIds: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((visitor) => {
    const api = createConnection(port, '127.0.0.1');
    for (const socket of [visitor, api]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        visitor.destroy();
        api.destroy();
      });
    }
    visitor.on('data', (bytes) => {
      for (const [, id = ''] of bytes.toString('latin1').matchAll(/^last-event-id: (.+)\r$/gim)) lastEventIds.push(id);
    });
    visitor.pipe(api);
    api.pipe(visitor);
  });
  const listen = async (at: number): Promise<number> =>
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const cut = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const own = await listen(0);
  return {
    url: `http://127.0.0.1:${own}`,
    lastEventIds,
    cut,
    mend: async () => void (await listen(own)),
    close: async () => await cut().catch(() => undefined),
  };
}
