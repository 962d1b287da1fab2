import { chmodSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';

/** A listening socket on its way to a process that will accept on it. */
export interface PassedSocket {
  readonly descriptor: number;
  /** Lets go of our copy once the process has its own. */
  readonly release: () => void;
}

// What the kernel takes for the path of a Unix socket, less its last zero.
const PATH_BYTES_MAX = 107;

/**
 * Listens on a path and gives the descriptor. The sandbox gets the socket and never its folder: it cannot put a link to
 * somebody else's socket in its place, and we connect to nothing that it chose.
 */
export async function listenToPass(path: string): Promise<PassedSocket> {
  const length = Buffer.byteLength(path);
  if (length > PATH_BYTES_MAX - '.new'.length) {
    throw new Error(`socket path: expected at most ${PATH_BYTES_MAX - '.new'.length} bytes, got ${length}`);
  }
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`${path}.new`, resolve);
  });
  chmodSync(`${path}.new`, 0o600);
  // Closing unlinks the path that was bound, so the socket must have another name by then.
  renameSync(`${path}.new`, path);
  return { descriptor: descriptorOf(server), release: () => void server.close() };
}

// Node has no public way to hand a listening socket to a process that is not Node; the field is the same since Node 0.x.
function descriptorOf(server: object): number {
  const handle: unknown = Reflect.get(server, '_handle');
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof descriptor !== 'number' || descriptor < 0)
    throw new Error('expected a descriptor of the listening socket');
  return descriptor;
}
