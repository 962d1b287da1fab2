import { Agent, request } from 'node:http';
import type { Visit } from './invariants/served.ts';

/** A request that visitors send; `body` makes it a POST. */
export interface VisitorRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Visitors of many lanes at once. */
export interface Visitors {
  /** Visitors per second of a lane; 0 sends them away. */
  readonly send: (host: string, perSecond: number) => void;
  /** From now on this lane has a release that must always answer. */
  readonly expectServed: (host: string) => void;
  readonly sent: () => number;
  /** Requests for the harmless page of lanes whose stable release must answer. */
  readonly toStable: () => readonly Visit[];
  /** Every request that was answered well. */
  readonly succeeded: () => readonly Visit[];
  readonly stop: () => Promise<void>;
}

const beatMs = 25;
const answerMsMax = 5_000;
/** Two cores serve all releases, the router and the judge: visitors who find nobody wait. */
const inFlightMax = 48;
/** Every so many requests of a lane one asks for a page that no version breaks: it tells how stable is served. */
const probeEvery = 5;
const harmless: VisitorRequest = { method: 'GET', path: '/healthz' };

/** Starts with no visitors anywhere. Nobody brings a cookie: each request is a person of its own. */
export function openVisitors(routerUrl: string, requests: readonly VisitorRequest[]): Visitors {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlightMax });
  const lanes = new Map<string, { perSecond: number; due: number; turn: number; served: boolean }>();
  const [toStable, succeeded]: [Visit[], Visit[]] = [[], []];
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
    const asked = lane.turn % probeEvery === 0 ? harmless : requests[lane.turn % requests.length];
    if (asked === undefined) return;
    const probes = asked.path === harmless.path;
    sent += 1;
    const served = lane.served;
    const sentAt = Date.now();
    const answer = ask({ routerUrl, host, agent, asked }).then((what) => {
      open.delete(answer);
      const visited = { host, sentAt, endedAt: Date.now(), what };
      if (probes && served) toStable.push(visited);
      if (what === '200') succeeded.push(visited);
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
    toStable: () => toStable,
    succeeded: () => succeeded,
    stop: async () => {
      clearInterval(beat);
      await Promise.all(open);
      agent.destroy();
    },
  };
}

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
