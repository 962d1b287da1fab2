import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { openSight, type Moment, type Sight } from './wire-sight.ts';
import { openCutter, type WireMessage } from './wire-message.ts';

/** A statement, an answer or a row that was caught in the middle; nothing behind it moves until somebody decides. */
export interface Caught {
  readonly moment: Moment;
  /** Lets it go on as if nothing had been. */
  release(): void;
  /** Ends both sides at once: neither hears anything more. */
  cut(): void;
}

/** A pass-through in front of PostgreSQL that can hold one message at a named moment. */
export interface WireProxy {
  readonly port: number;
  /**
   * Resolves when a moment for which `fits` is true comes by; it is held from then on. `unbegun` holds what came in the
   * same chunk before it too: a pipelined transaction is then not even begun, so that the server waits for nobody.
   */
  catchAt(
    fits: (moment: Moment) => boolean,
    how?: { readonly unbegun: boolean },
  ): { readonly caught: Promise<Caught>; forget(): void };
  close(): Promise<void>;
}

interface Trap {
  readonly fits: (moment: Moment) => boolean;
  readonly unbegun: boolean;
  readonly spring: (caught: Caught) => void;
}

/** Opens a proxy to the server at this port. A server that is away looks the same through it: a refused connection. */
export async function openWireProxy(serverPort: number): Promise<WireProxy> {
  const traps = new Set<Trap>();
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: serverPort });
    join({ client, upstream }, traps);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
  });
  const port = await listen(server);
  return {
    port,
    catchAt: (fits, { unbegun } = { unbegun: false }) => {
      const sprung = Promise.withResolvers<Caught>();
      const trap = { fits, unbegun, spring: sprung.resolve };
      traps.add(trap);
      return { caught: sprung.promise, forget: () => traps.delete(trap) };
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

function join(pair: Pair, traps: Set<Trap>): void {
  const sight = openSight();
  const end = () => {
    pair.client.destroy();
    pair.upstream.destroy();
  };
  for (const socket of [pair.client, pair.upstream]) {
    socket.setNoDelay(true);
    socket.on('error', end);
    socket.on('close', end);
  }
  void pump(pair, { from: 'client', sight, traps, end });
  void pump(pair, { from: 'server', sight, traps, end });
}

interface Flow {
  readonly from: 'client' | 'server';
  readonly sight: Sight;
  readonly traps: Set<Trap>;
  readonly end: () => void;
}

interface Hold {
  readonly fate: Promise<'go' | 'cut'>;
  readonly unbegun: boolean;
}

/** One direction of one connection. Messages between two moments go out in one write, so that little is slowed down. */
async function pump({ client, upstream }: Pair, flow: Flow): Promise<void> {
  const [source, target] = flow.from === 'client' ? [client, upstream] : [upstream, client];
  const cut = openCutter(flow.from);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      let batch: WireMessage[] = [];
      for (const message of cut(chunk)) {
        const held = hold(flow, message);
        if (held !== null) {
          if (!held.unbegun) {
            write(target, batch);
            batch = [];
          }
          if ((await held.fate) === 'cut') return flow.end();
        }
        batch.push(message);
      }
      write(target, batch);
    }
  } catch {
    // A connection that broke is told by its other end; both end below.
  }
  flow.end();
}

function write(target: Socket, batch: readonly WireMessage[]): void {
  if (batch.length > 0 && !target.destroyed) target.write(Buffer.concat(batch.map(({ bytes }) => bytes)));
}

function hold({ from, sight, traps }: Flow, message: WireMessage): Hold | null {
  const moment = from === 'client' ? sight.sent(message) : sight.answered(message);
  if (moment === null) return null;
  const trap = [...traps].find(({ fits }) => fits(moment));
  if (trap === undefined) return null;
  // A trap springs once: the kill it leads to must be one kill.
  traps.delete(trap);
  const fate = Promise.withResolvers<'go' | 'cut'>();
  trap.spring({ moment, release: () => fate.resolve('go'), cut: () => fate.resolve('cut') });
  return { fate: fate.promise, unbegun: trap.unbegun };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
