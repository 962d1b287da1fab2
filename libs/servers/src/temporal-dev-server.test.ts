import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTemporal, temporalBinary } from './temporal-dev-server.ts';
import { temporalAnswers } from './temporal-probe.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const TEST_TIMEOUT_MS = 60_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-temporal-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test(
  'answers a real call, keeps its file, and comes back after a kill on the same port',
  async () => {
    const databaseFile = join(folder, 'state', 'temporal.db');
    const first = await startTemporal({ binary: temporalBinary(root), databaseFile });
    expect(await temporalAnswers({ address: first.address, timeoutMs: 5_000 })).toBe(true);
    await first.kill();
    expect(await temporalAnswers({ address: first.address, timeoutMs: 5_000 })).toBe(false);
    expect(statSync(databaseFile).size).toBeGreaterThan(0);
    const port = Number(first.address.split(':')[1]);
    const second = await startTemporal({ binary: temporalBinary(root), databaseFile, port });
    expect(second.address).toBe(first.address);
    await expect(startTemporal({ binary: temporalBinary(root), port })).rejects.toMatchObject({ code: 'port_taken' });
    await second.stop();
  },
  TEST_TIMEOUT_MS,
);

test('an override wins over the note that set-up left, and a missing program says what to run', () => {
  expect(temporalBinary(root, process.execPath)).toBe(process.execPath);
  expect(() => temporalBinary(folder)).toThrow('run npm run setup');
});

test(
  'a program that is no Temporal is reported with its own words',
  async () => {
    await expect(startTemporal({ binary: process.execPath })).rejects.toMatchObject({ code: 'exited' });
  },
  TEST_TIMEOUT_MS,
);
