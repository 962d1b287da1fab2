/**
 * Enough to let the disk group synced writes, few enough that the buffered files stay within some megabytes.
 */
const WRITES_MAX = 16;

/** Lets a bounded number of writes run at once. */
export type WriteWindow = {
  /** Waits for a free place, then starts the write. Throws what an earlier write threw. */
  add(write: () => Promise<void>): Promise<void>;
  /** Waits for all writes, so that nothing is written after an intake has answered; throws what the first threw. */
  settle(): Promise<void>;
};

/** Opens a window; whoever opens it settles it on every path. */
export function writeWindow(): WriteWindow {
  const running = new Set<Promise<void>>();
  let broken: { error: unknown } | undefined;
  const rethrow = () => {
    if (broken) throw broken.error;
  };
  return {
    async add(write) {
      while (running.size >= WRITES_MAX) await Promise.race(running);
      rethrow();
      const writing: Promise<void> = write()
        .catch((error: unknown) => {
          broken ??= { error };
        })
        .finally(() => running.delete(writing));
      running.add(writing);
    },
    async settle() {
      await Promise.all(running);
      rethrow();
    },
  };
}
