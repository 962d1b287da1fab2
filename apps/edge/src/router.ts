import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Endpoint } from '@proviso/targets';
import { hostOf, unitCookieOf, unitOf } from './headers.ts';
import type { LaneTable, ServedLane } from './lane-table.ts';
import { rawPage, sendPage } from './pages.ts';
import { passOn } from './proxy.ts';
import { choose, placeOf } from './split.ts';

/** What the router asks; it decides nothing but the arm. */
export interface RouterOptions {
  readonly table: LaneTable;
  readonly endpoint: (place: string, release: string) => Endpoint | null;
  readonly findTrial: (id: string) => { place: string; release: string } | null;
  readonly bodyBytesMax?: number;
}

const BODY_BYTES_MAX = 10 * 1024 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
/** Above this a new request is told to come back: the machine serves what it has. */
const IN_FLIGHT_MAX = 2_000;
// A slow sender holds a socket, nothing else; it still has to end some time.
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 120_000;
// Node looks only every half minute by itself, and both bounds would be that much longer.
const LOOK_EVERY_MS = 2_000;
// Longer than the usual balancer's 60 s, so that it is never we who close first.
const KEEP_ALIVE_MS = 65_000;
const CONNECTIONS_MAX = 10_000;

/** The server that visitors meet; it listens when the caller says so. */
export function openRouter(options: RouterOptions): Server {
  let inFlight = 0;
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: REQUEST_WITHIN_MS,
    connectionsCheckingInterval: LOOK_EVERY_MS,
  };
  const server = createServer({ ...limits, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (inFlight >= IN_FLIGHT_MAX) return sendPage(response, 'busy', null);
    inFlight += 1;
    void route(options, request, response).finally(() => {
      inFlight -= 1;
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('upgrade', refuseSocket);
  server.on('connect', refuseSocket);
  return server;
}

async function route(options: RouterOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A request line with a whole URL asks for a proxy to anywhere, which this is not.
  if (!request.url?.startsWith('/')) return sendPage(response, 'bad_request', null);
  if (request.method === 'TRACE') return sendPage(response, 'not_supported', null);
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMaxOf(options))
    return sendPage(response, 'too_large', null);
  const host = hostOf(request.headers.host);
  const trial = /^trial-([a-z0-9-]+)\.localhost$/.exec(host)?.[1];
  if (trial !== undefined) return routeTrial(options, { request, response, id: trial });
  const lane = options.table.byHost(host);
  if (lane === null) return sendPage(response, 'unknown_host', null);
  return routeLane(options, { request, response, lane });
}

async function routeTrial(
  options: RouterOptions,
  { request, response, id }: { request: IncomingMessage; response: ServerResponse; id: string },
): Promise<void> {
  const found = options.findTrial(id);
  if (found === null) return sendPage(response, 'unknown_host', null);
  const endpoint = options.endpoint(found.place, found.release);
  if (endpoint === null) return sendPage(response, 'unavailable', null);
  return passOn({ request, response, endpoint, visit: null, cookie: null, bodyBytesMax: bodyBytesMaxOf(options) });
}

async function routeLane(
  options: RouterOptions,
  { request, response, lane }: { request: IncomingMessage; response: ServerResponse; lane: ServedLane },
): Promise<void> {
  const { table } = options;
  const { stable, canary, lane: name, closed } = lane.order;
  const ends = {
    stable: stable === null ? null : options.endpoint(name, stable.release),
    canary: canary === null ? null : options.endpoint(name, canary.release),
  };
  table.servedShare(lane);
  const named = unitOf(request.headers);
  // Only a split needs to know visitors again; elsewhere nobody gets a cookie.
  const drawn = named === null && canary !== null ? randomUUID() : null;
  const cookie = drawn === null ? null : unitCookieOf(drawn);
  const unit = named ?? (drawn === null ? null : `cookie ${drawn}`);
  const place = unit === null ? null : placeOf(unit, canary?.release ?? stable?.release ?? '');
  const choice = choose({
    closed,
    hasStable: stable !== null,
    stableReady: ends.stable !== null,
    hasCanary: canary !== null,
    canaryReady: ends.canary !== null,
    leasedShare: table.leasedShare(lane),
    unit: place ?? 1,
  });
  if (choice.kind === 'not_open') lane.counter.turnAway();
  const endpoint = choice.kind === 'arm' ? ends[choice.arm] : null;
  if (choice.kind !== 'arm' || endpoint === null) {
    return sendPage(response, choice.kind === 'arm' ? 'unavailable' : choice.kind, cookie);
  }
  const visit = lane.counter.visit(choice.arm, place);
  return passOn({ request, response, endpoint, visit, cookie, bodyBytesMax: bodyBytesMaxOf(options) });
}

function bodyBytesMaxOf(options: RouterOptions): number {
  return options.bodyBytesMax ?? BODY_BYTES_MAX;
}

// WebSockets may come later; until then the answer is plain instead of a hanging socket.
function refuseSocket(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.end(rawPage('not_supported'));
}
