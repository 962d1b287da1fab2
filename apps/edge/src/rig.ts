import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setInterval as ticks } from 'node:timers/promises';
import { type ArtifactDigest, digestOf, type EdgeReport, type LaneOrder, type ReleaseOrder } from '@proviso/targets';

// For tests only: an API that speaks the edge's protocol over real HTTP, real edge processes, and visitors.

/** The control token of every edge in the tests. */
export const CONTROL_TOKEN = 'control-token-of-the-tests';
const EDGE_TOKEN = 'edge-token-of-the-tests';
// A busy machine of two cores needs seconds where an idle one needs milliseconds.
const WITHIN_MS = 15_000;

/** The API as an edge sees it. */
export interface FakeApi {
  readonly url: string;
  readonly lanes: Map<string, LaneOrder>;
  /** People whom previews let in no longer. */
  readonly shutOut: Set<string>;
  readonly reports: EdgeReport[];
  /** Stores files as an artifact, and `damage` may then change what is served under a digest. */
  readonly store: (files: Readonly<Record<string, string>>) => ArtifactDigest;
  readonly damage: (digest: string, text: string) => void;
  readonly close: () => Promise<void>;
}

/** Starts it on a free port. */
export async function startFakeApi(): Promise<FakeApi> {
  const blobs = new Map<string, string>();
  const lanes = new Map<string, LaneOrder>();
  const shutOut = new Set<string>();
  const reports: EdgeReport[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const part of request) body += part;
    const blob = blobs.get(request.url?.replace('/v1/edge/blobs/', '') ?? '');
    if (request.headers.authorization !== `Bearer ${EDGE_TOKEN}`) response.writeHead(401).end();
    else if (request.url === '/v1/edge/orders') {
      reports.push(JSON.parse(body));
      response.end(JSON.stringify({ incarnation: 'i1', lanes: [...lanes.values()], shutOut: [...shutOut] }));
    } else if (blob === undefined) response.writeHead(404).end();
    else response.end(blob);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lanes,
    shutOut,
    reports,
    store: (files) => storeArtifact(files, blobs),
    damage: (digest, text) => blobs.set(digest, text),
    close: () => closeServer(server),
  };
}

function storeArtifact(contents: Readonly<Record<string, string>>, blobs: Map<string, string>): ArtifactDigest {
  const files = Object.entries(contents).map(([path, text]) => {
    blobs.set(digestOf(text), text);
    return { path, mode: 'file', sizeBytes: Buffer.byteLength(text), sha256: digestOf(text).slice('sha256:'.length) };
  });
  const manifest = JSON.stringify({ v: 1, files });
  blobs.set(digestOf(manifest), manifest);
  return digestOf(manifest);
}

/** A prototype that says its name, fails where it is told to, and shows what reached it. */
export const prototypeSource = `
import { createServer } from 'node:http';
const name = process.env.NAME;
createServer((request, response) => {
  response.setHeader('x-name', name);
  const { pathname, searchParams } = new URL(request.url, 'http://prototype');
  if (pathname === '/break') { response.writeHead(200, { 'content-length': 100 }); response.write('half'); setTimeout(() => response.destroy(), 20); return; }
  if (pathname === '/cut') return request.socket.destroy();
  if (pathname === '/hang') return;
  if (pathname === '/cookie') response.setHeader('set-cookie', ['own=1', 'proviso_unit=forged-unit-1']);
  let sizeBytes = 0;
  request.on('data', (part) => { sizeBytes += part.length; });
  request.on('end', () => {
    response.statusCode = Number(searchParams.get('status') ?? 200);
    response.end(JSON.stringify({ name, pid: process.pid, url: request.url, sizeBytes, headers: request.headers, environment: Object.keys(process.env) }));
  });
}).listen(Number(process.env.PORT), process.env.HOST);
`;

