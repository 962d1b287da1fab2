import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { listMarked } from '@proviso/isolation';
import { belongingsOf } from './belongings.ts';

const folder = mkdtempSync(join(tmpdir(), 'proviso-belongings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function remember(runs: readonly object[]): void {
  writeFileSync(join(folder, 'state.json'), JSON.stringify({ runs }));
}

it('names the process, the port and the folders of runs that an edge has forgotten, and nothing it still knows', async () => {
  const marker = `PROVISO_RUN=belongings-${process.pid}`;
  const runFolder = join(folder, 'run');
  for (const path of ['run', 'releases/kept', 'releases/forgotten']) mkdirSync(join(folder, path), { recursive: true });
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const orphan = spawn('sleep', ['60'], { env: { PATH: process.env.PATH, PROVISO_RUN: marker.split('=')[1] } });
  await eventually('the orphan', async () => listMarked(marker).length === 1);
  const kept = { key: 'kept', marker: 'PROVISO_RUN=kept', port, runFolder: null };
  const sandboxed = { key: 'forgotten', marker, port: 8080, runFolder };
  const bare = { key: 'forgotten', marker: 'PROVISO_RUN=bare', port, runFolder: null };
  remember([kept, sandboxed, bare]);
  const belongings = belongingsOf(folder);
  belongings.note();
  expect(await belongings.ownerless('running')).toEqual([]);
  remember([kept]);
  const left = [`process ${orphan.pid}`, `folder ${runFolder}`, `port ${port}`];
  expect(await belongings.ownerless('stopped')).toEqual(left);
  expect(await belongings.ownerless('running')).toEqual([...left, 'folder forgotten']);
  orphan.kill('SIGKILL');
  server.close();
});
