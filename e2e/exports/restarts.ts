import { join } from 'node:path';
import { onDrivenStage } from '../driven-stage.ts';
import { releasesIn, seenAtEdge } from '../edge-sight.ts';
import { eventually } from '../eventually.ts';
import { type Service, serviceOf } from '../invariants/served.ts';
import { type Driver, openDoors, promoteOnce, registered } from '../journey.ts';
import type { StageOptions } from '../stage.ts';
import { belongingsOf } from './belongings.ts';

/** What a storm needs. */
export interface RestartsOptions {
  readonly stage: Pick<StageOptions, 'codeRoot' | 'projectRoot'> & { readonly folder: string };
  readonly kills: number;
  readonly say: (line: string) => void;
}

/** What an edge that was killed over and over did to its releases and their users. */
export interface RestartsResult {
  readonly kills: number;
  /** Releases that were not taken over by the next edge as the very process they were. */
  readonly lost: readonly string[];
  /** Processes, ports, sockets and folders that belong to nobody, after the storm and after the edge's clean stop. */
  readonly ownerless: readonly string[];
  readonly stable: Service;
  readonly passed: boolean;
}

/** Users of each lane; together they are fifty a second. */
const visitorsPerSecond = 25;
const names = ['first-desk', 'second-desk'] as const;
/** Answers of the new edge that are waited for before the next kill, so that traffic meets each of them. */
const answersBetween = 20;

/** A share of users is enough here: the storm is about releases that are live. */
const policy = `policy: restarts
environment: production
gates:
  - gate: canary
    weights: [50]
    look: 250ms
    dwell: 250ms
    deadline: 3m
`;

/** Kills the edge again and again under traffic, and looks whether anybody lost a release or left anything behind. */
export async function restarts({ stage, kills, say }: RestartsOptions): Promise<RestartsResult> {
  const requests = [{ method: 'GET', path: '/healthz' }];
  return await onDrivenStage({ ...stage, policy, requests }, async (driver) => {
    await Promise.all(names.map((name) => goneLive(driver, name)));
    for (const name of names) driver.visitors.send(`${name}.localhost`, visitorsPerSecond);
    const belongings = belongingsOf(join(stage.folder, 'edge'));
    const lost: string[] = [];
    for (let kill = 1; kill <= kills; kill += 1) {
      belongings.note();
      const gone = await killed(driver);
      lost.push(...gone);
      say(`kill ${kill}: ${gone.length === 0 ? 'all releases adopted' : `lost ${gone.join(', ')}`}`);
    }
    await driver.visitors.stop();
    const after = await belongings.ownerless('running');
    await driver.stage.parts.edge.close();
    const ownerless = [...after, ...(await belongings.ownerless('stopped'))];
    const stable = serviceOf({
      toStable: driver.visitors.toStable(),
      succeeded: driver.visitors.succeeded(),
      strikes: driver.stage.parts.edge.absences().map(({ from }) => from),
    });
    const passed = lost.length + ownerless.length + stable.failed.length === 0;
    return { kills, lost, ownerless, stable, passed };
  });
}

/** The storm as text. */
export function restartsText({ kills, lost, ownerless, stable, passed }: RestartsResult): string {
  const downMs = stable.downtimes.map(({ from, to }) => to - from);
  const excused = stable.downtimes.reduce((sum, { failed }) => sum + failed, 0);
  return [
    `edge killed ${kills} times: ${lost.length} releases lost, ${ownerless.length} orphans`,
    `stable was asked ${stable.asked} times: failed ${stable.failed.length}, and ${excused} more while the edge was down (${Math.max(0, ...downMs)} ms at most)`,
    ...lost.map((each) => `lost: ${each}`),
    ...ownerless.map((each) => `orphan: ${each}`),
    `restarts ${passed ? 'passed' : 'FAILED'}`,
  ].join('\n');
}

async function goneLive(driver: Driver, name: string): Promise<void> {
  const doors = openDoors(driver);
  const prototype = await registered(doors, name);
  const { outcome, trouble } = await promoteOnce(driver, { doors, prototype, name, version: 'v1', plot: 'good' });
  if (outcome !== 'live') throw new Error(`expected ${name} to go live, got ${outcome ?? trouble ?? 'nothing'}`);
}

/** Kills the edge, starts the next one, and tells which releases it did not take over. */
async function killed({ stage, visitors }: Driver): Promise<readonly string[]> {
  const { edge } = stage.parts;
  const before = releasesIn(await seenAtEdge(stage)).map(({ release, pid }) => ({ release, pid }));
  if (before.length !== names.length) throw new Error(`expected ${names.length} releases, got ${before.length}`);
  await edge.kill();
  await edge.start();
  const startedAt = Date.now();
  const answered = (): number => visitors.succeeded().filter(({ sentAt }) => sentAt > startedAt).length;
  await eventually('users to be served again', async () => answered() >= answersBetween);
  const after = releasesIn(await seenAtEdge(stage));
  return before
    .filter(
      ({ release, pid }) => !after.some((now) => now.release === release && now.pid === pid && now.restarts === 0),
    )
    .map(({ release }) => release);
}
