import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findIsolation, listProcesses } from '@proviso/isolation';
import { endLeftSandboxes, runWorkshop } from './workshop.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proviso-workshop-'));
});
afterEach(() => rm(folder, { recursive: true }));

const order = {
  ...{ words: [], mounts: [], hosts: [], environment: { PATH: '/usr/bin:/bin' } },
  ...{ memoryMb: 64, withinMs: 60_000 },
};

test('what a script says and what it hands out are kept apart', async () => {
  const workshop = { isolation: await findIsolation(), folder, signal: new AbortController().signal };
  const end = await runWorkshop(workshop, { ...order, script: 'echo out; echo said >&2; exit 7' });
  expect(end).toMatchObject({ code: 7, stopped: null, log: { text: 'said\n', complete: true } });
});

test('a script that floods its log is ended', async () => {
  const workshop = { isolation: await findIsolation(), folder, signal: new AbortController().signal };
  const end = await runWorkshop(workshop, { ...order, script: 'yes >&2' });
  expect(end.stopped).toBe('flooded');
  expect(end.log.complete).toBe(false);
  expect(end.log.text.length).toBeLessThan(100_000);
}, 30_000);

test('what runs when its worker is killed is ended by the next one', async () => {
  const script = `import { findIsolation } from '@proviso/isolation';
    import { runWorkshop } from ${JSON.stringify(new URL('./workshop.ts', import.meta.url).href)};
    const workshop = { isolation: await findIsolation(), folder: ${JSON.stringify(folder)}, signal: new AbortController().signal };
    setInterval(() => process.stdout.write('.'), 20);
    await runWorkshop(workshop, { ...${JSON.stringify(order)}, script: 'sleep 98765' });`;
  const words = ['--input-type=module', '--eval', script];
  const worker = spawn(process.execPath, words, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    while (sleepers() === 0) await once(worker.stdout, 'data');
  } finally {
    worker.kill('SIGKILL');
  }
  await once(worker, 'exit');
  expect(sleepers()).toBe(1);
  await endLeftSandboxes(folder);
  expect(sleepers()).toBe(0);
}, 30_000);

/** The sleeping command itself, wherever it runs. */
function sleepers(): number {
  return listProcesses().filter(({ pid }) => commandOf(pid) === 'sleep\0' + '98765\0').length;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}
