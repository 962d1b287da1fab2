import {
  type Digest,
  defaultLimits,
  type LaneId,
  type PromotionId,
  type PrototypeId,
  type WebhookId,
  type WorkspaceId,
  uuidOf,
} from '@proviso/domain';
import pg from 'pg';
import { JournalFailure } from '../failure.ts';
import type { DirtyMark, Leadership, OpenPromotion, OutdatedArtifact } from './port.ts';
import type { Row } from '../session.ts';
import { type Statement, statement } from '../statement.ts';

/** The names that can be led, each with the number of its advisory lock. */
export const leaderLocks = {
  waker: 7_203_201,
  sequencer: 7_203_202,
  reconciler: 7_203_203,
  courier: 7_203_217,
} as const;
/** One of them. */
export type LeaderName = keyof typeof leaderLocks;

const tryLead = statement('leader.try', `select pg_try_advisory_lock($1) as led`);
const nextEpoch = statement(
  'leader.epoch',
  `update proviso.leader set epoch = epoch + 1 where name = $1 returning epoch`,
);
// Before the first position is given: ids of another incarnation are reset, so none of them names another entry.
const moveLog = statement(
  'sequencer.move_log',
  `update proviso.log set incarnation = replace(gen_random_uuid()::text, '-', ''), home = proviso.log_home()
    where home <> proviso.log_home() and exists (select 1 from proviso.leader where name = 'sequencer' and epoch = $1)`,
);
const stillLeads = statement('leader.ping', `select 1 from proviso.leader where name = $1 and epoch = $2`);
const listen = statement('leader.listen', `listen proviso`);

const readDirty = statement(
  'waker.dirty',
  `select workspace, promotion, revision from proviso.dirty order by marked_at limit $1`,
);
const settleDirty = statement(
  'waker.settle',
  `delete from proviso.dirty d using jsonb_to_recordset($3::jsonb) as m(workspace uuid, promotion text, revision bigint)
    where d.workspace = m.workspace and d.promotion = m.promotion and d.revision = m.revision
      and exists (select 1 from proviso.leader where name = $1 and epoch = $2)`,
);

// Late commits are never lost: whatever is pending is taken, in the order of ids, not what is behind a last id.
const giveOrder = statement(
  'sequencer.take',
  `
with leads as materialized (
  select 1 from proviso.leader where name = 'sequencer' and epoch = $1 for update
), taken as materialized (
  select entry, workspace from proviso.pending where exists (select 1 from leads) order by entry limit $2
), placed as (
  insert into proviso.leaf (index, entry, workspace)
  select (select coalesce(max(index), -1) from proviso.leaf) + row_number() over (order by entry), entry, workspace from taken
  returning entry
), cleared as (
  delete from proviso.pending where entry in (select entry from taken)
)
select (select count(*) from leads)::int as leads, (select count(*) from placed)::int as placed`,
);

const readOpen = statement(
  'reconciler.open',
  `select p.workspace, p.id as promotion, (extract(epoch from clock_timestamp() - s.updated_at) * 1000)::bigint as idle_ms
     from proviso.promotion_status p join proviso.stream s on s.workspace = p.workspace and s.kind = 'promotion' and s.id = p.id
    where p.open order by s.updated_at limit $1`,
);

// A lane is told also when nothing is watched in it: then whatever watches it still is to be ended.
const readWatched = statement(
  'reconciler.watched',
  `select l.workspace, l.id as lane, p.id as promotion, p.state->'policy'->'watch'->>'everyMs' as every_ms
     from proviso.stream l
     left join lateral (
       select id, state from proviso.stream where workspace = l.workspace and kind = 'promotion'
          and id = l.state->'stable'->>'promotion' and state->'policy'->'watch' is not null limit 1
     ) as p on true
    where l.kind = 'lane' and l.id > $1 and l.state->>'environment' = 'production' order by l.id limit $2`,
);

const readNamed = statement(
  'reconciler.evidence',
  `select distinct on (digest) digest, kind,
          exists (select 1 from proviso.artifact a where a.digest = e.digest)
            and not exists (select 1 from proviso.artifact a where a.digest = e.digest
                             and (a.removed_at is null or a.removed_at > clock_timestamp() - $3 * interval '1 millisecond')) as files_gone
     from proviso.evidence e where digest > $1 order by digest, kind limit $2`,
);

