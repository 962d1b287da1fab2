/** Who builds when there are more builds than places: the workspaces in turn, each with its oldest. */
export interface BuildQueue {
  /** Waits for a place and works in it. Rejects with the signal's reason when nobody waits any more. */
  readonly run: <Result>(workspace: string, signal: AbortSignal, work: () => Promise<Result>) => Promise<Result>;
}

/** Opens a queue of so many places. A workspace with a hundred builds holds up another's first by one build at most. */
export function openBuildQueue(placesMax: number): BuildQueue {
  // In the order of their turns: whoever had one goes to the back.
  const turns = new Map<string, (() => void)[]>();
  let taken = 0;
  const admit = (): void => {
    const [turn] = turns;
    if (turn === undefined || taken >= placesMax) return;
    const [workspace, [first, ...others]] = turn;
    turns.delete(workspace);
    if (others.length > 0) turns.set(workspace, others);
    taken += 1;
    first?.();
  };
  const leave = (workspace: string, begin: () => void): void => {
    const left = turns.get(workspace)?.filter((each) => each !== begin) ?? [];
    if (left.length > 0) turns.set(workspace, left);
    else turns.delete(workspace);
  };
  const place = async (workspace: string, signal: AbortSignal): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = (): void => {
        leave(workspace, begin);
        reject(signal.reason);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      signal.addEventListener('abort', abort, { once: true });
      turns.set(workspace, [...(turns.get(workspace) ?? []), begin]);
      admit();
    });
  };
  return {
    run: async (workspace, signal, work) => {
      await place(workspace, signal);
      try {
        return await work();
      } finally {
        taken -= 1;
        admit();
      }
    },
  };
}
