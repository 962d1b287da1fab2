import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

const program = join(projectRoot, 'apps/cli/src/main.ts');
const golden = new URL('./doctor.golden.txt', import.meta.url);
/** A start takes some seconds; on a machine that is busy with other tests, a minute. */
const startMsMax = 120_000;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proviso-doctor-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function start(...words: readonly string[]) {
  return spawn(process.execPath, [program, ...words, '--data', folder, '--json'], { cwd: projectRoot });
}

async function ended(child: ReturnType<typeof start>): Promise<{ code: number | null; text: string }> {
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

/** What was found, without what differs from machine to machine and from start to start. */
function masked(text: string): string {
  const { findings } = JSON.parse(text) as { findings: readonly { name: string; state: string; detail: string }[] };
  // Which programs a machine has, and how it can isolate, is its own matter.
  const own = new Set(['npm', 'bubblewrap', 'chromium', 'prometheus', 'isolation of builds', 'isolation of releases']);
  const lines = findings.map(({ name, state, detail }) =>
    own.has(name)
      ? `${name}: of this machine`
      : `${name}: ${state}: ${detail
          .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
          .replace(/127\.0\.0\.1:\d+/g, '<address>')
          .replace(/\d+\.\d+ [kMG]B(?! kept)(?! of)/g, '<size>')
          .replace(/^[\d.]+ (bytes|[kMG]B) of/, '<size> of')
          .replace(/\d+\.\d+\.\d+/g, '<version>')
          .replace(/process \d+/g, 'process <pid>')
          .replace(/up \d+ min/g, 'up <n> min')}`,
  );
  return `${lines.join('\n')}\n`;
}

test(
  'the doctor says what runs where, and ends well only when all is well',
  async () => {
    const up = start('up', '--port', '0', '--router-port', '0');
    const gone = ended(up);
    try {
      await once(up.stdout, 'data');
      // Left behind by a worker that was killed: no process has a number beyond the kernel's largest.
      await mkdir(join(folder, 'worker', 'candidate-4194305-x'), { recursive: true });
      const { code, text } = await ended(start('doctor'));
      const secrets = Object.values(JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8')) as object);
      for (const secret of secrets.filter((one) => String(one).length > 20 && !String(one).startsWith('wsp_')))
        expect(text).not.toContain(secret);
      if (process.env['PROVISO_UPDATE_GOLDEN'] === 'yes') await writeFile(golden, masked(text));
      expect(masked(text)).toBe(await readFile(golden, 'utf8'));
      expect(code).toBe(0);
      // A part that does not answer is what a person must mend.
      const [edge] = /process (\d+)/.exec(detailOf(text, 'edge'))?.slice(1).map(Number) ?? [];
      if (edge === undefined) throw new Error('expected the edge as a process');
      process.kill(edge, 'SIGSTOP');
      const stopped = await ended(start('doctor'));
      process.kill(edge, 'SIGCONT');
      expect([stopped.code, detailOf(stopped.text, 'router')]).toEqual([
        1,
        expect.stringContaining('expected an answer'),
      ]);
    } finally {
      up.kill('SIGTERM');
      await gone;
    }
    const without = await ended(start('doctor'));
    expect([without.code, detailOf(without.text, 'deployment')]).toEqual([0, expect.stringContaining('none runs on')]);
  },
  startMsMax,
);

function detailOf(text: string, name: string): string {
  const { findings } = JSON.parse(text) as { findings: readonly { name: string; detail: string }[] };
  return findings.find((finding) => finding.name === name)?.detail ?? '';
}
