import { setTimeout as pause } from 'node:timers/promises';

/** Longer than an API process takes to start on a busy machine. */
const triesMax = 400;
const againMs = 100;

/** Sends something until it is heard, as people press again, or deliver again: the same thing counts once. Answers how long it took. */
export async function acknowledged(send: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  for (let tries = 0; tries < triesMax; tries += 1) {
    if (await send().catch(() => false)) return performance.now() - startedAt;
    await pause(againMs);
  }
  throw new Error(`expected a press to be acknowledged, got nothing in ${triesMax} tries`);
}