/** A trusted release of the prototype above. */
export function releaseOf(api: FakeApi, name: string, source: string = prototypeSource): ReleaseOrder {
  return {
    release: `rel_${name}`,
    artifactDigest: api.store({ 'server.mjs': source }),
    trusted: true,
    contract: {
      start: ['node', 'server.mjs'],
      portEnvironment: 'PORT',
      environment: { NAME: name },
      health: { path: '/health' },
    },
  };
}

/** A production lane with nothing in it but what a test says. */
export function laneOf(lane: string, parts: Partial<LaneOrder>): LaneOrder {
  return {
    lane,
    environment: 'production',
    hosts: [`${lane}.localhost`],
    fence: { incarnation: 1, counter: 1 },
    stable: null,
    canary: null,
    weightPercent: 0,
    leaseRemainingMs: null,
    closed: false,
    ...parts,
  };
}

/** An edge as its own process. */
export interface EdgeProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly controlUrl: string;
  /** Everything it has logged so far. */
  readonly said: () => string;
  /** Sends a signal and waits for the end; gives the exit code. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
}

/** A data folder that is removed by `remove`. */
export function dataFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'proviso-edge-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts an edge's main file; rejects with its last line when it exits instead. */
export async function startEdge(
  apiUrl: string,
  folder: string,
  variables: Record<string, string> = {},
): Promise<EdgeProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PROVISO_API_URL: apiUrl,
      PROVISO_EDGE_TOKEN: EDGE_TOKEN,
      PROVISO_EDGE_CONTROL_TOKEN: CONTROL_TOKEN,
      PROVISO_EDGE_DATA: folder,
      PROVISO_EDGE_PORT: '0',
      PROVISO_EDGE_CONTROL_PORT: '0',
      PROVISO_EDGE_POLL_MS: '250',
      ...variables,
    },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let said = '';
  child.stderr.on('data', (part) => {
    said += String(part);
  });
  const ports = await portsOf(child, exited);
  return {
    child,
    port: ports.port,
    controlUrl: `http://127.0.0.1:${ports.controlPort}`,
    said: () => said,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}

function portsOf(child: ChildProcess, exited: Promise<number | null>): Promise<{ port: number; controlPort: number }> {
  return new Promise((resolve, reject) => {
    let last = '';
    if (child.stderr === null) return reject(new Error('expected a pipe'));
    // Read to the end, so that the edge never waits for us.
    createInterface({ input: child.stderr }).on('line', (line) => {
      last = line;
      const { msg, port, controlPort } = line.startsWith('{') ? JSON.parse(line) : {};
      if (msg === 'edge.started') resolve({ port, controlPort });
    });
    void exited.then((code) => reject(new Error(`edge exited with ${code}: ${last}`)));
  });
}

/** What a visitor got. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a visitor asks. */
export interface Wish {
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** Visits the router of an edge. */
export function visit(port: number, { host, path = '/', method = 'GET', headers = {}, body }: Wish): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { agent, host: '127.0.0.1', port, path, method, headers: { ...headers, host } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are, and gives the first line of what comes back. */
export function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').on('error', reject);
    socket.once('data', (data) => {
      resolve(String(data).split('\r\n')[0] ?? '');
      socket.destroy();
    });
    socket.write(text);
  });
}

/** Looks every few milliseconds until something holds, with a bound; gives what the look gave. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | null | false> | Found | null | false,
): Promise<Found> {
  const deadline = performance.now() + WITHIN_MS;
  for await (const _tick of ticks(20)) {
    const found = await look();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) break;
  }
  throw new Error(`expected ${what} within ${WITHIN_MS} ms`);
}

/** Waits until the host answers with this status and, if said, from this release. */
export function untilServed(port: number, host: string, expected: { status: number; name?: string }): Promise<Reply> {
  return until(`${host} to answer ${expected.status} ${expected.name ?? ''}`, async () => {
    const reply = await visit(port, { host }).catch(() => null);
    const fits =
      reply?.status === expected.status && (expected.name === undefined || reply.headers['x-name'] === expected.name);
    return fits && reply;
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
