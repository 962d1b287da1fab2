import { eventually } from '../eventually.ts';
import { askHost } from '../host-request.ts';
import type { Aims } from './aims.ts';
import { type Attack, attacksOf, type Phase } from './attack.ts';
import type { SeenRelease } from '../edge-sight.ts';

/** One hostile release under attack from within. */
export interface Siege {
  readonly phase: Phase;
  readonly routerUrl: string;
  readonly host: string;
  /** The gates' own: trials are for nobody else. */
  readonly pass: string;
  readonly aims: Aims;
  /** Files of ours that it tries to open for writing. */
  readonly kept: readonly string[];
  /** The release as the edge sees it now; null when there is none. */
  readonly seen: () => Promise<SeenRelease | null>;
  readonly say: (line: string) => void;
}

/** What a script has said so far. */
export interface Heard {
  readonly output: string;
  readonly over: boolean;
}

/** A thousand processes have taken a busy machine half a minute. */
const scriptMsMax = 60_000;
const shownMax = 200;
const openSockets = ['raw socket', 'packet socket', 'vsock'];

/** Tries to reach everything and to get rights that were not given; a process is left behind for the end. */
export async function reachOut(siege: Siege): Promise<readonly Attack[]> {
  const { phase, aims, kept } = siege;
  const reached = await runScript(siege, 'reach', JSON.stringify(aims.wish));
  const seized = await runScript(siege, 'seize', JSON.stringify([...kept, ...inside]));
  await runScript(siege, 'daemon', '', ({ output }) => output.length > 0);
  return reachingOf(phase, aims, { reached, seized });
}

/** What the two scripts said that take nothing, as attacks. */
export function reachingOf(
  phase: Phase,
  { aims }: Aims,
  heard: { readonly reached: Heard | null; readonly seized: Heard | null },
): readonly Attack[] {
  const seized = jsonOf<boolean>(heard.seized);
  const rights = (label: string, own: (name: string) => boolean): Attack => {
    const got = Object.entries(seized ?? {}).flatMap(([name, is]) => (is && own(name) ? [name] : []));
    return judged({ phase }, label, { told: seized !== null, held: got.length === 0, as: got.join(', ') || 'refused' });
  };
  return [
    ...attacksOf(phase, aims, jsonOf<string>(heard.reached)),
    rights('raw sockets', (name) => openSockets.includes(name)),
    rights('rights and foreign files', (name) => !openSockets.includes(name)),
  ];
}

/** Of its own sandbox, what it may not write. */
export const inside = [
  '/app/server.mjs',
  '/app/new',
  '/usr/bin/env',
  '/etc/passwd',
  '/new',
  '/proc/sys/kernel/hostname',
];

/** Takes all it can get of disk and processes, and then writes without end, which ends the release. */
export async function takeRoom(siege: Siege): Promise<readonly Attack[]> {
  const disk = await runScript(siege, 'fill-disk', '');
  const bomb = await runScript(siege, 'fork-bomb', '', ({ output }) => output.includes('}'));
  return [filledOf(siege, disk), forksOf(siege, bomb), await pour(siege)];
}

/** How much went into every folder that could be found. */
export function filledOf(siege: Pick<Siege, 'phase'>, disk: Heard | null): Attack {
  const written = Object.values(jsonOf<number>(disk) ?? {});
  const megabytes = Math.round(written.reduce((sum, bytes) => sum + bytes, 0) / (1 << 20));
  const held = Math.max(0, ...written) < filledBytesMax;
  return judged(siege, 'filling the disk', { told: megabytes > 0, held, as: `full at ${megabytes} MB` });
}

/** How many of a thousand processes there were to be had. */
export function forksOf(siege: Pick<Siege, 'phase'>, bomb: Heard | null): Attack {
  const { asked = 0, got = 0 } = jsonOf<number>(bomb) ?? {};
  return judged(siege, '1,000 forks', { told: asked > 0, held: got < asked, as: `${got} of ${asked}` });
}

/** Takes ten gigabytes: the kernel ends the greedy process, or the edge its release, whoever sees it first. */
export async function takeMemory(siege: Siege): Promise<readonly Attack[]> {
  const before = await eventually('the release to be ready', async () => {
    const seen = await siege.seen();
    return seen?.state === 'ready' && seen;
  });
  const heard = await runScript(siege, 'eat-memory', '');
  const after = await siege.seen();
  const isEnded = after === null || after.reason !== undefined || after.restarts > before.restarts;
  return [memoryOf(siege, { heard, isEnded })];
}

/** How far a process came on its way to ten gigabytes. */
export function memoryOf(
  siege: Pick<Siege, 'phase'>,
  { heard, isEnded }: { readonly heard: Heard | null; readonly isEnded: boolean },
): Attack {
  const megabytes = heard?.output.trim().split('\n').at(-1) ?? '';
  const told = isEnded || /^\d+$/.test(megabytes);
  const as = isEnded ? 'its release ended' : `ended at ${megabytes} MB`;
  return judged(siege, '10 GB of memory', { told, held: !heard?.output.includes('all of it'), as });
}

/** An attack about which nothing was told has proven nothing. */
export function judged(
  { phase }: Pick<Siege, 'phase'>,
  label: string,
  { told, held, as }: { readonly told: boolean; readonly held: boolean; readonly as: string },
): Attack {
  if (!told) return { label, phase, outcome: 'no answer', verdict: 'unproven' };
  return { label, phase, outcome: as, verdict: held ? 'kept away' : 'reached' };
}

/** As much as the script wants of each folder: whoever gets it was not bounded. */
const filledBytesMax = 2 ** 31;

/** Writes without end until the edge has had enough. */
async function pour(siege: Siege): Promise<Attack> {
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

async function runScript(
  siege: Siege,
  name: string,
  argument: string,
  isDone: (heard: Heard) => boolean = ({ over }) => over,
): Promise<Heard | null> {
  const path = `/attacks/${name}`;
  try {
    const { status, text } = await askHost({ ...siege, path, body: argument });
    if (status !== 202) throw new Error(`expected it to begin, got status ${status}: ${text.slice(0, shownMax)}`);
    return await eventually(
      `${name} to be done`,
      async () => {
        const { status, text } = await askHost({ ...siege, path });
        // A release that was ended meanwhile knows nothing of it.
        if (status === 404) return { output: '', over: true };
        if (status !== 200) return null;
        const heard: Heard = JSON.parse(text);
        return isDone(heard) || heard.over ? heard : null;
      },
      scriptMsMax,
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
