import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { IsolationWay, ProcessMark } from '@proviso/isolation';
import { messageOf } from './failure.ts';
import { parseOrders } from './orders.ts';
import type { EdgeOrders } from './protocol.ts';

/** One process as the next edge must find it. */
export interface RunRecord extends ProcessMark {
  readonly key: string;
  readonly port: number;
  readonly way: IsolationWay;
  /** The folder of its sandbox, or null when it runs bare. */
  readonly runFolder: string | null;
}

/** What an edge remembers over its own death: the orders it served and the processes it owns. */
export interface StateFile {
  readonly orders: () => EdgeOrders | null;
  readonly runs: () => readonly RunRecord[];
  readonly saveOrders: (orders: EdgeOrders) => void;
  /** Written before a process is started and again when its pid is known: no process is ever unknown. */
  readonly saveRun: (run: RunRecord) => void;
  readonly dropRun: (marker: string) => void;
  /** Why the file could not be read, if so: the edge then begins with nothing. */
  readonly fault: string | null;
}

/** Opens the file; every change replaces it at once and atomically, so a killed edge leaves the old or the new one. */
export function openStateFile(path: string): StateFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { state, fault } = load(path);
  const runs = new Map(state.runs.map((run) => [run.marker, run]));
  let { orders } = state;
  let ordersText = orders === null ? '' : orderTextOf(orders);
  const save = (): void => {
    // Contracts may carry secrets in their environment, so nobody else may read it.
    writeFileSync(`${path}.new`, JSON.stringify({ v: 1, orders, runs: [...runs.values()] }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return {
    fault,
    orders: () => orders,
    runs: () => [...runs.values()],
    saveOrders: (next) => {
      orders = next;
      const text = orderTextOf(next);
      if (text === ordersText) return;
      ordersText = text;
      save();
    },
    saveRun: (run) => {
      runs.set(run.marker, run);
      save();
    },
    dropRun: (marker) => {
      if (runs.delete(marker)) save();
    },
  };
}

// A lease is worth nothing to the next edge, so its countdown alone is no reason to write.
function orderTextOf(orders: EdgeOrders): string {
  return JSON.stringify(orders, (name, value: unknown) => (name === 'leaseRemainingMs' ? undefined : value));
}

function load(path: string): {
  state: { orders: EdgeOrders | null; runs: readonly RunRecord[] };
  fault: string | null;
} {
  let runs: readonly RunRecord[] = [];
  try {
    const value: { orders?: unknown; runs?: unknown } = JSON.parse(readFileSync(path, 'utf8'));
    // First and on their own: orders that a newer edge cannot read must not hide processes that live.
    // A file of an edge from before isolation does not say, and its processes are in no sandbox.
    const recorded: unknown[] = Array.isArray(value.runs) ? value.runs : [];
    runs = recorded.map((run): unknown => Object.assign({ ...bare }, run)).filter(isRunRecord);
    return { state: { orders: value.orders ? parseOrders(value.orders) : null, runs }, fault: null };
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { state: { orders: null, runs }, fault: missing ? null : messageOf(error) };
  }
}

const bare = { isolated: false, way: 'none', runFolder: null } as const;

function isRunRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const run = value as Partial<Record<keyof RunRecord, unknown>>;
  return (
    typeof run.key === 'string' &&
    typeof run.marker === 'string' &&
    (run.runFolder === null || typeof run.runFolder === 'string') &&
    typeof run.port === 'number' &&
    typeof run.isolated === 'boolean' &&
    typeof run.way === 'string' &&
    (run.pid === null || (typeof run.pid === 'number' && Number.isSafeInteger(run.pid) && run.pid > 1)) &&
    (run.identity === null || typeof run.identity === 'string')
  );
}
