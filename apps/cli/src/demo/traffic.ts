import { Agent, request } from 'node:http';
import type { DemoRequest } from './script.ts';

/** Users of a prototype, for as long as somebody should watch a canary. */
export interface Traffic {
  /** Ends it and waits for the answers that are still on their way. */
  stop(): Promise<TrafficCount>;
}

/** What the users got. `turnedAway` are pages of the router: a first release opens step by step. */
export interface TrafficCount {
  readonly sent: number;
  readonly failed: number;
  readonly turnedAway: number;
}

/** Where the requests go and how many. */
export interface TrafficOrder {
  readonly routerUrl: string;
  /** The lane's name; the router tells lanes apart by it. */
  readonly host: string;
  readonly requests: readonly DemoRequest[];
  readonly perSecond: number;
  readonly requestsMax: number;
}

/** Often enough that the load is even, rare enough to cost nothing. */
const BEAT_MS = 20;
/** A slow prototype gets no pile of open requests: users who see no answer do not ask again at once. */
const IN_FLIGHT_MAX = 64;
const ANSWER_TIMEOUT_MS = 5_000;

/** Starts to send at an even rate. Each request comes from another user: none brings a cookie. */
export function startTraffic(order: TrafficOrder): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT_MAX });
  const startedMs = performance.now();
  const count = { sent: 0, failed: 0, turnedAway: 0 };
  const open = new Set<Promise<void>>();
  let skipped = 0;
  const beat = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * order.perSecond) - skipped;
    const wanted = Math.min(due, order.requestsMax) - count.sent;
    const possible = Math.max(0, Math.min(wanted, IN_FLIGHT_MAX - open.size));
    // What could not be sent in time is not sent later: a burst would be another kind of traffic.
    skipped += Math.max(0, wanted - possible);
    for (let each = 0; each < possible; each += 1) {
      const asked = order.requests[count.sent % order.requests.length];
      count.sent += 1;
      if (asked === undefined) continue;
      const answer = ask(order, { agent, asked }).then((got) => {
        if (got === 'failed') count.failed += 1;
        if (got === 'turned_away') count.turnedAway += 1;
        open.delete(answer);
      });
      open.add(answer);
    }
  }, BEAT_MS);
  return {
    stop: async () => {
      clearInterval(beat);
      await Promise.all(open);
      agent.destroy();
      return { ...count };
    },
  };
}

type Got = 'answered' | 'failed' | 'turned_away';

function ask(order: TrafficOrder, { agent, asked }: { agent: Agent; asked: DemoRequest }): Promise<Got> {
  const { hostname, port } = new URL(order.routerUrl);
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  const { promise, resolve } = Promise.withResolvers<Got>();
  const sent = request(
    {
      ...{ agent, hostname, port, method: asked.method, path: asked.path, timeout: ANSWER_TIMEOUT_MS },
      headers: {
        host: order.host,
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    },
    (response) => {
      response.resume();
      response.once('error', () => resolve('failed'));
      response.once('end', () => {
        if ((response.statusCode ?? 500) < 500) resolve('answered');
        else resolve(response.headers['x-proviso-page'] === 'not_open' ? 'turned_away' : 'failed');
      });
    },
  );
  sent.once('timeout', () => sent.destroy());
  sent.once('error', () => resolve('failed'));
  sent.once('close', () => resolve('failed'));
  sent.end(body);
  return promise;
}
