import type { PersonId, PersonState, PromotionState } from '@proviso/domain';
import type { PromotionView, Reads } from '../port.ts';
import type { Row } from '../session.ts';
import { statement } from '../statement.ts';
import { laneColumns, laneView } from './lanes.ts';
import { pageOf, type Query } from './query.ts';

const columns = `
  p.id, p.state, p.revision, ${laneColumns},
  (select coalesce(json_object_agg(v.id, v.state), '{}'::json) from proviso.stream v
    where v.workspace = p.workspace and v.kind = 'person'
      and v.id = any(array(select jsonb_array_elements_text(jsonb_path_query_array(p.state::jsonb, '$.gates[*].decisions[*].person'))))) as voters,
  (select k.body->'unitsSeen' from proviso.look k where k.workspace = p.workspace and k.promotion = p.id order by k.number desc limit 1) as units_seen`;

const joinLane = `
  left join proviso.stream l on l.workspace = p.workspace and l.kind = 'lane' and l.id = p.state->'lanes'->>'production'
  left join proviso.lease e on e.workspace = l.workspace and e.lane = l.id`;

const readOne = statement(
  'read.promotion',
  `select ${columns} from proviso.stream p ${joinLane} where p.workspace = $1 and p.kind = 'promotion' and p.id = $2`,
);
const readMany = statement(
  'read.promotions',
  `select ${columns} from proviso.promotion_status s
    join proviso.stream p on p.workspace = s.workspace and p.kind = 'promotion' and p.id = s.id ${joinLane}
   where s.workspace = $1 and ($2::text is null or s.prototype = $2) and ($3::boolean is null or s.open = $3) and ($4::text is null or s.ordinal < (select ordinal from proviso.promotion_status where workspace = $1 and id = $4))
   order by s.ordinal desc limit $5`,
);

/** Reads of promotions, newest first. */
export function promotionReads(query: Query): Pick<Reads, 'promotion' | 'promotions'> {
  return {
    promotion: async (id) => {
      const [row] = await query(readOne, id);
      return row === undefined ? null : viewOf(row);
    },
    promotions: async ({ prototype, open, after, limit }) => {
      const rows = await query(readMany, prototype ?? null, open ?? null, after ?? null, limit + 1);
      return pageOf(rows, limit, viewOf);
    },
  };
}

function viewOf(row: Row): PromotionView {
  return {
    state: row.state as PromotionState,
    revision: Number(row.revision),
    production: laneView(row),
    people: row.voters as Record<PersonId, PersonState>,
    unitsSeen: row.units_seen === null ? null : Number(row.units_seen),
  };
}
