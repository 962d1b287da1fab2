import { setTimeout as delay } from 'node:timers/promises';
import { startLeashed } from '@proviso/servers';
import type { LogFile } from './log-file.ts';
import type { RunningService } from './service.ts';
import { Trouble } from './trouble.ts';

/** One of our own processes: what to run and how to know that it serves. */
export interface AppProcess {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly log: LogFile;
  /** Answers 200 once it can serve; without one it counts as ready as soon as it runs. */
  readonly readyUrl?: string;
}

/** Migrations ran before and every app is up within a second; a machine with both cores busy has needed ten. */
const READY_TIMEOUT_MS = 40_000;
const READY_POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2_000;
/** The edge waits for its releases, the worker for its activities; what is not done by then is safe to kill. */
const STOP_TIMEOUT_MS = 8_000;

/** Starts one of our processes under a leash and waits until it serves. */
export async function startApp(app: AppProcess): Promise<RunningService> {
  const child = await startLeashed({
    command: process.execPath,
    args: app.args,
    env: app.environment,
    cwd: app.folder,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    onLine: app.log.write,
  });
  if (app.readyUrl !== undefined) await becomeReady(app, child, app.readyUrl);
  return child;
}

async function becomeReady(app: AppProcess, child: RunningService & { kill(): Promise<void> }, url: string) {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const giveUpAtMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await answers(url))) {
    const late = performance.now() > giveUpAtMs;
    if (late) await child.kill();
    if (ended || late) {
      const got = ended ? 'its end' : `no answer within ${READY_TIMEOUT_MS / 1_000} s`;
      throw new Trouble(`expected the ${app.name} to become ready, got ${got}`, {
        advice: `Its last words are in ${app.log.path}`,
      });
    }
    await delay(READY_POLL_MS);
  }
}

/** True when the address answers 2xx and does not say that it is still starting. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const text = await response.text();
    return response.ok && !text.includes('"starting"');
  } catch {
    return false;
  }
}
