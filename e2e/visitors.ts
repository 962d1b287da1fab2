import { Agent, request } from 'node:http';
import type { Absence } from './stage-part.ts';

/** A request that visitors send; `body` makes it a POST. */
export interface VisitorRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** A request that a lane with a stable release should have answered. */
export interface Failed {
  readonly host: string;
  readonly at: number;
  readonly what: string;
}

/** Visitors of many lanes at once. */
export interface Visitors {
  /** Visitors per second of a lane; 0 sends them away. */
  readonly send: (host: string, perSecond: number) => void;
  /** From now on this lane has a release that must always answer. */
  readonly expectServed: (host: string) => void;
  readonly sent: () => number;
  /** Requests to the harmless page that failed although a stable release was there. */
  readonly failed: () => readonly Failed[];
  readonly stop: () => Promise<void>;
}

const beatMs = 25;
const answerMsMax = 5_000;
/** Two cores serve all releases, the router and the judge: visitors who find nobody wait. */
const inFlightMax = 48;
/** Every so many requests of a lane one asks for a page that no version breaks: it tells how stable is served. */
const probeEvery = 5;

/** Starts with no visitors anywhere. Nobody brings a cookie: each request is a person of its own. */
export function openVisitors(routerUrl: string, requests: readonly VisitorRequest[]): Visitors {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlightMax });
  const lanes = new Map<string, { perSecond: number; due: number; turn: number; served: boolean }>();
  const failed: Failed[] = [];
  const open = new Set<Promise<void>>();
  let sent = 0;
  const laneOf = (host: string) => {
    const lane = lanes.get(host) ?? { perSecond: 0, due: 0, turn: 0, served: false };
    lanes.set(host, lane);
    return lane;
  };
  const visit = (host: string): void => {
    const lane = laneOf(host);
    lane.turn += 1;
    const probes = lane.turn % probeEvery === 0;
    const asked = probes ? { method: 'GET', path: '/healthz' } : requests[lane.turn % requests.length];
    if (asked === undefined) return;
    sent += 1;
    const served = lane.served;
    const at = Date.now();
    const answer = ask({ routerUrl, host, agent, asked }).then((what) => {
      open.delete(answer);
      if (probes && served && what !== '200') failed.push({ host, at, what });
    });
    open.add(answer);
  };
  const beat = setInterval(() => {
    for (const [host, lane] of lanes) {
      lane.due = Math.min(lane.due + (lane.perSecond * beatMs) / 1_000, lane.perSecond);
      for (; lane.due >= 1; lane.due -= 1) if (open.size < inFlightMax) visit(host);
    }
  }, beatMs);
  return {
    send: (host, perSecond) => {
      laneOf(host).perSecond = perSecond;
    },
    expectServed: (host) => {
      laneOf(host).served = true;
    },
    sent: () => sent,
    failed: () => failed,
    stop: async () => {
      clearInterval(beat);
      await Promise.all(open);
      agent.destroy();
    },
  };
}

/** Failures that no absence of the edge explains: a request counts from when it was sent until it could have ended. */
export function unexplained(failed: readonly Failed[], absences: readonly Absence[]): readonly Failed[] {
  return failed.filter(({ at }) => !absences.some(({ from, to }) => at >= from - answerMsMax && at <= to + settleMs));
}

/** An edge that is back takes its releases over one by one. */
const settleMs = 3_000;

function ask(order: { routerUrl: string; host: string; agent: Agent; asked: VisitorRequest }): Promise<string> {
  const { hostname, port } = new URL(order.routerUrl);
  const { method, path } = order.asked;
  const body = order.asked.body === undefined ? undefined : JSON.stringify(order.asked.body);
  const headers = {
    host: order.host,
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve) => {
    const options = { agent: order.agent, hostname, port, method, path, headers, timeout: answerMsMax };
    const sent = request(options, (response) => {
      response.resume();
      response.once('end', () => resolve(String(response.statusCode)));
      response.once('error', () => resolve('broken'));
    });
    sent.once('timeout', () => sent.destroy(new Error('timeout')));
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(body);
  });
}
