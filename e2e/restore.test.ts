import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkWorld } from './checker.ts';
import { type Doors, type Driver, openDoors, type PromotionDocument, registered, uploaded, voted } from './journey.ts';
import { openOwnStage, type OwnStage } from './own-stage.ts';
import { projectRoot } from './project-root.ts';
import { journalOf, worldOf } from './storm.ts';
import { openVisitors, type VisitorRequest } from './visitors.ts';

const examples = join(projectRoot, 'examples', 'helpdesk');
/** Alone it takes three quarters of a minute; other tests may keep both cores busy meanwhile. */
const testMsMax = 240_000;
const eachMsMax = 90_000;

/** A person and a canary: all that moves a lane. */
const policy = `policy: restore
environment: production
gates:
  - gate: approval
    requirements:
      - from: role/operator
        count: 1
    expires: 1h
  - gate: canary
    weights: [25, 50]
    look: 250ms
    dwell: 500ms
    deadline: 3m
    attemptsMax: 10
`;

let stage: OwnStage;
let doors: Doors;
let driver: Driver;

beforeAll(async () => {
  stage = await openOwnStage('restore', { policy });
  const requests = JSON.parse(readFileSync(join(examples, 'traffic.json'), 'utf8')) as VisitorRequest[];
  driver = {
    ...{ stage, examples, visitors: openVisitors(stage.routerUrl, requests), ledger: [], journeys: [] },
    ...{ policy: stage.cast.policies.restore?.id ?? '', signal: new AbortController().signal, votesHeld: () => false },
  };
  doors = openDoors(driver);
}, testMsMax);

afterAll(async () => {
  await driver.visitors.stop();
  await stage.close();
}, testMsMax);

async function until<Found>(what: string, look: () => Promise<Found | null | false>): Promise<Found> {
  const deadline = performance.now() + eachMsMax;
  for (;;) {
    const found = await look().catch(() => null);
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${eachMsMax} ms`);
    await pause(100);
  }
}

function reached(promotion: string, what: string, is: (shown: PromotionDocument) => boolean) {
  return until(`${promotion} to be ${what}`, async () => {
    const shown = await doors.bea.get<PromotionDocument>(`/v1/promotions/${promotion}`);
    return is(shown) && shown;
  });
}

async function opened(prototype: string, name: string, version: string): Promise<string> {
  const archive = { exampleFolder: join(examples, 'good'), name, version };
  return await uploaded(driver, { doors, prototype, archive });
}

async function approved(promotion: string): Promise<void> {
  const { gates } = await reached(promotion, 'asked about', (one) => one.gates[0]?.status === 'waiting');
  const [gate] = gates;
  if (gate !== undefined) await voted(doors, gate);
}

const atShare = (promotion: string) => reached(promotion, 'at a share of 25', ({ canary }) => canary.weight === 25);
const live = (promotion: string) => reached(promotion, 'live', ({ outcome }) => outcome === 'live');

interface Served {
  readonly lane: string;
  readonly fence: { readonly incarnation: number; readonly counter: number };
  readonly weightServedPercent: number;
  readonly parked: boolean;
}

/** What the edge serves in the lane of this promotion. */
function served(promotion: PromotionDocument, what: string, is: (served: Served) => boolean): Promise<Served> {
  return until(`the edge to serve ${what}`, async () => {
    const headers = { authorization: `Bearer ${stage.control.token}` };
    const response = await fetch(`${stage.control.url}/lanes/${promotion.lane?.id}`, { headers });
    const lane = (await response.json()) as Served;
    return is(lane) && lane;
  });
}

/** The first event, after the greeting, for a reader who has seen this id. */
async function firstEvent(lastSeen: string): Promise<{ readonly kind: string; readonly id: string }> {
  const headers = { authorization: `Bearer ${stage.cast.people.olga.token}`, 'last-event-id': lastSeen };
  const response = await fetch(`${stage.apiUrl}/v1/events`, { headers, signal: AbortSignal.timeout(5_000) });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    const found = /^event: (\w+)\nid: (\S+)$/m.exec(text);
    if (found?.[1] !== undefined && found[2] !== undefined) return { kind: found[1], id: found[2] };
  }
  throw new Error('expected an event, got the end');
}

const data = (): string => join(stage.folder, 'postgres');
const backup = (): string => join(stage.folder, 'backup');

/** With owners and modes: PostgreSQL refuses a folder that belongs to somebody else. */
function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** A copy of the folder of the stopped database; everything else runs on. */
async function backUp(): Promise<void> {
  await stage.parts.postgres.close();
  copyFolder(data(), backup());
  await stage.parts.postgres.start();
}

/** As the operating manual says: API and worker are stopped, the edge keeps its folder, PostgreSQL is put back. */
async function restore(): Promise<void> {
  const { api, worker, edge, postgres } = stage.parts;
  for (const part of [worker, api, edge, postgres]) await part.close();
  rmSync(data(), { recursive: true });
  copyFolder(backup(), data());
  for (const part of [postgres, api, edge]) await part.start();
}

it(
  'after a restore the edge follows the older orders with the folder it has, and what was open ends right',
  async () => {
    const [kept, asked] = [await registered(doors, 'kept'), await registered(doors, 'asked')];
    const first = await opened(kept, 'kept', 'v1');
    await approved(first);
    driver.visitors.send('kept.localhost', 40);
    await live(first);
    driver.visitors.send('kept.localhost', 0);
    const second = await opened(kept, 'kept', 'v2');
    await approved(second);
    await served(await atShare(second), 'a quarter', (lane) => lane.weightServedPercent === 25);
    const waiting = await opened(asked, 'asked', 'v1');
    const seen = await firstEvent('of.nothing');
    await backUp();

    // A future that will not have been: the open canary goes live, the open approval becomes a canary.
    await approved(waiting);
    driver.visitors.send('kept.localhost', 40);
    await live(second);
    await served(await atShare(waiting), 'a quarter', (lane) => lane.weightServedPercent === 25);
    driver.visitors.send('kept.localhost', 0);
    const lost = await firstEvent('of.nothing');
    await restore();
    driver.ledger.length = 0;

    // Nobody judges yet: the restored share must not be served, and the lost canary is gone.
    const [half, none] = [await atShare(second), await reached(waiting, 'asked about', ({ at }) => at === 'approval')];
    const parked = await served(half, 'the restored lane', ({ fence }) => fence.incarnation === 2);
    expect(parked).toMatchObject({ weightServedPercent: 0, parked: true });
    const gone = await served(none, 'the restored lane', ({ fence }) => fence.incarnation === 2);
    expect(gone).toMatchObject({ weightServedPercent: 0, parked: false });
    expect((await firstEvent(lost.id)).kind).toBe('reset');

    await stage.parts.worker.start();
    await until('a log of its own', async () => (await firstEvent(seen.id)).kind === 'reset');
    expect((await firstEvent(seen.id)).id.split('.')[0]).not.toBe(seen.id.split('.')[0]);
    await approved(waiting);
    for (const host of ['kept.localhost', 'asked.localhost']) driver.visitors.send(host, 40);
    await Promise.all([live(second), live(waiting)]);
    const found = [...(await checkWorld(worldOf(stage))), ...(await journalOf(driver)).findings];
    expect(found).toEqual([]);
    const settled = await served(half, 'the end', ({ weightServedPercent }) => weightServedPercent === 0);
    expect(settled.fence.incarnation).toBe(2);
  },
  testMsMax,
);
