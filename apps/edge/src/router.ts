import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint } from '@proviso/targets';
import { hostOf, type RequestHead, readHead, unitCookieOf } from './headers.ts';
import type { LaneTable, ServedLane } from './lane-table.ts';
import { type Page, rawPage, sendHome, sendPage } from './pages.ts';
import { assignResponse, type Load, type PassageLimits, passOn } from './passage.ts';
import { type Choice, choose, openPlaces } from './split.ts';
import { closedDoor, isPreviewUrl, type StagingDoor } from './staging-door.ts';

/** What the router asks; it decides nothing but the arm. */
export interface RouterOptions {
  readonly table: LaneTable;
  readonly endpoint: (place: string, release: string) => Endpoint | null;
  /** Whether a release without an endpoint is on its way up. */
  readonly isStarting: (place: string, release: string) => boolean;
  readonly findTrial: (id: string) => { place: string; release: string } | null;
  /** Who may come to staging and to trials; without it nobody. */
  readonly stagingDoor?: StagingDoor;
  readonly bodyBytesMax?: number;
  /** How long a WebSocket may be silent. */
  readonly socketIdleMs?: number;
  /** Whoever has waited so long without an answer and leaves was not served. */
  readonly patienceMs?: number;
}

const BODY_BYTES_MAX = 10 * 1024 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
/** Above this a new request is told to come back: the machine serves what it has. */
const IN_FLIGHT_MAX = 2_000;
/** WebSockets are mostly silent, so there may be more of them. */
const SOCKETS_MAX = 5_000;
// A slow sender holds a socket, nothing else; it still has to end some time.
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 120_000;
// Node looks only every half minute by itself, and both bounds would be that much longer.
const LOOK_EVERY_MS = 2_000;
// Longer than the usual balancer's 60 s, so that it is never we who close first.
const KEEP_ALIVE_MS = 65_000;
const CONNECTIONS_MAX = 10_000;
// Beyond the longest pause of a release's stream: who then still takes nothing of an answer is gone.
const SILENCE_MS_MAX = 330_000;
const SOCKET_IDLE_MS = 300_000;
// Many have left a page by then; who leaves sooner may just have clicked elsewhere.
const PATIENCE_MS = 3_000;

interface Router {
  readonly options: RouterOptions;
  readonly limits: PassageLimits;
  readonly load: Load;
  readonly placeOf: ReturnType<typeof openPlaces>;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  /** The bytes behind a request for a WebSocket; null for all others. */
  readonly early: Buffer | null;
}

/** The server that visitors meet; it listens when the caller says so. */
export function openRouter(options: RouterOptions): Server {
  const { bodyBytesMax = BODY_BYTES_MAX, socketIdleMs = SOCKET_IDLE_MS, patienceMs = PATIENCE_MS } = options;
  const router = {
    options,
    limits: { bodyBytesMax, socketIdleMs, patienceMs },
    load: { requests: 0, sockets: 0 },
    placeOf: openPlaces(),
  };
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Most requests have no body, and to set up a stream for none costs an eighth of all that we do for a request.
      optimizeEmptyRequests: true,
      // Any other protocol that a client would rather speak is left aside, as RFC 9110 allows.
      shouldUpgradeCallback: isForWebSocket,
    },
    (request, response) => receive(router, { request, response, head: readHead(request.rawHeaders), early: null }),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = SILENCE_MS_MAX;
  server.on('upgrade', (request, socket, early) => {
    const response = new ServerResponse(request);
    if (socket instanceof Socket) assignResponse(response, socket);
    receive(router, { request, response, head: readHead(request.rawHeaders), early });
  });
  server.on('connect', refuseSocket);
  return server;
}

function isForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

function receive(router: Router, call: Call): void {
  const fault = faultOf(router, call);
  if (fault !== null) return answer(call, fault);
  const { table, findTrial, stagingDoor = closedDoor } = router.options;
  const host = hostOf(call.head.host ?? '');
  const lane = table.byHost(host);
  if (lane?.order.environment === 'production') return routeLane(router, call, lane, false);
  const isGate = stagingDoor.isGate(call.head);
  if (lane !== null) return enterStaging(router, { call, lane, host, isGate });
  const id = /^trial-([a-z0-9-]+)\.localhost$/.exec(host)?.[1];
  const trial = id === undefined || !isGate ? null : findTrial(id);
  if (trial === null) return answer(call, 'unknown_host');
  routeTrial(router, call, trial);
}

