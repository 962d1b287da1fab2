import type { PersonId, PersonState, PromotionState, PrototypeId } from '@proviso/domain';
import type { LookView } from '../look-view.ts';
import type { PromotionView, Reads } from '../port.ts';
import type { Row } from '../session.ts';
import { statement } from '../statement.ts';
import { laneColumns, laneView } from './lanes.ts';
import { pageOf, type Query } from './query.ts';

const columns = `
  p.id, p.state, p.revision, ${laneColumns},
  (select coalesce(json_object_agg(v.id, v.state), '{}'::json) from proviso.stream v
    where v.workspace = p.workspace and v.kind = 'person'
      and v.id = any(array(select jsonb_array_elements_text(jsonb_path_query_array(p.state::jsonb, '$.gates[*].decisions[*].person')
        || jsonb_path_query_array(p.state::jsonb, '$.gates[*].decisions[*].rightOf'))))) as voters,
  (select jsonb_build_object('at', k.body->'at', 'weight', k.body->'weight', 'unitsSeen', k.body->'unitsSeen', 'reason', k.body->'reason',
      'idleLooks', k.body->'course'->'idleLooks', 'countedAt', k.body->'course'->'countedAt', 'weightSince', k.body->'course'->'weightSince',
      'needed', k.body->'explanation'->'needed'->'canaryUnits', 'perMinute', k.body->'perMinute',
      'gaps', k.body->'course'->'gaps')
     from proviso.look k where k.workspace = p.workspace and k.promotion = p.id order by k.number desc limit 1) as last_look`;

// One look-up by its whole key, whatever the planner knows of the table by then: joined freely, a plan that was made while
// the workspace was small read all of its lanes for each promotion ever after.
const joinLane = `
  left join lateral (
    select * from proviso.stream where workspace = p.workspace and kind = 'lane' and id = p.state->'lanes'->>'production' limit 1
  ) as l on true
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

/** The newest promotions that are looked through for waits: enough for a median, and recent enough to be "usually". */
const waitPromotionsMax = 40;
/** A promotion can ask several times; of so many waits together the middle one does not move much any more. */
const waitsMax = 60;

// A wait ends with an answer: the quorum, a rejection, or a wish for changes. One that was cut short says nothing about
// how long an answer takes.
const readWaits = statement(
  'read.past_waits',
  `with newest as (
     select id, prototype, ordinal from proviso.promotion_status where workspace = $1 order by ordinal desc limit $3
   )
   select n.prototype, (extract(epoch from answered.at - asked.at) * 1000)::bigint as ms
     from newest n
     join proviso.entry asked on asked.workspace = $1 and asked.stream = 'promotion' and asked.stream_id = n.id
      and asked.kind = 'gate_opened' and convert_from(asked.bytes, 'UTF8')::jsonb->'body'->>'gate' = $2
     join lateral (
       select e.at, e.kind from proviso.entry e
        where e.workspace = $1 and e.stream = 'promotion' and e.stream_id = n.id and e.sseq > asked.sseq
          and (e.kind in ('quorum_reached', 'gate_expired', 'gate_reopened', 'promotion_ended')
            or e.kind = 'decision_recorded' and convert_from(e.bytes, 'UTF8')::jsonb->'body'->'decision'->>'verdict' <> 'approve')
        order by e.sseq limit 1
     ) answered on answered.kind in ('quorum_reached', 'decision_recorded')
    order by n.ordinal desc, asked.sseq desc limit $4`,
);

/** Reads of promotions, newest first. */
export function promotionReads(query: Query): Pick<Reads, 'promotion' | 'promotions' | 'pastWaits'> {
  return {
    pastWaits: async (gate) => {
      const rows = await query(readWaits, gate, waitPromotionsMax, waitsMax);
      return rows.map((row) => ({ prototype: row.prototype as PrototypeId, ms: Number(row.ms) }));
    },
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
    lastLook: row.last_look as LookView | null,
  };
}
