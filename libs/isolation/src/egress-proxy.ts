import { lookup } from 'node:dns/promises';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { isPublicAddress } from './egress-address.ts';

/** How often a host was asked for, and whether the contract declares it. */
export interface EgressCount {
  /** `host:port`, as it was asked for. */
  readonly host: string;
  readonly declared: boolean;
  readonly requests: number;
}

/** What was asked for, by `host:port`. */
export type EgressCounts = Map<string, { readonly declared: boolean; readonly requests: number }>;

/** The rows of counts. */
export function egressCountsOf(counted: EgressCounts): readonly EgressCount[] {
  return [...counted].map(([host, count]) => ({ host, ...count }));
}

/** The only way out of one sandbox; owned by whoever runs it, and outside of it. */
export interface EgressProxy {
  readonly counts: () => readonly EgressCount[];
  readonly close: () => Promise<void>;
}

/** What differs between the proxies of two sandboxes, and what a test puts in the place of the internet. */
export interface EgressOptions {
  readonly socketPath: string;
  /** Names as the contract declares them, each with a port when it is neither 80 nor 443. */
  readonly hosts: readonly string[];
  /** The hosts are an operator's own, whose mirror may be in a private network; never for what a contract declares. */
  readonly anyAddress?: boolean;
  /**
   * Answers what is asked of the proxy itself, by a path alone: only its own sandbox can ask, so whoever opened it knows
   * who speaks. Without it such a request is refused.
   */
  readonly receive?: RequestListener;
  /** Counts that go on over several runs of one release; a fresh one without it. */
  readonly counted?: EgressCounts;
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  readonly dial?: (target: { readonly host: string; readonly port: number }) => Socket;
}

// What the kernel takes, on every platform.
const SOCKET_PATH_BYTES_MAX = 100;
const CONNECTIONS_MAX = 64;
// Names are a stranger's text: beyond this many they are counted together.
const HOSTS_MAX = 100;
const HOST_LENGTH_MAX = 253;
const OTHER_HOSTS = 'other hosts';
const DIAL_MS_MAX = 10_000;
const IDLE_MS_MAX = 120_000;
const CONNECTION_MS_MAX = 3_600_000;
// Of one connection, both ways together: enough for a model's answers, too little to copy a disk.
const CONNECTION_BYTES_MAX = 1024 * 1024 * 1024;
const USUAL_PORTS = [80, 443];

interface Target {
  readonly host: string;
  readonly port: number;
}

interface Passage {
  readonly options: Required<Omit<EgressOptions, 'counted' | 'receive'>>;
  readonly counted: EgressCounts;
  readonly open: Set<Duplex>;
}

/** Opens the proxy of one sandbox on a Unix socket that the sandbox is offered. */
export async function openEgressProxy(options: EgressOptions): Promise<EgressProxy> {
  const passage: Passage = {
    options: {
      resolve: resolveByName,
      dial: ({ host, port }) => connect({ host, port }),
      anyAddress: false,
      ...options,
    },
    counted: options.counted ?? new Map(),
    open: new Set(),
  };
  const { receive } = options;
  const server = createServer({ keepAliveTimeout: 1_000 }, (incoming, answer) => {
    if (receive !== undefined && incoming.url?.startsWith('/')) receive(incoming, answer);
    else void forward(passage, incoming, answer);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    void tunnel(passage, incoming, { socket, head });
  });
  // Garbage on the socket is its sender's loss.
  server.on('clientError', (_error, socket) => void socket.destroy());
  server.maxConnections = CONNECTIONS_MAX;
  mkdirSync(dirname(options.socketPath), { recursive: true, mode: 0o755 });
  // What an earlier edge left there has nobody behind it.
  rmSync(options.socketPath, { force: true });
  let place: number | null = openSync(dirname(options.socketPath), 'r');
  await listen(server, nearPathOf(options.socketPath, place));
  // The sandbox's user is not ours; the folder around keeps everybody else away.
  chmodSync(options.socketPath, 0o666);
  return {
    counts: () => egressCountsOf(passage.counted),
    close: async () => {
      for (const socket of passage.open) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      if (place !== null) closeSync(place);
      place = null;
    },
  };
}

