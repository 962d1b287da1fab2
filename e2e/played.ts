import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { projectRoot } from './project-root.ts';

/**
 * Plays a scenario in a process of its own, as a person would start it: jest's sandbox has no part in it, and Temporal's
 * runtime is one per process.
 */
export async function playedAlone<Result>(
  name: string,
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
  },
): Promise<{ readonly code: number; readonly played: Result; readonly said: string }> {
  const child = spawn(process.execPath, ['e2e/main.ts', name, '--json', ...flags], {
    cwd: projectRoot,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const [output, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const line = output.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`expected one line of JSON, got: ${said}`);
  return { code: await closed, played: JSON.parse(line) as Result, said };
}
