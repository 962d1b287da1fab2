import { Agent, request } from 'node:http';

/** What one visitor can tell: whose answer it was and how it was. */
export interface Testimony {
  readonly sentAt: number;
  readonly endedAt: number;
  /** Whose answer it was; null when no release answered. */
  readonly version: string | null;
  /** 0 when there was no answer at all. */
  readonly status: number;
  /** Why there was none, as the socket said it; null with an answer. */
  readonly fault: string | null;
  /** What the visitor drew: a version answers badly whoever drew less than its share of bad answers. */
  readonly luck: number;
}

/** Visitors who tell what they met. Nobody brings a cookie, so each request is a person of its own, drawn anew. */
export interface Witnesses {
  /** Visitors per second of a lane; 0 sends them away. */
  readonly send: (host: string, perSecond: number) => void;
  /** One more visitor, who has all the time that a slow answer takes. */
  readonly ask: (host: string, path: string) => Promise<Testimony>;
  /** All that was told of a lane since it was last forgotten. */
  readonly told: (host: string) => readonly Testimony[];
  readonly forget: (host: string) => void;
  /** Visitors who did not come because too many were waiting. */
  readonly turnedBack: () => number;
  readonly stop: () => Promise<void>;
}

const beatMs = 25;
/** Cores that others keep busy have let visitors wait for five; whoever waits longer than this has met something that hangs. */
const answerMsMax = 20_000;
const slowMsMax = 60_000;
/** Of one lane: when nobody answers, those who wait are enough to tell it. */
const inFlightMax = 64;

interface Lane {
  perSecond: number;
  due: number;
  open: number;
  told: Testimony[];
}

/** Starts with no visitors anywhere. */
export function openWitnesses(routerUrl: string): Witnesses {
  const agent = new Agent({ keepAlive: true });
  const lanes = new Map<string, Lane>();
  const open = new Set<Promise<unknown>>();
  let turnedBack = 0;
  const laneOf = (host: string): Lane => {
    const lane = lanes.get(host) ?? { perSecond: 0, due: 0, open: 0, told: [] };
    lanes.set(host, lane);
    return lane;
  };
  const visit = (host: string, lane: Lane): void => {
    const luck = Math.random();
    lane.open += 1;
    const answer = ask({ routerUrl, agent, host, path: `/?luck=${luck}`, luck, timeoutMs: answerMsMax }).then(
      (told) => {
        lane.open -= 1;
        lane.told.push(told);
        open.delete(answer);
      },
    );
    open.add(answer);
  };
  const beat = setInterval(() => {
    for (const [host, lane] of lanes) {
      lane.due = Math.min(lane.due + (lane.perSecond * beatMs) / 1_000, lane.perSecond);
      for (; lane.due >= 1; lane.due -= 1) {
        if (lane.open < inFlightMax) visit(host, lane);
        else turnedBack += 1;
      }
    }
  }, beatMs);
  return {
    send: (host, perSecond) => {
      laneOf(host).perSecond = perSecond;
    },
    ask: async (host, path) => await ask({ routerUrl, agent, host, path, luck: 1, timeoutMs: slowMsMax }),
    told: (host) => laneOf(host).told,
    forget: (host) => {
      laneOf(host).told = [];
    },
    turnedBack: () => turnedBack,
    stop: async () => {
      clearInterval(beat);
      await Promise.all(open);
      agent.destroy();
    },
  };
}

interface Question {
  readonly routerUrl: string;
  readonly agent: Agent;
  readonly host: string;
  readonly path: string;
  readonly luck: number;
  readonly timeoutMs: number;
}

function ask({ routerUrl, agent, host, path, luck, timeoutMs }: Question): Promise<Testimony> {
  const sentAt = Date.now();
  return new Promise((resolve) => {
    const tell = (version: string | null, status: number, fault: string | null): void =>
      resolve({ sentAt, endedAt: Date.now(), version, status, fault, luck });
    const fail = (error: NodeJS.ErrnoException): void => {
      const reused = sent.reusedSocket ? ' on a connection that was open' : '';
      tell(null, 0, `${error.code ?? error.message}${reused}`);
    };
    const options = { agent, headers: { host }, timeout: timeoutMs };
    const sent = request(new URL(path, routerUrl), options, (response) => {
      const version = response.headers['x-version'];
      response.resume();
      response.once('end', () => tell(typeof version === 'string' ? version : null, response.statusCode ?? 0, null));
      response.once('error', fail);
    });
    sent.once('timeout', () => sent.destroy(new Error('timeout')));
    sent.once('error', fail);
    sent.end();
  });
}

/** How a visitor was failed, for a finding: when, after how long, by whom and why. */
export function failureInWords({ sentAt, endedAt, version, status, fault }: Testimony, sinceMs: number): string {
  return `${sentAt - sinceMs} ms in, after ${endedAt - sentAt} ms: ${status} of ${version ?? 'nobody'}${fault === null ? '' : `, ${fault}`}`;
}
