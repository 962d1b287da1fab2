import type { StreamKind } from '@proviso/domain';
import type { EntryView, Reads } from '../port.ts';
import type { Row } from '../session.ts';
import { statement } from '../statement.ts';
import type { Query } from './query.ts';

const columns = `e.id, e.stream, e.stream_id, e.sseq, e.kind, e.at, convert_from(e.bytes, 'UTF8') as bytes, encode(e.hash, 'hex') as hash, f.index`;

const readHistory = statement(
  'read.history',
  `select ${columns} from proviso.entry e left join proviso.leaf f on f.entry = e.id
    where e.workspace = $1 and e.stream = $2 and e.stream_id = $3 and e.sseq > $4 order by e.sseq limit $5`,
);
const readComments = statement(
  'read.comments',
  `select ${columns}, convert_from(e.bytes, 'UTF8')::jsonb->'commitments'->>'reasonRef' as ref
     from proviso.entry e left join proviso.leaf f on f.entry = e.id
    where e.workspace = $1 and e.stream = 'promotion' and e.stream_id = $2 and e.kind = 'commented' order by e.sseq desc limit $3`,
);
const readEvents = statement(
  'read.events',
  `select ${columns} from proviso.leaf f join proviso.entry e on e.id = f.entry
    where f.workspace = $1 and f.index > $2 order by f.index limit $3`,
);
const readLog = statement(
  'read.log',
  `select incarnation, (select coalesce(max(index), -1) from proviso.leaf where workspace = $1) as last from proviso.log`,
);
const readRefs = statement(
  'read.reason_refs',
  `select id, convert_from(bytes, 'UTF8')::jsonb->'commitments'->>'reasonRef' as ref from proviso.entry where workspace = $1 and id = any($2::bigint[])`,
);

/** Reads of entries, in a stream's order or in the public one. */
export function entryReads(
  query: Query,
  open: (ids: readonly string[]) => Promise<Readonly<Record<string, string>>>,
): Pick<Reads, 'history' | 'comments' | 'events' | 'log' | 'reasons'> {
  return {
    history: async ({ stream, id, after, limit }) =>
      (await query(readHistory, stream, id, after ?? 0, limit)).map(viewOf),
    comments: async (promotion, limit) => {
      const rows = await query(readComments, promotion, limit);
      const texts = await open(rows.map((row) => String(row.ref)));
      return rows.map((row) => ({ entry: viewOf(row), text: texts[String(row.ref)] ?? null }));
    },
    events: async ({ after, limit }) => (await query(readEvents, after, limit)).map(viewOf),
    log: async () => {
      const [row] = await query(readLog);
      return { incarnation: String(row?.incarnation), last: Number(row?.last) };
    },
    reasons: async (entries) => {
      const rows = (await query(readRefs, entries)).filter((row) => row.ref !== null);
      const texts = await open(rows.map((row) => String(row.ref)));
      return Object.fromEntries(
        // What was sealed can be missing for one reason only: its writer's key was destroyed.
        rows.map((row) => [Number(row.id), texts[String(row.ref)] ?? 'erased']),
      );
    },
  };
}

function viewOf(row: Row): EntryView {
  return {
    id: Number(row.id),
    stream: row.stream as StreamKind,
    streamId: String(row.stream_id),
    sseq: Number(row.sseq),
    kind: String(row.kind),
    at: (row.at as Date).toISOString(),
    bytes: String(row.bytes),
    hash: String(row.hash),
    position: row.index === null ? null : Number(row.index),
  };
}