/** Staging is for gates and for the people who decide. A link is followed by a redirect at once, so it stays nowhere. */
function enterStaging(
  router: Router,
  { call, lane, host, isGate }: { call: Call; lane: ServedLane; host: string; isGate: boolean },
): void {
  if (isGate) return routeLane(router, call, lane, true);
  const { stagingDoor = closedDoor } = router.options;
  const { request, response, head, early } = call;
  const isLink = request.method === 'GET' && early === null && isPreviewUrl(request.url);
  const cookie = isLink ? stagingDoor.open(request.url ?? '', host) : null;
  const isIn = cookie !== null || stagingDoor.hasSession(head, host);
  if (!isIn) return answer(call, 'preview_only');
  return isLink ? sendHome(response, cookie) : routeLane(router, call, lane, false);
}

/** Why a request is refused whomever it is for. */
function faultOf({ load, limits }: Router, { request, head, early }: Call): Page | null {
  if (load.requests >= IN_FLIGHT_MAX || (early !== null && load.sockets >= SOCKETS_MAX)) return 'busy';
  // A request line with a whole URL asks for a proxy to anywhere, which this is not.
  if (!request.url?.startsWith('/') || head.host === null) return 'bad_request';
  // Whoever reads a body where another reads a handshake sees two different requests.
  if (early !== null && head.body !== 0) return 'bad_request';
  if (request.method === 'TRACE') return 'not_supported';
  return typeof head.body === 'number' && head.body > limits.bodyBytesMax ? 'too_large' : null;
}

function routeTrial(router: Router, call: Call, trial: { place: string; release: string }): void {
  const endpoint = router.options.endpoint(trial.place, trial.release);
  if (endpoint === null) return answer(call, absenceOf(router, trial.place, trial.release));
  passOn({ ...call, endpoint, visit: null, cookie: null, isGate: true, limits: router.limits, load: router.load });
}

function routeLane(router: Router, call: Call, lane: ServedLane, isGate: boolean): void {
  const { table, endpoint: endpointOf } = router.options;
  const { stable, canary, lane: name, closed } = lane.order;
  const stableEnd = stable === null ? null : endpointOf(name, stable.release);
  const canaryEnd = canary === null ? null : endpointOf(name, canary.release);
  table.servedShare(lane);
  const named = call.head.unit;
  // Only a split needs to know visitors again; elsewhere nobody gets a cookie.
  const drawn = named === null && canary !== null ? randomUUID() : null;
  const cookie = drawn === null ? null : unitCookieOf(drawn);
  const unit = drawn === null ? named : `cookie ${drawn}`;
  const place = unit === null ? null : router.placeOf(unit, canary?.release ?? stable?.release ?? '');
  const choice = choose({
    closed,
    hasStable: stable !== null,
    stableReady: stableEnd !== null,
    hasCanary: canary !== null,
    canaryReady: canaryEnd !== null,
    leasedShare: table.leasedShare(lane),
    unit: place ?? 1,
  });
  if (choice.kind === 'not_open') lane.counter.turnAway();
  const endpoint = choice.kind === 'arm' ? (choice.arm === 'canary' ? canaryEnd : stableEnd) : null;
  if (choice.kind !== 'arm' || endpoint === null) {
    return answer(call, pageOf(router, lane, choice.kind), cookie);
  }
  const visit = lane.counter.visit(choice.arm, place);
  passOn({ ...call, endpoint, visit, cookie, isGate, limits: router.limits, load: router.load });
}

/** Nobody's turn has come while a first release is on its way up: then the page says that, which is over in seconds. */
function pageOf(router: Router, { order }: ServedLane, choice: Choice['kind']): Page {
  const release = (order.stable ?? order.canary)?.release ?? '';
  const isAbsent = choice === 'arm' || choice === 'unavailable';
  if (isAbsent) return absenceOf(router, order.lane, release);
  const { endpoint, isStarting } = router.options;
  const isOnItsWay = endpoint(order.lane, release) === null && isStarting(order.lane, release);
  return choice === 'not_open' && isOnItsWay ? 'starting' : choice;
}

function absenceOf({ options }: Router, place: string, release: string): Page {
  return options.isStarting(place, release) ? 'starting' : 'unavailable';
}

function answer({ response, head }: Call, page: Page, cookie: string | null = null): void {
  sendPage(response, page, { head, cookie });
}

function refuseSocket(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.end(rawPage('not_supported'));
}