const readOutdated = statement(
  'collector.outdated',
  `select a.workspace, a.prototype, a.digest, a.bytes from proviso.artifact a
     join proviso.stream w on w.workspace = a.workspace and w.kind = 'workspace'
    where a.removed_at is null and (a.workspace, a.prototype, a.digest) > ($3::uuid, $4, $5)
      and a.frozen_at < clock_timestamp() - coalesce((w.state->'limits'->>'retentionDays')::int, $2) * interval '1 day'
    order by a.workspace, a.prototype, a.digest limit $1`,
);

const sweepTokens = sweepOf('token', 'hash', 'token_is_past(expires_at)');
const sweepSessions = sweepOf('session', 'hash', 'session_is_past(opened_at)');
const sweepPrompts = sweepOf('prompt', '(workspace, channel, key)', 'prompt_is_past(workspace, promotion)');
const sweepQuestions = sweepOf('question', '(workspace, id)', 'question_is_past(asked_at, answer)');

/** Removes rows that the rule of their kind calls past, some at a time. */
function sweepOf(table: 'token' | 'session' | 'prompt' | 'question', key: string, past: string): Statement {
  const keys = key.replace(/[()]/g, '');
  return statement(
    `collector.${table}s`,
    `with gone as (
     delete from proviso.${table} where ${key} in (select ${keys} from proviso.${table} where proviso.${past} limit $2)
        and exists (select 1 from proviso.leader where name = 'reconciler' and epoch = $1) returning 1
   ) select count(*)::int as gone from gone`,
  );
}

const weighDocuments = statement(
  'collector.weigh',
  `with w as (
     select * from jsonb_to_recordset($2::jsonb) as t(digest text, bytes bigint, "filesBytes" bigint)
      where exists (select 1 from proviso.leader where name = 'reconciler' and epoch = $1)
   ), a as (
     update proviso.artifact a set bytes = w."filesBytes" from w where a.digest = w.digest and a.bytes = 0 and w."filesBytes" > 0
   )
   update proviso.evidence e set bytes = w.bytes from w where e.digest = w.digest and e.bytes is null`,
);

const countEvidence = statement(
  'collector.count',
  `insert into proviso.usage (workspace, evidence_bytes, counted_at)
   select workspace, coalesce(sum(bytes), 0), clock_timestamp() from proviso.evidence
    where exists (select 1 from proviso.leader where name = 'reconciler' and epoch = $1) group by workspace
   on conflict (workspace) do update set evidence_bytes = excluded.evidence_bytes, counted_at = excluded.counted_at`,
);

const readBusyWebhooks = statement(
  'courier.busy',
  `select w.workspace, w.id from proviso.webhook w
    where w.active
      and (exists (select 1 from proviso.leaf f where f.workspace = w.workspace and f.index > w.cursor)
        or exists (select 1 from proviso.webhook_delivery d
                    where d.workspace = w.workspace and d.webhook = w.id and d.state = 'waiting' and d.due_at <= clock_timestamp()))
    order by w.workspace, w.id limit $1`,
);

/** Between the entry that lets files go and their removal: whoever looked before it has come to an end by then. */
const removalWaitMs = 3_600_000;

/** Holds a connection of its own; when it dies the lock falls and another process may lead. */
export async function lead(url: string, name: LeaderName, onError: (error: Error) => void): Promise<Leadership | null> {
  // idle_session_timeout ends a frozen leader's session, and with it the lock; a living one pings more often.
  const client = new pg.Client({
    connectionString: url,
    application_name: `proviso-${name}`,
    options: '-c lock_timeout=2000 -c statement_timeout=5000 -c idle_session_timeout=5000',
  });
  client.on('error', onError);
  try {
    await client.connect();
    const [locked] = await rowsOf(client, tryLead, [leaderLocks[name]]);
    if (locked?.led !== true) {
      await client.end();
      return null;
    }
    const [row] = await rowsOf(client, nextEpoch, [name]);
    if (name === 'sequencer') await rowsOf(client, moveLog, [row?.epoch]);
    await client.query(listen.text);
    return leadershipOf(client, name, Number(row?.epoch));
  } catch (error) {
    await client.end().catch(onError);
    throw new JournalFailure('unavailable', 'expected a database that answers', error);
  }
}

