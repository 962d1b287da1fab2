import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { uploadedCandidate } from './candidate.ts';
import { openDoor, Refused, type Acknowledged, type Door } from './door.ts';
import { archiveOf, type VersionOrder } from './release-archive.ts';
import type { Stage } from './stage.ts';
import type { Visitors } from './visitors.ts';

/** What is promoted and how it must end. `recalled`: a person takes a good version back while it is a canary. */
export type Plot = 'good' | 'flaky' | 'recalled';

/** How a promotion of a plot must end. */
export const rightEnd: Readonly<Record<Plot, string>> = { good: 'live', flaky: 'rolled_back', recalled: 'rolled_back' };

/** One promotion as the driver followed it. */
export interface Journey {
  readonly promotion: string;
  readonly prototype: string;
  readonly plot: Plot;
  readonly openedAt: number;
  endedAt: number | null;
  outcome: string | null;
  /** Times a person had to ask for a gate again because nothing could be told. */
  reruns: number;
  trouble: string | null;
}

/** Everything a driver of promotions needs. */
export interface Driver {
  readonly stage: Stage;
  readonly examples: string;
  readonly policy: string;
  readonly visitors: Visitors;
  readonly ledger: Acknowledged[];
  readonly journeys: Journey[];
  readonly signal: AbortSignal;
  /** Asked when a vote is wanted; the vote waits while this is true, so that promotions can be caught at the approval. */
  readonly votesHeld: () => boolean;
}

/** A promotion as its readers see it, the part that drivers need. */
export interface PromotionDocument {
  readonly id: string;
  readonly state: string;
  readonly headline: string;
  readonly at: string | null;
  readonly outcome: string | null;
  readonly canary: { readonly weight: number };
  readonly lane: { readonly id: string; readonly host: string; readonly held: boolean } | null;
  readonly gates: readonly GateDocument[];
}

interface GateDocument {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly attempt: number;
  readonly artifactDigest: string;
  readonly evidenceDigest: string | null;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
}

const pollMs = 400;
/** Whatever was killed meanwhile: nothing may take longer than this from opening to its end. */
const journeyMsMax = 240_000;
/** Enough to judge a canary in seconds, little enough for two cores. */
const canaryVisitors = 40;
const stableVisitors = 3;

/** True when it has come to an end of any kind. */
export function isOver({ outcome }: Journey): boolean {
  return outcome !== null;
}

/** Everybody's doors; the ledger gets what any of them was told. */
export function openDoors({ stage, ledger }: Pick<Driver, 'stage' | 'ledger'>) {
  const { people } = stage.cast;
  const door = (key: 'bea' | 'sam' | 'olga'): Door => openDoor(stage.apiUrl, people[key], ledger);
  return { bea: door('bea'), sam: door('sam'), olga: door('olga') };
}

/** Everybody's doors. */
export type Doors = ReturnType<typeof openDoors>;

/** Promotes version after version of one prototype until the signal; every promotion gets a line in `journeys`. */
export async function keepPromoting(driver: Driver, name: string, plots: readonly Plot[]): Promise<void> {
  const doors = openDoors(driver);
  const prototype = await registered(doors, name);
  for (let turn = 0; !driver.signal.aborted; turn += 1) {
    const plot = plots[turn % plots.length];
    if (plot === undefined) return;
    await promoteOnce(driver, { doors, prototype, name, version: `v${turn + 1}`, plot });
  }
}

/** A prototype under this name; an operator vouches for it unless told otherwise. */
export async function registered(doors: Pick<Doors, 'bea' | 'olga'>, name: string, trusted = true): Promise<string> {
  const { id } = await doors.bea.post<{ id: string }>('/v1/prototypes', { name });
  if (trusted) await doors.olga.post(`/v1/prototypes/${id}/trust`, { trusted: true });
  return id;
}

/** One version on its way. */
export interface Errand {
  readonly doors: Doors;
  readonly prototype: string;
  readonly name: string;
  readonly version: string;
  readonly plot: Plot;
}

/** Uploads, opens, votes, sends visitors and waits for the end; trouble is written down and never thrown. */
export async function promoteOnce(
  driver: Driver,
  errand: Errand,
  opened: (promotion: string) => void = () => undefined,
): Promise<Journey> {
  const { name, version, plot } = errand;
  const exampleFolder = join(driver.examples, plot === 'flaky' ? 'flaky' : 'good');
  const promotion = await uploaded(driver, { ...errand, archive: { exampleFolder, name, version } });
  opened(promotion);
  return await followedToEnd(driver, errand, promotion);
}

