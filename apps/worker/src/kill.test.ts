import { join } from 'node:path';
import { createDatabase, startPostgres, startTemporal } from '@proviso/testkit';
import { workflowIdOf } from '@proviso/workflow';
import { connectClient } from './opening.ts';
import { freezePrototype } from './prototype-folder.contract.ts';
import { startWorker, untilTrue, workerSettings } from './worker-process.contract.ts';
import { openWorld, type World } from './world.contract.ts';

let postgres: Awaited<ReturnType<typeof startPostgres>>;
let temporal: Awaited<ReturnType<typeof startTemporal>>;
let world: World;
let settings: Readonly<Record<string, string>>;

/** A durable database: the process refuses any other. */
beforeAll(async () => {
  [postgres, temporal] = await Promise.all([startPostgres(), startTemporal()]);
  const database = await createDatabase(postgres.url);
  world = await openWorld({ database });
  settings = {
    ...(await workerSettings(database)),
    PROVISO_TEMPORAL_ADDRESS: temporal.address,
    PROVISO_EVIDENCE: world.evidenceFolder,
    PROVISO_EDGE_CONTROL_URL: world.edge.controlUrl,
    PROVISO_EDGE_URL: world.edge.routerUrl,
  };
}, 60_000);

afterAll(async () => {
  await world.close();
  await Promise.all([postgres.stop(), temporal.stop()]);
}, 60_000);

// The whole matrix of points and processes is the business of `e2e`; here the worker's own two hardest.
it('is killed between claim and act, and inside a look, and the promotion ends right all the same', async () => {
  const artifact = await freezePrototype(world.ports.evidence);
  const { promotion } = await world.promote(await world.openPrototype(), artifact, { lookMs: 200, dwellMs: 1_000 });
  const stateOf = async () => (await world.view(promotion)).state;
  const dying = (point: string) =>
    startWorker({ ...settings, PROVISO_FAULT: point, PROVISO_FAULT_ONCE: join(world.evidenceFolder, `${point}.once`) });

  const first = dying('after_claim');
  expect((await first.ended).signal).toBe('SIGKILL');
  const second = dying('inside_look');
  const asked = async () => (await stateOf()).gates.find(({ name }) => name === 'approval')?.status === 'waiting';
  await untilTrue(asked, () => second.lines);
  await world.approve(promotion);
  expect((await second.ended).signal).toBe('SIGKILL');
  const third = startWorker(settings);
  await untilTrue(
    async () => (await stateOf()).outcome !== null,
    () => third.lines,
  );
  expect(await stateOf()).toMatchObject({ outcome: 'live', weight: 100 });
  for (const gate of (await stateOf()).gates) expect([gate.name, gate.attempt]).toEqual([gate.name, 1]);
  const client = await connectClient(temporal.address, 'default');
  const handle = client.workflow.getHandle(workflowIdOf(promotion));
  expect(await handle.result()).toBe('live');
  const events = (await handle.fetchHistory()).events?.length ?? Number.POSITIVE_INFINITY;
  process.stdout.write(`history events of a promotion with two kills: ${events}\n`);
  expect(events).toBeLessThanOrEqual(120);
  third.child.kill('SIGTERM');
  expect(await third.ended).toEqual({ code: 0, signal: null });
}, 120_000);

it('carries on when Temporal is killed and comes back without its database', async () => {
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': 'second\n' });
  const { promotion } = await world.promote(await world.openPrototype(), artifact);
  const stateOf = async () => (await world.view(promotion)).state;
  const worker = startWorker(settings);
  const asked = async () => (await stateOf()).gates.find(({ name }) => name === 'approval')?.status === 'waiting';
  await untilTrue(asked, () => worker.lines);
  const port = Number(temporal.address.split(':')[1]);
  await temporal.kill();
  // Decided while Temporal is away: durable in the journal, and done when there is a Temporal again.
  await world.approve(promotion);
  temporal = await startTemporal({ port });
  const ended = async () => (await stateOf()).outcome !== null;
  await untilTrue(ended, () => worker.lines);
  expect(await stateOf()).toMatchObject({ outcome: 'live' });
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toEqual({ code: 0, signal: null });
}, 120_000);

it('takes a worker that is stopped in the middle of a canary for no reason to roll back', async () => {
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': 'third\n' });
  const { promotion } = await world.promote(await world.openPrototype(), artifact, { dwellMs: 2_000 });
  const stateOf = async () => (await world.view(promotion)).state;
  const first = startWorker(settings);
  const asked = async () => (await stateOf()).gates.find(({ name }) => name === 'approval')?.status === 'waiting';
  await untilTrue(asked, () => first.lines);
  await world.approve(promotion);
  const ramping = async () => (await stateOf()).weight > 0;
  await untilTrue(ramping, () => first.lines);
  first.child.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  const second = startWorker(settings);
  const ended = async () => (await stateOf()).outcome !== null;
  await untilTrue(ended, () => second.lines);
  expect(await stateOf()).toMatchObject({ outcome: 'live', weight: 100 });
  second.child.kill('SIGTERM');
  expect(await second.ended).toEqual({ code: 0, signal: null });
}, 120_000);