async function tunnel(
  passage: Passage,
  incoming: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  hold(passage, socket);
  const target = targetOf(incoming.url ?? '', 443);
  const refusal = target === null ? BAD_TARGET : count(passage, target);
  if (target === null || refusal !== null) return void socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\n\r\n`);
  try {
    const far = await dialPublic(passage, target);
    socket.write('HTTP/1.1 200 connected\r\n\r\n');
    if (head.length > 0) far.write(head);
    join(socket, far);
  } catch {
    // The reason may name addresses of ours, so only the fact goes back.
    socket.end('HTTP/1.1 502 expected a public host that answers\r\nconnection: close\r\n\r\n');
  }
}

async function forward(passage: Passage, incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : null;
  const target = url?.protocol === 'http:' ? targetOf(url.host, 80) : null;
  const refusal = target === null ? BAD_TARGET : count(passage, target);
  if (url === null || target === null || refusal !== null) return refuse(answer, refusal ?? BAD_TARGET);
  try {
    const far = await dialPublic(passage, target);
    const { 'proxy-connection': _dropped, 'proxy-authorization': _secret, ...headers } = incoming.headers;
    const outgoing = request({
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, connection: 'close' },
      createConnection: () => far,
    });
    outgoing.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, { ...response.headers, connection: 'close' });
      response.pipe(answer);
    });
    outgoing.on('error', () => (answer.headersSent ? answer.destroy() : refuse(answer, '502 expected an answer')));
    answer.on('close', () => far.destroy());
    incoming.pipe(outgoing);
  } catch {
    refuse(answer, '502 expected a public host that answers');
  }
}

const BAD_TARGET = '400 expected host:port';

function refuse(answer: ServerResponse, refusal: string): void {
  answer.writeHead(Number(refusal.slice(0, 3)), refusal.slice(4), { connection: 'close' });
  answer.end(`${refusal.slice(4)}\n`);
}

function targetOf(text: string, usualPort: number): Target | null {
  const url = URL.canParse(`proxy://${text}`) ? new URL(`proxy://${text}`) : null;
  const host = url?.hostname.toLowerCase().replace(/\.$/, '') ?? '';
  if (url === null || !/^[a-z0-9.[\]:-]+$/.test(host) || host.length > HOST_LENGTH_MAX) return null;
  return { host, port: url.port === '' ? usualPort : Number(url.port) };
}

/** Counts a request under its host, and says why it is refused, or null when it is declared. */
function count({ options, counted }: Passage, target: Target): string | null {
  const declared = isDeclared(options.hosts, target);
  const name = `${target.host}:${target.port}`;
  const key = counted.has(name) || counted.size < HOSTS_MAX ? name : OTHER_HOSTS;
  // What is counted together counts as undeclared as soon as one of it was.
  const before = counted.get(key) ?? { declared, requests: 0 };
  counted.set(key, { declared: before.declared && declared, requests: before.requests + 1 });
  return declared ? null : `403 expected a host declared under egress, got ${name}`;
}

function isDeclared(hosts: readonly string[], { host, port }: Target): boolean {
  return hosts.some((declared) => {
    const [name = '', ownPort] = declared.toLowerCase().split(':');
    const samePort = ownPort === undefined ? USUAL_PORTS.includes(port) : Number(ownPort) === port;
    return samePort && host === name;
  });
}

/** The connection goes to the very address that was checked, so a name cannot change its mind in between. */
async function dialPublic({ options, open }: Passage, { host, port }: Target): Promise<Socket> {
  const addresses = await options.resolve(host.replace(/^\[|\]$/g, ''));
  const [address] = addresses;
  if (address === undefined || !(options.anyAddress || addresses.every(isPublicAddress)))
    throw new Error('expected a public address');
  const far = options.dial({ host: address, port });
  hold({ open }, far);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => far.destroy(new Error('expected a connection in time')), DIAL_MS_MAX);
    far.once('connect', resolve);
    far.once('close', () => reject(new Error('expected a connection')));
    far.once('connect', () => clearTimeout(timer));
    far.once('close', () => clearTimeout(timer));
  });
  return far;
}

async function resolveByName(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** Every connection has an end, whatever its two sides do. */
function hold({ open }: Pick<Passage, 'open'>, socket: Duplex): void {
  open.add(socket);
  const timer = setTimeout(() => socket.destroy(), CONNECTION_MS_MAX);
  timer.unref();
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(timer);
    open.delete(socket);
  });
  if ('setTimeout' in socket) (socket as Socket).setTimeout(IDLE_MS_MAX, () => socket.destroy());
}

function join(near: Duplex, far: Duplex): void {
  let bytes = 0;
  const add = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > CONNECTION_BYTES_MAX) near.destroy();
  };
  near.on('data', add).on('close', () => far.destroy());
  far.on('data', add).on('close', () => near.destroy());
  near.pipe(far);
  far.pipe(near);
}

/** A socket's path must be short, and that of a data folder need not be: then it is named by the open folder. */
function nearPathOf(path: string, folder: number): string {
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX ? path : `/proc/self/fd/${folder}/${basename(path)}`;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}