/** Votes on an open promotion, sends visitors to it and waits for its end; trouble is written down and never thrown. */
export async function followedToEnd(
  driver: Driver,
  errand: Pick<Errand, 'doors' | 'name' | 'plot'>,
  promotion: string,
): Promise<Journey> {
  const journey: Journey = {
    ...{ promotion, prototype: errand.name, plot: errand.plot, openedAt: Date.now() },
    ...{ endedAt: null, outcome: null, reruns: 0, trouble: null },
  };
  driver.journeys.push(journey);
  try {
    await followed(driver, errand, journey);
  } catch (error) {
    journey.trouble = error instanceof Error ? error.message : String(error);
    journey.endedAt = Date.now();
  }
  return journey;
}

/** Uploads a version and opens its promotion. */
export async function uploaded(
  driver: Driver,
  { doors, prototype, archive }: Pick<Errand, 'doors' | 'prototype'> & { readonly archive: VersionOrder },
): Promise<string> {
  const version = { prototype, version: archive.version, archive: archiveOf(archive) };
  const candidate = await uploadedCandidate(doors.bea, version);
  const body = { prototype, candidate, policy: driver.policy };
  return (await doors.bea.post<{ id: string }>('/v1/promotions', body)).id;
}

async function followed(driver: Driver, errand: Pick<Errand, 'doors' | 'plot'>, journey: Journey): Promise<void> {
  const { doors } = errand;
  for (;;) {
    const found = await doors.bea.get<PromotionDocument>(`/v1/promotions/${journey.promotion}`);
    const { lane } = found;
    if (lane !== null) driver.visitors.send(lane.host, found.at === 'canary' ? canaryVisitors : stableVisitors);
    if (found.outcome !== null) return await ended(driver, errand, { journey, found });
    if (Date.now() - journey.openedAt > journeyMsMax) {
      const said = found.gates.flatMap(({ name, reasons }) =>
        reasons.map(({ code, message }) => `${name} ${code}: ${message}`),
      );
      throw new Error(`expected an end within ${journeyMsMax} ms, got ${found.state}: ${said.join('; ')}`);
    }
    await helped(driver, errand, { journey, found });
    await pause(pollMs);
  }
}

/** Does what people do: vote where a vote is wanted, ask again where nothing could be told, take back what they regret. */
async function helped(
  driver: Driver,
  { doors, plot }: Pick<Errand, 'doors' | 'plot'>,
  { journey, found }: { journey: Journey; found: PromotionDocument },
): Promise<void> {
  const waiting = found.gates.find((gate) => gate.status === 'waiting');
  if (waiting !== undefined && !driver.votesHeld()) await voted(doors, waiting);
  const stuck = found.gates.find((gate) => gate.status === 'inconclusive');
  if (stuck !== undefined) {
    journey.reruns += 1;
    await expected(doors.olga.post(`/v1/gates/${stuck.id}/rerun`, {}));
  }
  if (plot === 'recalled' && found.canary.weight > 0) {
    await expected(doors.olga.post(`/v1/promotions/${found.id}/rollback`, { reason: 'changed my mind' }));
  }
}

/** Everybody's vote on what the gate shows. */
export async function voted(doors: Doors, gate: GateDocument): Promise<void> {
  const body = {
    verdict: 'approve',
    reason: 'looked at the evidence',
    attempt: gate.attempt,
    artifactDigest: gate.artifactDigest,
    evidenceDigest: gate.evidenceDigest,
  };
  // At the same time on purpose: two votes that close one quorum are the race worth having. The builder's own must not count.
  await Promise.all([
    expected(doors.bea.post(`/v1/gates/${gate.id}/decisions`, body)),
    expected(doors.sam.post(`/v1/gates/${gate.id}/decisions`, body)),
    expected(doors.olga.post(`/v1/gates/${gate.id}/decisions`, body)),
  ]);
}

/** A refusal that says that the matter has moved on is no trouble. */
async function expected(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof Refused) || error.status >= 500) throw error;
  }
}

async function ended(
  driver: Driver,
  { doors }: Pick<Errand, 'doors'>,
  { journey, found }: { journey: Journey; found: PromotionDocument },
): Promise<void> {
  journey.outcome = found.outcome;
  journey.endedAt = Date.now();
  if (found.outcome === 'live' && found.lane !== null) driver.visitors.expectServed(found.lane.host);
  // A way back holds the lane until a person has thought about it; this one thinks quickly.
  if (found.lane !== null && found.outcome === 'rolled_back') {
    await expected(doors.olga.post(`/v1/lanes/${found.lane.id}/resume`, { reason: 'on with the next version' }));
  }
}
