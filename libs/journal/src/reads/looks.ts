import type { LookPoint, LookRow } from '../look-view.ts';
import type { Reads } from '../port.ts';
import { statement } from '../statement.ts';
import type { Query } from './query.ts';

const readLooks = statement(
  'read.looks',
  `select promotion, number, body from proviso.look where workspace = $1 and promotion = $2 order by number desc limit $3`,
);

// The judge's memory stays in its row: what people plot is a tenth of it. Looks from before evidence was kept as plotted
// have no point.
const readSeries = statement(
  'read.look_series',
  `select number, jsonb_build_object('at', body->'at', 'weight', body->'weight', 'samples', body->'explanation'->'samples',
      'evidence', body->'evidence', 'errors', body->'explanation'->'logEvidence'->'errors', 'metrics', body->'explanation'->'metrics',
      'move', body->'move', 'verdict', body->'verdict', 'reason', body->'reason', 'words', body->'words') as point
     from proviso.look where workspace = $1 and promotion = $2 and number > $3 and ($4::timestamptz is null or at >= $4)
      and body ? 'evidence' order by number limit $5`,
);

/** Reads of what judges saw: the newest to go on from, and all of them to look at. */
export function lookReads(query: Query): Pick<Reads, 'looks' | 'series'> {
  return {
    looks: async (promotion, limit) => {
      const rows = await query(readLooks, promotion, limit);
      return rows.map((row) => ({ promotion, number: Number(row.number), body: row.body as LookRow['body'] }));
    },
    series: async ({ promotion, after, since, limit }) => {
      const from = since === undefined ? null : new Date(since);
      const rows = await query(readSeries, promotion, after ?? 0, from, limit);
      return rows.map((row) => ({ ...(row.point as Omit<LookPoint, 'number'>), number: Number(row.number) }));
    },
  };
}
