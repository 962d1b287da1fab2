import { setInterval as ticks } from 'node:timers/promises';
import {
  type BareVisitor,
  bareVisitor,
  goingAway,
  handshakeOf,
  streamingSource,
} from '../../apps/edge/src/streaming-fixture.ts';
import { packed, uploadedCandidate } from '../candidate.ts';
import { onDrivenStage } from '../driven-stage.ts';
import { eventually } from '../eventually.ts';
import { askHost } from '../host-request.ts';
import { type Doors, type Driver, followedToEnd, openDoors, registered } from '../journey.ts';
import type { StageOptions } from '../stage.ts';

/** What a change of releases did to everybody who was there. */
export interface SwitchResult {
  readonly asked: number;
  /** What was answered instead of a page of either version. */
  readonly lost: readonly string[];
  readonly webSockets: Ends;
  readonly eventStreams: Ends;
  readonly passed: boolean;
}

/** Connections that were open to the old release. */
interface Ends {
  readonly open: number;
  /** Closed before the new release had all users. */
  readonly early: number;
  /** Ended by the edge as the protocol wants it. */
  readonly proper: number;
}

const name = 'changing';
const host = `${name}.localhost`;
const streams = 10;
/** Five a beat are two hundred a second. */
const beatMs = 25;
const perBeat = 5;
/** Every so many requests one takes 300 ms at the release, so that some are under way at each change. */
const slowEvery = 3;
/** What is open at an old release gets half a minute, and a busy machine a moment more. */
const drainMsMax = 45_000;

const policy = `policy: switch
environment: production
gates:
  - gate: canary
    weights: [25, 50]
    look: 250ms
    dwell: 500ms
    deadline: 3m
`;

/** Promotes a second version to live under load; nobody may lose a request, and streams end only when they have to. */
export async function switchUnderLoad(stage: Omit<StageOptions, 'policy'>): Promise<SwitchResult> {
  return await onDrivenStage({ ...stage, policy, requests: [{ method: 'GET', path: '/' }] }, async (driver) => {
    const doors = openDoors(driver);
    const prototype = await registered(doors, name);
    await goneLive(driver, { doors, prototype, version: 'v1' });
    const { port } = new URL(driver.stage.routerUrl);
    const open = (first: string): readonly BareVisitor[] =>
      Array.from({ length: streams }, () => bareVisitor(Number(port), first));
    const talkers = open(handshakeOf(host));
    const readers = open(`GET /events HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    const all = [...talkers, ...readers];
    await eventually('all to be open', async () => all.every(({ heard }) => heard().includes('x-name: v1')));
    const load = openLoad(driver.stage.routerUrl);
    await goneLive(driver, { doors, prototype, version: 'v2' });
    const early = { webSockets: overOf(talkers), eventStreams: overOf(readers) };
    await eventually('the drain', async () => overOf(all) === all.length, drainMsMax).catch(() => null);
    const { asked, lost } = await load.end();
    const webSockets = { open: streams, early: early.webSockets, proper: properOf(talkers) };
    const eventStreams = { open: streams, early: early.eventStreams, proper: properOf(readers) };
    const areProper = [webSockets, eventStreams].every((ends) => ends.early === 0 && ends.proper === streams);
    return { asked, lost, webSockets, eventStreams, passed: lost.length === 0 && areProper };
  });
}

/** The change as text. */
export function switchText({ asked, lost, webSockets, eventStreams, passed }: SwitchResult): string {
  const ends = (what: string, { open, early, proper }: Ends): string =>
    `${open} ${what}: ${early} ended before the change was done, ${proper} properly by the drain`;
  return [
    `releases changed under ${(1_000 / beatMs) * perBeat} requests a second: lost ${lost.length} of ${asked}`,
    ends('WebSockets', webSockets),
    ends('event streams', eventStreams),
    ...lost.slice(0, shownMax).map((each) => `lost: ${each}`),
    `switch ${passed ? 'passed' : 'FAILED'}`,
  ].join('\n');
}

/** More of the same help nobody. */
const shownMax = 10;

/** The last bytes that a WebSocket and an event stream get from an edge that ends them. */
const endings = [goingAway, '0\r\n\r\n'];

function properOf(visitors: readonly BareVisitor[]): number {
  return visitors.filter(({ heard }) => endings.some((end) => heard().endsWith(end))).length;
}

/** Properly or not; the connection of a stream that has ended may stay, for the next request. */
function overOf(visitors: readonly BareVisitor[]): number {
  return visitors.filter((visitor) => visitor.isClosed() || properOf([visitor]) > 0).length;
}

/** Asks until it is told to end, whether or not earlier answers have come. */
function openLoad(routerUrl: string): { readonly end: () => Promise<{ asked: number; lost: readonly string[] }> } {
  const answers: Promise<string | null>[] = [];
  const over = new AbortController();
  const ask = async (path: string): Promise<string | null> => {
    try {
      const { status, text } = await askHost({ routerUrl, host, path });
      return status === 200 && ['v1', 'v2'].includes(text) ? null : `${path}: status ${status}`;
    } catch (error) {
      return `${path}: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  const asking = (async () => {
    for await (const _beat of ticks(beatMs)) {
      if (over.signal.aborted) return;
      for (let index = 0; index < perBeat; index += 1)
        answers.push(ask(answers.length % slowEvery === 0 ? '/slow' : '/'));
    }
  })();
  return {
    end: async () => {
      over.abort();
      await asking;
      const lost = (await Promise.all(answers)).filter((each) => each !== null);
      return { asked: answers.length, lost };
    },
  };
}

async function goneLive(
  driver: Driver,
  { doors, prototype, version }: { readonly doors: Doors; readonly prototype: string; readonly version: string },
): Promise<void> {
  const archive = packed({ 'server.mjs': streamingSource, 'proviso.yaml': contractOf(version), 'cases.yaml': '[]' });
  const candidate = await uploadedCandidate(doors.bea, { prototype, version, archive });
  const body = { prototype, candidate, policy: driver.policy };
  const { id } = await doors.bea.post<{ id: string }>('/v1/promotions', body);
  const { outcome, trouble } = await followedToEnd(driver, { doors, name, plot: 'good' }, id);
  if (outcome !== 'live') throw new Error(`expected ${version} to go live, got ${outcome ?? trouble ?? 'nothing'}`);
}

function contractOf(version: string): string {
  return `prototype: ${name}
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run: { kind: node, start: [server.mjs], environment: { NAME: ${version} } }
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.1 }
`;
}
