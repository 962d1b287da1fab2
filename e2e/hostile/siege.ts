import { eventually } from '../eventually.ts';
import { askHost } from '../host-request.ts';
import type { Aims } from './aims.ts';
import { type Attempt, attemptsOf, type Phase } from './attempt.ts';
import type { SeenRelease } from './edge-sight.ts';

/** One hostile release under attack from within. */
export interface Siege {
  readonly phase: Phase;
  readonly routerUrl: string;
  readonly host: string;
  readonly aims: Aims;
  /** Files of ours that it tries to open for writing. */
  readonly kept: readonly string[];
  /** The release as the edge sees it now; null when there is none. */
  readonly seen: () => Promise<SeenRelease | null>;
  readonly say: (line: string) => void;
}

interface Heard {
  readonly output: string;
  readonly over: boolean;
}

/** A thousand processes have taken a busy machine half a minute. */
const attackMsMax = 60_000;
const openSockets = ['raw socket', 'packet socket', 'vsock'];

/** Tries to reach everything and to get rights that were not given; a process is left behind for the end. */
export async function reachOut(siege: Siege): Promise<readonly Attempt[]> {
  const { phase, aims, kept } = siege;
  const reached = jsonOf<string>(await attack(siege, 'reach', JSON.stringify(aims.wish)));
  const seized = jsonOf<boolean>(await attack(siege, 'seize', JSON.stringify([...kept, ...inside])));
  await attack(siege, 'daemon', '', ({ output }) => output.length > 0);
  const rights = (label: string, own: (name: string) => boolean): Attempt => {
    const got = Object.entries(seized ?? {}).flatMap(([name, is]) => (is && own(name) ? [name] : []));
    if (seized === null) return { label, phase, outcome: 'no answer', verdict: 'unproven' };
    return { label, phase, outcome: got.join(', ') || 'refused', verdict: got.length > 0 ? 'reached' : 'kept away' };
  };
  return [
    ...attemptsOf(phase, aims.aims, reached),
    rights('raw sockets', (name) => openSockets.includes(name)),
    rights('rights and foreign files', (name) => !openSockets.includes(name)),
  ];
}

/** Of its own sandbox, what it may not write. */
const inside = ['/app/server.mjs', '/app/new', '/usr/bin/env', '/etc/passwd', '/new', '/proc/sys/kernel/hostname'];

/** Takes all it can get of the machine; the worst comes last, since it may end the release. */
export async function takeEverything(siege: Siege): Promise<readonly Attempt[]> {
  const disk = jsonOf<number>(await attack(siege, 'fill-disk', ''));
  const memory = await attack(siege, 'eat-memory', '');
  const bomb = jsonOf<number>(await attack(siege, 'fork-bomb', '', ({ output }) => output.includes('}')));
  const megabytes = Math.round(Object.values(disk ?? {}).reduce((sum, bytes) => sum + bytes, 0) / (1 << 20));
  const row = (label: string, told: boolean, isHeld: boolean, outcome: string): Attempt =>
    told
      ? { label, phase: siege.phase, outcome, verdict: isHeld ? 'kept away' : 'reached' }
      : { label, phase: siege.phase, outcome: 'no answer', verdict: 'unproven' };
  const eaten = Number(/(\d+)\s*(?!.*\d)/s.exec(memory?.output ?? '')?.[1] ?? 0);
  const { asked = 0, got = 0 } = bomb ?? {};
  return [
    row('filling the disk', disk !== null && megabytes > 0, megabytes < filledMbMax, `full at ${megabytes} MB`),
    row('10 GB of memory', eaten > 0, !memory?.output.includes('all of it'), `ended at ${eaten} MB`),
    row('1,000 forks', asked > 0, got < asked, `${got} of ${asked}`),
    await pour(siege),
  ];
}

/** More than its own scratch folders may hold together would be somebody else's disk. */
const filledMbMax = 512;

/** Writes without end until the edge has had enough. */
async function pour(siege: Siege): Promise<Attempt> {
  const label = 'output without end';
  const before = await siege.seen();
  await askHost({ ...siege, path: '/flood' }).catch(() => null);
  const ended = await eventually('the flood to be ended', async () => {
    const now = await siege.seen();
    return now === null || now.restarts > (before?.restarts ?? 0) || now.reason !== undefined ? { now } : null;
  }).catch(() => null);
  if (ended === null) return { label, phase: siege.phase, outcome: 'went on', verdict: 'reached' };
  return { label, phase: siege.phase, outcome: ended.now?.reason ?? 'ended', verdict: 'kept away' };
}

async function attack(
  siege: Siege,
  name: string,
  argument: string,
  isDone: (heard: Heard) => boolean = ({ over }) => over,
): Promise<Heard | null> {
  const path = `/attacks/${name}`;
  try {
    await askHost({ ...siege, path, body: argument });
    return await eventually(
      `${name} to be done`,
      async () => {
        const { status, text } = await askHost({ ...siege, path });
        // A release that was ended meanwhile knows nothing of it.
        if (status === 404) return { output: '', over: true };
        const heard: Heard = JSON.parse(text);
        return isDone(heard) || heard.over ? heard : null;
      },
      attackMsMax,
    );
  } catch (error) {
    siege.say(`${siege.phase}: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** A script's one line of JSON; null when it said something else, or nothing. */
function jsonOf<Value>(heard: Heard | null): Readonly<Record<string, Value>> | null {
  try {
    return JSON.parse(heard?.output ?? '');
  } catch {
    return null;
  }
}
