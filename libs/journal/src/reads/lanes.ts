import type { LaneId, LaneState, PromotionState, PrototypeState } from '@proviso/domain';
import type { LaneView, Reads } from '../port.ts';
import type { Row } from '../session.ts';
import { statement } from '../statement.ts';
import { pageOf, type Query } from './query.ts';

/** A lane's columns beside whatever else is read; the lease's rest is by the database's clock. */
export const laneColumns = `
  l.state as lane_state, l.revision as lane_revision,
  (extract(epoch from e.until - clock_timestamp()) * 1000)::bigint as lease_ms`;

const withLease = `left join proviso.lease e on e.workspace = l.workspace and e.lane = l.id`;

const readOne = statement(
  'read.lane',
  `select ${laneColumns} from proviso.stream l ${withLease} where l.workspace = $1 and l.kind = 'lane' and l.id = $2`,
);
const readMany = statement(
  'read.lanes',
  `select l.id, ${laneColumns} from proviso.stream l ${withLease} where l.workspace = $1 and l.kind = 'lane' and l.id > $2 order by l.id limit $3`,
);
// The prototype is one look-up by its whole key, like the lane of a promotion.
const readForEdge = statement(
  'read.edge_lanes',
  `select ${laneColumns}, p.state as prototype_state from proviso.stream l ${withLease}
    cross join lateral (
      select state from proviso.stream where workspace = l.workspace and kind = 'prototype' and id = l.state->>'prototype' limit 1
    ) as p
    where l.workspace = $1 and l.kind = 'lane' order by l.id`,
);

const readServing = statement(
  'read.serving',
  `select l.id as lane, p.state from proviso.stream l
    cross join lateral (
      select state from proviso.stream where workspace = l.workspace and kind = 'promotion' and id = l.state->'stable'->>'promotion' limit 1
    ) as p
    where l.workspace = $1 and l.kind = 'lane' and l.id = any($2::text[])`,
);

/** Reads of lanes. */
export function laneReads(query: Query): Pick<Reads, 'lane' | 'lanes' | 'edgeLanes' | 'serving'> {
  return {
    lane: async (id) => {
      const [row] = await query(readOne, id);
      return row === undefined ? null : laneView(row);
    },
    lanes: async ({ after, limit }) => {
      const rows = await query(readMany, after ?? '', limit + 1);
      return pageOf(rows, limit, (row) => viewOf(row));
    },
    serving: async (lanes) =>
      Object.fromEntries(
        (await query(readServing, lanes)).map((row) => [row.lane as LaneId, row.state as PromotionState]),
      ),
    edgeLanes: async () =>
      (await query(readForEdge)).map((row) => ({
        lane: viewOf(row),
        prototype: row.prototype_state as PrototypeState,
      })),
  };
}

/** A lane beside another noun; null when that noun has none. */
export function laneView(row: Row): LaneView | null {
  return row.lane_state == null ? null : viewOf(row);
}

function viewOf(row: Row): LaneView {
  return {
    state: row.lane_state as LaneState,
    revision: Number(row.lane_revision),
    leaseRemainingMs: row.lease_ms == null ? null : Math.max(0, Number(row.lease_ms)),
  };
}