function leadershipOf(client: pg.Client, name: LeaderName, epoch: number): Leadership {
  const run = (what: Statement, values: readonly unknown[]) => rowsOf(client, what, values);
  return {
    epoch,
    ping: async () => {
      const found = await run(stillLeads, [name, epoch]);
      if (found.length === 0)
        throw new JournalFailure('not_leader', `expected epoch ${epoch} of ${name} to be current`);
    },
    awake: (timeoutMs) => awake(client, timeoutMs),
    dirty: async (limit) => (await run(readDirty, [limit])).map(markOf),
    settle: async (marks) => {
      const rows = marks.map((mark) => ({ ...mark, workspace: mark.workspace.slice('wsp_'.length) }));
      await run(settleDirty, [name, epoch, JSON.stringify(rows)]);
    },
    sequence: async (limit) => {
      const [row] = await run(giveOrder, [epoch, limit]);
      if (row?.leads !== 1) throw new JournalFailure('not_leader', `expected epoch ${epoch} of ${name} to be current`);
      return Number(row.placed);
    },
    open: async (limit) =>
      (await run(readOpen, [limit])).map(
        (row): OpenPromotion => ({ ...markOf({ ...row, revision: 0 }), idleMs: Number(row.idle_ms) }),
      ),
    watched: async (after, limit) =>
      (await run(readWatched, [after, limit])).map((row) => ({
        workspace: workspaceOf(row),
        lane: row.lane as LaneId,
        promotion: row.promotion as PromotionId | null,
        everyMs: row.every_ms == null ? null : Number(row.every_ms),
      })),
    evidence: async (after, limit) =>
      (await run(readNamed, [after, limit, removalWaitMs])).map((row) => ({
        digest: row.digest as Digest,
        kind: String(row.kind),
        filesGone: row.files_gone === true,
      })),
    outdated: async (after, limit) =>
      (await run(readOutdated, [limit, defaultLimits.retentionDays, ...keyOf(after)])).map((row) => ({
        workspace: workspaceOf(row),
        prototype: row.prototype as PrototypeId,
        digest: row.digest as Digest,
        bytes: Number(row.bytes),
      })),
    sweepPast: async (limit) => {
      const gone = async (what: Statement): Promise<number> => Number((await run(what, [epoch, limit]))[0]?.gone);
      return {
        tokens: await gone(sweepTokens),
        sessions: await gone(sweepSessions),
        prompts: await gone(sweepPrompts),
        questions: await gone(sweepQuestions),
      };
    },
    weigh: async (documents) => {
      await run(weighDocuments, [epoch, JSON.stringify(documents)]);
      await run(countEvidence, [epoch]);
    },
    webhooks: async (limit) =>
      (await run(readBusyWebhooks, [limit])).map((row) => ({
        workspace: workspaceOf(row),
        webhook: row.id as WebhookId,
      })),
    resign: () => client.end(),
  };
}

/** A row's place among all; before the first one where there is none. */
function keyOf(after: OutdatedArtifact | null): readonly string[] {
  return after === null ? [zeroUuid, '', ''] : [uuidOf(after.workspace), after.prototype, after.digest];
}

const zeroUuid = '00000000-0000-0000-0000-000000000000';

function markOf(row: Row): DirtyMark {
  return { workspace: workspaceOf(row), promotion: row.promotion as PromotionId, revision: Number(row.revision) };
}

function workspaceOf(row: Row): WorkspaceId {
  return `wsp_${String(row.workspace).replaceAll('-', '')}`;
}

/** Waits for a NOTIFY, the timeout, or the loss of the connection, whichever comes first. */
function awake(client: pg.Client, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      client.off('notification', done);
      client.off('end', done);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    client.on('notification', done);
    client.on('end', done);
  });
}

async function rowsOf(client: pg.Client, what: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>({ ...what, values: [...values] });
  return rows;
}
