import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findIsolation, identityOf, type Isolation, type IsolationWay } from '@proviso/isolation';
import type { ReleaseOrder, ReleaseReport } from './protocol.ts';
import { healthySource, newFolder, newLane, newOrder, newShelf, until } from './release-fixture.ts';
import { openStateFile } from './state-file.ts';
import { openSupervisor, type Supervisor } from './supervisor.ts';

// Real processes on a busy machine; every wait inside has its own, shorter bound.

const shelf = newShelf();
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Bench {
  readonly supervisor: Supervisor;
  readonly events: string[];
  readonly path: string;
  /** What releases reported of their answers, by whom. */
  readonly heard: string[];
  readonly order: (order: ReleaseOrder) => void;
  readonly report: () => ReleaseReport;
  readonly untilReport: (what: string, fits: (report: ReleaseReport) => boolean) => Promise<ReleaseReport>;
}

// The contract holds whatever keeps releases apart; without isolation they are trusted.
describe.each<IsolationWay>(['bubblewrap', 'namespace', 'none'])('with isolation by %s', (way) => {
  let isolation: Isolation;
  beforeAll(async () => {
    isolation = await findIsolation({ way });
    expect(isolation.way).toBe(way);
  });

  function newBench(): Bench {
    const { path, remove } = newFolder();
    const events: string[] = [];
    const heard: string[] = [];
    const supervisor = openSupervisor({
      folder: join(path, 'releases'),
      blobs: shelf.source,
      isolation,
      state: openStateFile(join(path, 'state.json')),
      log: (_level, event, fields) => events.push([event, fields.reason].filter(Boolean).join(' ')),
      receive: (place, release) => (incoming, answer) => {
        heard.push(`${place} ${release} ${incoming.method} ${incoming.url}`);
        answer.end('{}');
      },
    });
    cleanUps.push(remove, () => supervisor.close({ keepReleases: false }));
    const report = (): ReleaseReport => {
      const [found] = supervisor.reports('lane_1');
      if (found === undefined) throw new Error('expected a release, got none');
      return found;
    };
    return {
      supervisor,
      events,
      path,
      heard,
      report,
      order: (order) => supervisor.converge([newLane(order)]),
      untilReport: (what, fits) => until(what, () => fits(report()) && report()),
    };
  }

  /** The edge is replaced by another on the same folder, which remembers the order and finds the process. */
  async function succeed(bench: Bench, order: ReleaseOrder): Promise<Supervisor> {
    const state = openStateFile(join(bench.path, 'state.json'));
    state.saveOrders({ incarnation: 'i', lanes: [newLane(order)] });
    await bench.supervisor.close({ keepReleases: true });
    const next = openSupervisor({
      folder: join(bench.path, 'releases'),
      blobs: shelf.source,
      isolation,
      state,
      log: () => undefined,
    });
    cleanUps.push(() => next.close({ keepReleases: false }));
    return next;
  }

  function runs(source: string): ReturnType<typeof shelf.store> {
    return shelf.store({ 'main.mjs': source });
  }

  test('starts what is ordered and stops what is not, leaving neither process nor folder', async () => {
    const bench = newBench();
    const digest = runs(healthySource);
    bench.order(newOrder(digest));
    const report = await bench.untilReport('ready', ({ state }) => state === 'ready');
    expect(report).toMatchObject({ artifactDigest: digest, treeDigest: digest, restarts: 0 });
    expect(bench.supervisor.endpoint('lane_1', 'rel_1')).not.toBeNull();
    bench.supervisor.converge([]);
    expect(bench.supervisor.endpoint('lane_1', 'rel_1')).toBeNull();
    await until('its end', () => identityOf(report.pid ?? 0) === null);
    await until('an empty folder', () => readdirSync(join(bench.path, 'releases')).length === 0);
  });

  test('what no operator trusts is started only where it can be isolated, and its report says how', async () => {
    const bench = newBench();
    const digest = runs(healthySource);
    bench.order(newOrder(digest, {}, false));
    if (way === 'none') {
      const { detail } = await bench.untilReport('refused', ({ reason }) => reason === 'not_isolated');
      expect(detail).toContain('only prototypes that an operator trusts are run');
      expect(bench.report().pid).toBeUndefined();
      expect(bench.events).toContain('release.refused not_isolated');
      bench.order(newOrder(digest));
    }
    const report = await bench.untilReport('ready', ({ state }) => state === 'ready');
    expect(report.isolation).toBe(way);
  });

  test('a release that exits at once is tried a few times, reported with its last words, and given up', async () => {
    const bench = newBench();
    bench.order(newOrder(runs("console.error('no key was given'); process.exit(7)")));
    const report = await bench.untilReport('giving up', ({ final }) => final === true);
    expect(report).toMatchObject({ state: 'exited', reason: 'exited_early', restarts: 3 });
    expect(report.detail).toContain('code 7');
    expect(report.detail).toContain('no key was given');
    // A person who resumes the lane moves its fence, and that alone is reason to try again.
    const order = newOrder(report.artifactDigest);
    bench.supervisor.converge([{ ...newLane(order), fence: { incarnation: 1, counter: 2 } }]);
    await bench.untilReport('another try', ({ final, restarts }) => final === undefined && restarts > 3);
  });

  test('a command that does not exist is a start that failed', async () => {
    const bench = newBench();
    bench.order(newOrder(runs(''), { start: ['no-such-program'] }));
    await bench.untilReport('start_failed', ({ reason }) => reason === 'start_failed');
  });

  test('a release that never becomes healthy is ended after its time', async () => {
    const bench = newBench();
    bench.order(newOrder(runs("console.log('still thinking'); setInterval(() => {}, 1000)"), { readyWithinMs: 500 }));
    const { pid } = await bench.untilReport('a start', (report) => report.pid !== undefined);
    const report = await bench.untilReport('the timeout', ({ reason }) => reason === 'health_timeout');
    expect(report).toMatchObject({ state: 'unhealthy' });
    expect(report.detail).toContain('still thinking');
    await until('its end', () => identityOf(pid ?? 0) === null);
  });

  test('a release that floods its output is bounded on the disk and stopped', async () => {
    const bench = newBench();
    const flood = `${healthySource}\nimport { writeSync } from 'node:fs'; const part = Buffer.alloc(1 << 20, 'flood ');
    const go = () => { for (let i = 0; i < 8; i += 1) writeSync(1, part); setTimeout(go, 1); }; setTimeout(go, 300);`;
    bench.order(newOrder(runs(flood)));
    const report = await bench.untilReport('the flood', ({ reason }) => reason === 'output_flood');
    expect(report.detail?.length).toBeLessThanOrEqual(2_000);
    expect(report.detail).toContain('flood');
    const [key = ''] = readdirSync(join(bench.path, 'releases'));
    // The process itself may write no file beyond 64 MiB, whatever the edge does.
    expect(statSync(join(bench.path, 'releases', key, 'output.log')).size).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  test('a talkative release is trimmed and lives on', async () => {
    const bench = newBench();
    bench.order(newOrder(runs(`${healthySource}\nsetInterval(() => console.log('talk '.repeat(5_000)), 10);`)));
    const { pid } = await bench.untilReport('ready', ({ state }) => state === 'ready');
    const [key = ''] = readdirSync(join(bench.path, 'releases'));
    const log = join(bench.path, 'releases', key, 'output.log');
    let largest = 0;
    await until('a trim', () => {
      const { size } = statSync(log);
      const trimmed = size < largest;
      largest = Math.max(largest, size);
      return trimmed;
    });
    expect(bench.report()).toMatchObject({ state: 'ready', pid });
  });

  test('a release that takes too much memory is stopped', async () => {
    const bench = newBench();
    const greedy = `${healthySource}\nglobalThis.kept = []; setInterval(() => kept.push(Buffer.alloc(20 << 20, 1)), 50);`;
    bench.order(newOrder(runs(greedy), { memoryMbMax: 150 }));
    await bench.untilReport('memory_exceeded', ({ reason }) => reason === 'memory_exceeded');
  });

  test('an artifact that is not what was ordered never starts', async () => {
    const bench = newBench();
    const digest = runs('// the right file');
    const [blob = ''] = [...shelf.blobs].find(([, text]) => text === '// the right file') ?? [];
    shelf.blobs.set(blob, '// a wrong file!!');
    bench.order(newOrder(digest));
    const report = await bench.untilReport('a refusal', ({ state }) => state === 'refused');
    expect(report).toMatchObject({ reason: 'digest_mismatch', final: true });
    expect(bench.events).not.toContain('release.started');
  });

  test('what cannot be fetched now is fetched later', async () => {
    const bench = newBench();
    const digest = runs(`${healthySource} // later`);
    const kept = new Map(shelf.blobs);
    shelf.blobs.clear();
    bench.order(newOrder(digest));
    await bench.untilReport('fetch_failed', ({ reason }) => reason === 'fetch_failed');
    for (const [name, text] of kept) shelf.blobs.set(name, text);
    await bench.untilReport('ready', ({ state }) => state === 'ready');
  });

  test('a release that dies is started again, and one that was let go is adopted by pid and start time', async () => {
    const bench = newBench();
    const order = newOrder(runs(healthySource));
    bench.order(order);
    const first = await bench.untilReport('ready', ({ state }) => state === 'ready');
    process.kill(first.pid ?? 0, 'SIGKILL');
    const second = await bench.untilReport(
      'a second start',
      ({ state, pid }) => state === 'ready' && pid !== first.pid,
    );
    expect(second.restarts).toBe(1);
    const next = await succeed(bench, order);
    const adopted = await until(
      'adoption',
      () => next.reports('lane_1').find((report) => report.state === 'ready') ?? null,
    );
    expect(adopted).toMatchObject({ pid: second.pid, port: second.port, treeDigest: order.artifactDigest });
  });

  test('a release that is no more ordered while it is being adopted is ended all the same', async () => {
    const bench = newBench();
    const order = newOrder(runs(healthySource));
    bench.order(order);
    const { pid = 0 } = await bench.untilReport('ready', ({ state }) => state === 'ready');
    const next = await succeed(bench, order);
    next.converge([]);
    await until('its end', () => identityOf(pid) === null);
    await until('an empty folder', () => readdirSync(join(bench.path, 'releases')).length === 0);
    expect(openStateFile(join(bench.path, 'state.json')).runs()).toEqual([]);
  });

  test('a release reports on its own way out, so nobody else can speak for it', async () => {
    const bench = newBench();
    const told = "process.env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? 'http://127.0.0.1:3128/v1/metrics'";
    const reporting = `${healthySource}\nawait fetch(${told}, { method: 'POST', body: '{}' }).catch(() => undefined);`;
    bench.order(newOrder(runs(reporting), {}, way === 'none'));
    await bench.untilReport('ready', ({ state }) => state === 'ready');
    // Without a network of its own there is no way that is only this release's.
    if (way === 'none') expect(bench.heard).toEqual([]);
    else await until('its words', () => bench.heard.includes('lane_1 rel_1 POST /v1/metrics'));
  });

  test('what a release asks of hosts that its contract does not declare is refused and reported', async () => {
    const bench = newBench();
    const asking = `${healthySource}\nawait fetch('http://undeclared.example.org/').catch(() => undefined);`;
    bench.order(newOrder(runs(asking), { egress: ['declared.example.org'] }, way === 'none'));
    await bench.untilReport('ready', ({ state }) => state === 'ready');
    if (way === 'none') return;
    const { egress } = await bench.untilReport('a count', (report) => report.egress !== undefined);
    expect(egress).toEqual([{ host: 'undeclared.example.org:80', declared: false, requests: 1 }]);
  });
});
