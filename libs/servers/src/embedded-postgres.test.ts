import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres, storedPassword } from './embedded-postgres.ts';
import { LOOPBACK } from './free-port.ts';

/** Several starts of a real server on two busy cores. */
const TEST_TIMEOUT_MS = 90_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-embedded-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

test(
  'keeps its data over a stop, a kill and a stale lock',
  async () => {
    const first = await startPostgres({ dataDir: folder });
    await query(first.url, 'create table kept (n int)');
    await first.stop();
    const second = await startPostgres({ dataDir: folder });
    await query(second.url, 'insert into kept values (1)');
    await second.kill();
    const lock = join(folder, 'data', 'postmaster.pid');
    // The number in the lock now belongs to a stranger, as after a reboot: here to this test.
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^\d+/, String(process.pid)));
    const third = await startPostgres({ dataDir: folder });
    expect(await query(third.url, 'select n from kept')).toEqual([{ n: 1 }]);
    expect(third.password).toBe(storedPassword(folder));
    await third.stop();
  },
  TEST_TIMEOUT_MS,
);

test(
  'is careful with data by default, and careless when a test says so',
  async () => {
    const careful = await startPostgres({ dataDir: folder });
    expect(await query(careful.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    await careful.stop();
    const careless = await startPostgres({ dataDir: folder, durable: false });
    expect(await query(careless.url, 'show fsync')).toEqual([{ fsync: 'off' }]);
    await careless.stop();
  },
  TEST_TIMEOUT_MS,
);

test(
  'refuses data that another Proviso is running on',
  async () => {
    const running = await startPostgres({ dataDir: folder, durable: false });
    await expect(startPostgres({ dataDir: folder })).rejects.toMatchObject({ code: 'already_running' });
    expect(await query(running.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await running.stop();
  },
  TEST_TIMEOUT_MS,
);

test(
  'refuses a taken port by its number',
  async () => {
    const taker = createServer();
    const port = await new Promise<number>((resolve) => {
      taker.listen(0, LOOPBACK, () => resolve((taker.address() as { port: number }).port));
    });
    await expect(startPostgres({ dataDir: folder, port, durable: false })).rejects.toMatchObject({
      code: 'port_taken',
      message: `expected port ${port} to be free for PostgreSQL, got it taken`,
    });
    taker.close();
  },
  TEST_TIMEOUT_MS,
);

test(
  'refuses data of another major version',
  async () => {
    const running = await startPostgres({ dataDir: folder, durable: false });
    await running.stop();
    writeFileSync(join(folder, 'data', 'PG_VERSION'), '17\n');
    await expect(startPostgres({ dataDir: folder })).rejects.toMatchObject({ code: 'data_unusable' });
  },
  TEST_TIMEOUT_MS,
);

test(
  'runs below a folder that is closed to others, and never as root',
  async () => {
    chmodSync(folder, 0o700);
    const running = await startPostgres({ dataDir: join(folder, 'inner'), durable: false });
    const owner = execFileSync('ps', ['-o', 'uid=', '-p', String(running.pid)], { encoding: 'utf8' });
    expect(Number(owner)).toBeGreaterThan(0);
    await running.stop();
  },
  TEST_TIMEOUT_MS,
);
