import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findIsolation } from '@proviso/isolation';
import type { Endpoint } from './keeping.ts';
import type { LaneOrder, ReleaseOrder } from './protocol.ts';
import { newFolder, newLane, newOrder, newShelf, until } from './release-fixture.ts';
import { openStateFile } from './state-file.ts';
import { openSupervisor } from './supervisor.ts';

// Real processes on a busy machine; every wait inside has its own, shorter bound.

const shelf = newShelf();
const isolation = await findIsolation({ way: 'none' });
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const [first, second] = ['Amethyst-2291-Heron', 'Beryl-7716-Egret'];
const talks = `import { createServer } from 'node:http';
console.log('my key is', process.env.KEY);
createServer((_, response) => setTimeout(() => response.end(process.env.KEY + process.env.LOG), 30)).listen(process.env.PORT, process.env.HOST);`;
const dies = `console.log('my key is', process.env.KEY); process.exit(3);`;

function newBench(source: string) {
  const { path, remove } = newFolder();
  const secretFolder = join(path, 'secrets');
  mkdirSync(secretFolder);
  const lines: string[] = [];
  const supervisor = openSupervisor({
    folder: join(path, 'releases'),
    blobs: shelf.source,
    isolation,
    state: openStateFile(join(path, 'state.json')),
    log: (_level, event, fields) => lines.push(JSON.stringify({ event, ...fields })),
    secretPlaces: { environment: {}, prefix: 'SECRET_', folder: secretFolder },
  });
  cleanUps.push(remove, () => supervisor.close({ keepReleases: false }));
  const order: ReleaseOrder = newOrder(shelf.store({ 'main.mjs': source }), {
    secrets: [{ name: 'KEY', required: true }],
    // Longer than a busy machine is busy: what is tried out here is a rotation, not how soon somebody is taken for ill.
    health: { path: '/', timeoutMs: 5_000 },
  });
  return {
    ...{ supervisor, lines },
    write: (value: string) => {
      writeFileSync(join(secretFolder, 'key'), value);
      chmodSync(join(secretFolder, 'key'), 0o600);
    },
    laneAt: (revision: number, log = 'info'): LaneOrder => ({
      ...{ ...newLane(order), canary: null, stable: order },
      configuration: {
        ...{ revision, variables: { LOG: log } },
        secrets: { KEY: { reference: { from: 'file', path: 'key' }, at: revision } },
      },
    }),
    report: () => supervisor.reports('lane_1')[0],
  };
}

/**
 * What a visitor gets, by the way that the router takes: a release that goes lets finish what came over its upstream, and
 * knows of nothing else. A visitor who only read the port would sometimes come too late for the old process.
 */
function visit(endpoint: Endpoint | null): Promise<string> {
  return new Promise((resolve, reject) => {
    if (endpoint === null) return resolve('nobody serves');
    let text = '';
    endpoint.upstream.send(
      { method: 'GET', path: '/', headers: [], body: null, upgrade: null },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData: (_flow, part) => {
          text += part.toString();
        },
        onResponseEnd: () => resolve(text),
        onResponseError: (_flow, error) => reject(error),
        onRequestUpgrade: () => reject(new Error('expected an answer, got another protocol')),
      },
    );
  });
}

test('a rotation starts the new process first, moves users over and loses no request', async () => {
  const { supervisor, write, laneAt, report } = newBench(talks);
  write(first);
  supervisor.converge([laneAt(1)]);
  const old = await until('ready', () => report()?.state === 'ready' && (report() ?? null));
  write(second);
  const answers: string[] = [];
  const visitor = new AbortController();
  const visiting = (async () => {
    while (!visitor.signal.aborted) {
      answers.push(await visit(supervisor.endpoint('lane_1', 'rel_1')));
      await pause(1);
    }
  })();
  supervisor.converge([laneAt(2)]);
  await until('the new one', () => {
    supervisor.converge([laneAt(2)]);
    return report()?.configurationRevision === 2 && report()?.pid !== old.pid;
  });
  const before = answers.length;
  await until('more answers', () => answers.length > before + 5);
  visitor.abort();
  await visiting;
  expect(new Set(answers)).toEqual(new Set([`${first}info`, `${second}info`]));
  expect(answers.at(-1)).toBe(`${second}info`);
}, 30_000);

test('a configuration that cannot be started leaves users where they are and says why', async () => {
  const { supervisor, write, laneAt, report } = newBench(talks);
  write(first);
  supervisor.converge([laneAt(1)]);
  const old = await until('ready', () => report()?.state === 'ready' && (report() ?? null));
  write('short');
  supervisor.converge([laneAt(2)]);
  const stays = await until('the reason', () => {
    supervisor.converge([laneAt(2)]);
    return report()?.rotation?.reason === 'secret_unreadable' && (report() ?? null);
  });
  expect(stays).toMatchObject({ pid: old.pid, state: 'ready', configurationRevision: 1 });
  write(second);
  await until('the rest by itself', () => {
    supervisor.converge([laneAt(2)]);
    return report()?.configurationRevision === 2;
  });
}, 30_000);

test('last words are told without the line that shows a secret, and no log has one', async () => {
  const { supervisor, write, laneAt, report, lines } = newBench(dies);
  write(first);
  supervisor.converge([laneAt(1)]);
  const ended = await until('the end', () => report()?.reason === 'exited_early' && (report() ?? null));
  expect(ended.detail).toMatch(/^ended with code 3\n\[a line/);
  expect(`${lines.join('\n')}${JSON.stringify(supervisor.reports('lane_1'))}`).not.toContain(first);
}, 30_000);
