import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Plays a scenario's quick profile in a process of its own, as a person would start it: jest's sandbox has no part in it. */
export async function playedQuickly<Result>(
  name: string,
  rounds: number,
): Promise<{ readonly code: number; readonly played: Result; readonly said: string }> {
  const words = ['e2e/main.ts', name, '--quick', '--json', '--rounds', String(rounds)];
  const child = spawn(process.execPath, words, {
    cwd: projectRoot,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const [output, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const line = output.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`expected one line of JSON, got: ${said}`);
  return { code: await closed, played: JSON.parse(line) as Result, said };
}
