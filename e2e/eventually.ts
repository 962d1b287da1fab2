import { setTimeout as pause } from 'node:timers/promises';

/** Two busy cores have needed a minute for what takes a second alone. */
const patienceMs = 90_000;
const pollMs = 100;

/** Looks until something is there; a look that throws is one that found nothing. */
export async function eventually<Found>(
  what: string,
  look: () => Promise<Found | null | undefined | false>,
  withinMs = patienceMs,
): Promise<Found> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look().catch(() => null);
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${withinMs} ms, got nothing`);
    await pause(pollMs);
  }
}
