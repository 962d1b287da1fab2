import type { Page } from '../port.ts';
import type { Row } from '../session.ts';
import type { Statement } from '../statement.ts';

/** Runs one statement in a workspace's read transaction. */
export type Query = (what: Statement, ...values: readonly unknown[]) => Promise<readonly Row[]>;

/** Cuts the one row too many that tells whether there is a next page. */
export function pageOf<Item>(rows: readonly Row[], limit: number, item: (row: Row) => Item): Page<Item> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return { items: kept.map(item), next: rows.length > limit && last !== undefined ? String(last.id) : null };
}
