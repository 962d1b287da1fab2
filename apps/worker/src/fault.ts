import { closeSync, openSync } from 'node:fs';

/** Where a test may kill this process; the names are those of the kill matrix. */
export const faultPoints = [
  'after_claim',
  'before_report',
  'during_weight_change',
  'inside_look',
  'during_rollback',
  'before_wake',
] as const;

/** One of them. */
export type FaultPoint = (typeof faultPoints)[number];

/** Called where the point is. */
export type Fault = (at: FaultPoint) => void;

/** What every real deployment runs. */
export const noFault: Fault = () => undefined;

/**
 * Kills this very process, as the kernel would, the first time it comes to the point. The file makes it once over
 * restarts: it exists before we die, so the next process passes.
 */
export function faultAt(point: FaultPoint, onceFile: string | null): Fault {
  return (at) => {
    if (at !== point || !isFirst(onceFile)) return;
    process.kill(process.pid, 'SIGKILL');
  };
}

function isFirst(onceFile: string | null): boolean {
  if (onceFile === null) return true;
  try {
    closeSync(openSync(onceFile, 'wx'));
    return true;
  } catch {
    // It exists: this fault has happened. A folder that cannot be written to means no fault, never two.
    return false;
  }
}
