import { appendFileSync, chmodSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { familyOf, identityOf, listProcesses } from '@proviso/isolation';
import {
  GATE_HEADER,
  gatePassOf,
  type LaneReport,
  localTarget,
  type ReleaseReport,
  type TargetFailure,
} from '@proviso/targets';
import {
  CONTROL_TOKEN,
  dataFolder,
  type EdgeProcess,
  type FakeApi,
  laneOf,
  releaseOf,
  startEdge,
  startFakeApi,
  until,
  untilServed,
  visit,
} from './rig.ts';

// Real processes on a busy machine; every wait inside has its own, shorter bound.

let api: FakeApi;
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  api = await startFakeApi();
  cleanUps.push(() => api.close());
});

afterEach(async () => {
  // The last started ends first: edges before their folders.
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function newFolder(): string {
  const folder = dataFolder();
  cleanUps.push(folder.remove);
  return folder.path;
}

async function newEdge(folder: string, variables: Record<string, string> = {}): Promise<EdgeProcess> {
  const edge = await startEdge(api.url, folder, variables);
  cleanUps.push(() => edge.end('SIGTERM'));
  return edge;
}

function targetOf(edge: EdgeProcess) {
  const target = localTarget({ controlUrl: edge.controlUrl, token: CONTROL_TOKEN, fetchTimeoutMs: 5_000 });
  cleanUps.push(() => target.close());
  return target;
}

test('a canary share lapses by itself when the API is gone, while stable serves on', async () => {
  const edge = await newEdge(newFolder());
  const target = targetOf(edge);
  const parts = {
    stable: releaseOf(api, 'a'),
    canary: releaseOf(api, 'b'),
    weightPercent: 90,
    leaseRemainingMs: 1_500,
  };
  api.lanes.set('lease', laneOf('lease', parts));
  await until('the share', async () => (await target.counts('lease').catch(() => null))?.weightPercent === 90);
  const { epoch } = await target.counts('lease');
  await api.close();
  const parked = await until('parking', async () => {
    const counts = await target.counts('lease');
    return counts.parked && counts;
  });
  expect(parked.weightPercent).toBe(0);
  expect(parked.epoch).toBeGreaterThan(epoch);
  const host = 'lease.localhost';
  const names = await Promise.all(
    Array.from({ length: 50 }, async () => (await visit(edge.port, { host })).headers['x-name']),
  );
  expect(new Set(names)).toEqual(new Set(['a']));
});

function keptIn({ releases }: LaneReport): Partial<ReleaseReport> {
  return releases.find((release) => release.release === 'rel_kept') ?? {};
}

test('a new edge adopts what a killed one left: same process, no restart, and a share waits for the API', async () => {
  const folder = newFolder();
  const first = await newEdge(folder);
  const canary = releaseOf(api, 'kept-b');
  api.lanes.set(
    'kept',
    laneOf('kept', { stable: releaseOf(api, 'kept'), canary, weightPercent: 50, leaseRemainingMs: 30_000 }),
  );
  const host = 'kept.localhost';
  await untilServed(first.port, host, { status: 200, name: 'kept' });
  await until('the canary', async () => (await targetOf(first).counts('kept')).weightPercent === 50);
  const { pid } = keptIn(await targetOf(first).observe('kept'));
  await first.end('SIGKILL');
  expect(identityOf(pid ?? 0)).not.toBeNull();
  // The API is gone as well, so everything must come from the folder.
  await api.close();
  const second = await newEdge(folder, { PROVISO_EDGE_PORT: String(first.port) });
  expect(second.port).toBe(first.port);
  await untilServed(second.port, host, { status: 200, name: 'kept' });
  const report = await targetOf(second).observe('kept');
  expect(report).toMatchObject({ parked: true, weightServedPercent: 0 });
  expect(keptIn(report)).toMatchObject({ pid, restarts: 0, state: 'ready' });
  expect(await second.end('SIGTERM')).toBe(0);
  expect(identityOf(pid ?? 0)).toBeNull();
});

test('an orphan that no order wants is ended by the next edge', async () => {
  const folder = newFolder();
  const first = await newEdge(folder);
  const trial = await targetOf(first).startTrial('orphan', { ...releaseOf(api, 'orphan'), leaseMs: 60_000 });
  const { pid = 0 } = await until('the trial', async () => {
    const { release } = await targetOf(first).trial(trial.id);
    return release.state === 'ready' && release;
  });
  await first.end('SIGKILL');
  expect(identityOf(pid)).not.toBeNull();
  await newEdge(folder);
  await until('its end', () => identityOf(pid) === null);
});

test('a clean stop leaves no process, and a start with nothing but its folder serves again', async () => {
  const folder = newFolder();
  const edge = await newEdge(folder);
  const source = `import { spawn } from 'node:child_process';
    import { createServer } from 'node:http';
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    createServer((_, response) => { response.setHeader('x-name', 'parent'); response.end(String(child.pid)); }).listen(process.env.PORT);`;
  api.lanes.set('stop', laneOf('stop', { stable: releaseOf(api, 'parent', source) }));
  await untilServed(edge.port, 'stop.localhost', { status: 200, name: 'parent' });
  const [running] = (await targetOf(edge).observe('stop')).releases;
  // Inside a sandbox processes have other numbers than here.
  const pids = [...familyOf(running?.pid ?? 0, listProcesses())];
  expect(pids.length).toBeGreaterThanOrEqual(2);
  expect(await edge.end('SIGTERM')).toBe(0);
  expect(pids.filter((pid) => identityOf(pid) !== null)).toEqual([]);
  await api.close();
  const again = await newEdge(folder);
  await untilServed(again.port, 'stop.localhost', { status: 200, name: 'parent' });
});

test('a trial answers under its own host, is renewed, and ends by itself', async () => {
  const edge = await newEdge(newFolder());
  const target = targetOf(edge);
  const order = { ...releaseOf(api, 'trial'), leaseMs: 2_000 };
  await target.startTrial('t1', order);
  const { release } = await until('the trial', async () => {
    const state = await target.renewTrial('t1', order);
    return state.release.state === 'ready' && state;
  });
  const { url, host } = await target.trialUrl('t1');
  expect(url).toBe(`http://127.0.0.1:${edge.port}`);
  expect((await visit(edge.port, { host })).status).toBe(404);
  const headers = { [GATE_HEADER]: gatePassOf(CONTROL_TOKEN) };
  const names: string[] = JSON.parse((await visit(edge.port, { host, headers })).text).environment;
  // The way out and what is reported on it are ours, and PWD a shell's; nothing of the edge's environment is there.
  const own = names.filter((name) => !/proxy|^PWD$|^OTEL_EXPORTER_OTLP_METRICS_/i.test(name)).sort();
  expect(own).toEqual(['HOME', 'HOST', 'NAME', 'PATH', 'PORT', 'PROVISO_RUN', 'TMPDIR']);
  const other = { ...releaseOf(api, 'other'), leaseMs: 1_000 };
  await expect(target.startTrial('t1', other)).rejects.toMatchObject({ code: 'conflict', retryable: false });
  await until('its end', () => identityOf(release.pid ?? 0) === null);
  await expect(target.trial('t1')).rejects.toMatchObject({ code: 'not_found' });
  expect((await visit(edge.port, { host })).status).toBe(404);
  await target.stopTrial('t1');
});

test('a taken port, a taken folder and a missing variable are named, and the edge exits with 1', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await until('the blocker', () => blocker.listening);
  const { port } = blocker.address() as AddressInfo;
  cleanUps.push(() => blocker.close());
  const folder = newFolder();
  await expect(startEdge(api.url, folder, { PROVISO_EDGE_PORT: String(port) })).rejects.toThrow(
    /exited with 1.*PROVISO_EDGE_PORT/,
  );
  await expect(startEdge(api.url, folder, { PROVISO_EDGE_TOKEN: '' })).rejects.toThrow(
    /exited with 1.*PROVISO_EDGE_TOKEN/,
  );
  const edge = await newEdge(folder);
  await expect(startEdge(api.url, folder)).rejects.toThrow(`got one with pid ${edge.child.pid}`);
});

test('the control port wants its token, shows metrics on loopback, and its failures say whether to try again', async () => {
  const edge = await newEdge(newFolder());
  api.lanes.set('metered', laneOf('metered', { stable: releaseOf(api, 'metered') }));
  await untilServed(edge.port, 'metered.localhost', { status: 200 });
  expect((await fetch(`${edge.controlUrl}/healthz`)).status).toBe(200);
  expect((await fetch(`${edge.controlUrl}/lanes`)).status).toBe(401);
  expect(await (await fetch(`${edge.controlUrl}/metrics`)).text()).toMatch(
    /proviso_edge_requests_total{lane="metered",arm="stable"} \d+/,
  );
  const failureOf = (controlUrl: string, token: string): Promise<TargetFailure> =>
    localTarget({ controlUrl, token, fetchTimeoutMs: 1_000 })
      .observe('none')
      .then(
        () => Promise.reject(),
        (error) => error,
      );
  expect(await failureOf(edge.controlUrl, CONTROL_TOKEN)).toMatchObject({ code: 'not_found', retryable: false });
  expect(await failureOf(edge.controlUrl, 'wrong-token')).toMatchObject({ code: 'unauthorised', retryable: false });
  expect(await failureOf('http://127.0.0.1:1', CONTROL_TOKEN)).toMatchObject({ code: 'unreachable', retryable: true });
});

test('an inspection hashes what lies on the disk now, not what was once started', async () => {
  const folder = newFolder();
  const edge = await newEdge(folder);
  const stable = releaseOf(api, 'inspected');
  api.lanes.set('inspected', laneOf('inspected', { stable }));
  await untilServed(edge.port, 'inspected.localhost', { status: 200, name: 'inspected' });
  const target = targetOf(edge);
  expect((await target.inspect('inspected')).releases[0]?.treeDigest).toBe(stable.artifactDigest);
  const [key = ''] = readdirSync(join(folder, 'releases'));
  const file = join(folder, 'releases', key, 'tree', 'server.mjs');
  chmodSync(file, 0o600);
  appendFileSync(file, '// slipped in');
  expect((await target.inspect('inspected')).releases[0]?.treeDigest).not.toBe(stable.artifactDigest);
});

test('who comes while a release starts is told so, and told otherwise when it does not come up', async () => {
  const edge = await newEdge(newFolder());
  const never = 'setInterval(() => undefined, 1_000);';
  const order = releaseOf(api, 'never', never);
  const contract = { ...order.contract, readyWithinMs: 1_500 };
  api.lanes.set('never', laneOf('never', { stable: { ...order, contract } }));
  const host = 'never.localhost';
  const pageIs = (page: string) => async () => (await visit(edge.port, { host })).headers['x-proviso-page'] === page;
  await until('the page of a start', pageIs('starting'));
  await until('the page of a failure', pageIs('unavailable'));
});

test('who comes before a first release is up is told that it starts, and then that it is not their turn', async () => {
  const edge = await newEdge(newFolder());
  const slow = `import { createServer } from 'node:http';
    const begun = Date.now();
    createServer((_, response) => response.writeHead(Date.now() - begun > 2_000 ? 200 : 500).end()).listen(process.env.PORT, process.env.HOST);`;
  const canary = releaseOf(api, 'opening', slow);
  api.lanes.set('opening', laneOf('opening', { canary }));
  const host = 'opening.localhost';
  const seen: string[] = [];
  await until('the page of a release that is up', async () => {
    seen.push(String((await visit(edge.port, { host })).headers['x-proviso-page']));
    return seen.at(-1) === 'not_open';
  });
  // Before its first poll the edge knows no such name.
  expect(new Set(seen.filter((page) => page !== 'unknown_host'))).toEqual(new Set(['starting', 'not_open']));
});

test('a static release survives a killed edge without the API, and is judged by its files', async () => {
  const folder = newFolder();
  const first = await newEdge(folder);
  const contract = {
    kind: 'static',
    start: [],
    portEnvironment: 'PORT',
    environment: {},
    health: { path: '/' },
  } as const;
  const files = (text: string) => api.store({ 'index.html': text });
  const order = { release: 'rel_files', artifactDigest: files('first'), trusted: false, contract };
  api.lanes.set('files', laneOf('files', { stable: order }));
  const host = 'files.localhost';
  await untilServed(first.port, host, { status: 200 });
  const empty = { ...order, release: 'rel_empty', artifactDigest: api.store({ 'a.txt': 'a' }) };
  api.lanes.set('empty', laneOf('empty', { stable: empty }));
  const report = await until('a report of what is missing', async () => {
    const [release] =
      (
        await targetOf(first)
          .observe('empty')
          .catch(() => null)
      )?.releases ?? [];
    return release?.reason === 'start_failed' && release;
  });
  expect(report.detail).toContain('expected index.html in ., got none');
  await first.end('SIGKILL');
  await api.close();
  const second = await newEdge(folder);
  expect((await untilServed(second.port, host, { status: 200 })).text).toBe('first');
});
