import {
  type Channel,
  type Cursor,
  type Prompt,
  type PromptRegister,
  type PromotionId,
  type WorkspaceId,
  uuidOf,
} from '@proviso/domain';
import type { Row, Session } from './session.ts';
import { type Statement, statement } from './statement.ts';

// Whose lease has ended loses it to the next who asks; the epoch grows with each change of hands.
const takeLease = statement(
  'follower.lease',
  `insert into proviso.follower as f (workspace, channel, holder, epoch, leased_until)
   values ($1, $2, $3, 1, clock_timestamp() + $4 * interval '1 millisecond')
   on conflict (workspace, channel) do update set holder = excluded.holder, leased_until = excluded.leased_until,
     epoch = f.epoch + case when f.holder = excluded.holder then 0 else 1 end
    where f.holder = excluded.holder or f.leased_until < clock_timestamp()
   returning epoch, incarnation, position`,
);

const readFollowed = statement(
  'follower.followed',
  `select incarnation, position from proviso.follower where workspace = $1 and channel = $2 and incarnation is not null`,
);

const releaseLease = statement(
  'follower.release',
  `update proviso.follower set leased_until = '-infinity' where workspace = $1 and channel = $2 and holder = $3`,
);

const advance = statement(
  'follower.advance',
  `with leads as materialized (
     update proviso.follower set incarnation = $4, position = $5 where workspace = $1 and channel = $2 and epoch = $3 returning 1
   ), behind as (
     select unnest($6::text[]) as promotion
      union select id from proviso.promotion_status where workspace = $1 and open and prototype = any($8::text[])
      union select promotion from proviso.prompt where $9 and workspace = $1 and channel = $2 and not final
   ), touched as (
     update proviso.prompt p set wanted = wanted + 1 from behind b
      where p.workspace = $1 and p.channel = $2 and p.promotion = b.promotion and given_up is null
        and not (once and address is not null) and exists (select 1 from leads)
   ), wished as (
     insert into proviso.prompt (workspace, channel, key, token, promotion, conversation, thread, once)
     select $1, $2, w.key, w.token, w.promotion, w.conversation, w.thread, w.once
       from jsonb_to_recordset($7::jsonb) as w(key text, token text, promotion text, conversation text, thread text, once boolean)
      where exists (select 1 from leads)
     on conflict (workspace, channel, key) do nothing
   )
   select count(*)::int as leads from leads`,
);

const columns = `p.key, p.token, p.promotion, p.conversation, p.thread, p.once, p.address, t.address as thread_address,
  (extract(epoch from p.posting_since) * 1000)::bigint as posting_since, p.wanted, p.shown, p.drawn, p.tries`;
const joinThread = `left join proviso.prompt t on t.workspace = p.workspace and t.channel = p.channel and t.key = p.thread`;

const readDue = statement(
  'prompt.due',
  `select ${columns} from proviso.prompt p ${joinThread}
    where p.workspace = $1 and p.channel = $2 and p.wanted > p.shown and p.given_up is null
      and p.retry_at <= clock_timestamp() and (p.thread is null or t.address is not null)
    order by p.retry_at limit $3`,
);

const readByToken = statement(
  'prompt.by_token',
  `select ${columns} from proviso.prompt p ${joinThread} where p.workspace = $1 and p.channel = $2 and p.token = $3`,
);

/** As many promotions of one commit as three hundred; of more the ones that were drawn last are found. */
const copiesMax = 1_000;

const readConversation = statement(
  'prompt.in_conversation',
  `select ${columns} from proviso.prompt p ${joinThread}
    where p.workspace = $1 and p.channel = $2 and p.conversation = $3 order by p.retry_at desc, p.key limit ${copiesMax}`,
);

const leadsOf = `exists (select 1 from proviso.follower f where f.workspace = $1 and f.channel = $2 and f.epoch = $4)`;

const beginPosting = statement(
  'prompt.begin',
  `update proviso.prompt set posting_since = coalesce(posting_since, clock_timestamp())
    where workspace = $1 and channel = $2 and key = $3 and address is null and ${leadsOf} returning 1 as done`,
);

/** A copy that changes with every vote is drawn so often and no more; within this many are one call. */
const redrawMs = 700;

// What was wanted meanwhile may be that somebody has written over it: then nothing is known to be drawn.
const settlePrompt = statement(
  'prompt.settle',
  `update proviso.prompt set address = $5, shown = $6, revision = $7, drawn = case when wanted = $6 then $8 end, final = $9, posting_since = null, tries = 0,
     retry_at = clock_timestamp() + ${redrawMs} * interval '1 millisecond'
    where workspace = $1 and channel = $2 and key = $3 and coalesce(address, $5) = $5 and ${leadsOf} returning 1 as done`,
);

const putOffPrompt = statement(
  'prompt.put_off',
  `update proviso.prompt set tries = tries + 1, retry_at = clock_timestamp() + $5 * interval '1 millisecond', given_up = $6,
     posting_since = case when $7 then null else posting_since end
    where workspace = $1 and channel = $2 and key = $3 and ${leadsOf} returning 1 as done`,
);

const disturbPrompt = statement(
  'prompt.disturb',
  `update proviso.prompt set wanted = wanted + 1, drawn = null, address = coalesce(address, $4)
    where workspace = $1 and channel = $2 and key = $3 returning address`,
);

/** A channel's cursor and copies in one workspace: rows of their own and no entries, since nothing is decided by them. */
export function promptRegister(session: Session, workspace: WorkspaceId, channel: Channel): PromptRegister {
  const at = [uuidOf(workspace), channel] as const;
  const read = async (what: Statement, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    await session.transaction(workspace, (transaction) => transaction.run(what, [...at, ...values]));
  const write = async (what: Statement, ...values: readonly unknown[]): Promise<readonly Row[]> => {
    const [rows] = await session.transaction(workspace, (transaction) =>
      Promise.all([transaction.run(what, [...at, ...values]), transaction.commit()]),
    );
    return rows;
  };
  return {
    lease: async (holder, forMs) => {
      const [row] = await write(takeLease, holder, forMs);
      if (row === undefined) return null;
      return { epoch: Number(row.epoch), cursor: cursorIn(row) };
    },
    followed: async () => {
      const [row] = await read(readFollowed);
      return row === undefined ? null : cursorIn(row);
    },
    release: async (holder) => void (await write(releaseLease, holder)),
    advance: async (epoch, { cursor, named, prototypes, all, wishes }) => {
      const { incarnation, position } = cursor;
      const wished = JSON.stringify(wishes);
      const [row] = await write(advance, epoch, incarnation, position, named, wished, prototypes, all);
      return row?.leads === 1;
    },
    due: async (limit) => (await read(readDue, limit)).map(promptIn),
    begin: async (epoch, key) => (await write(beginPosting, key, epoch)).length === 1,
    settle: async (epoch, { key, address, shown, revision, drawn, final }) =>
      (await write(settlePrompt, key, epoch, address, shown, revision, drawn, final)).length === 1,
    putOff: async (epoch, { key, forMs, givenUp, isCertain }) =>
      void (await write(putOffPrompt, key, epoch, forMs, givenUp, isCertain)),
    disturb: async (key, address) => {
      const [row] = await write(disturbPrompt, key, address);
      return row === undefined ? address : String(row.address);
    },
    byToken: async (token) => {
      const [row] = await read(readByToken, token);
      return row === undefined ? null : promptIn(row);
    },
    inConversation: async (conversation) => (await read(readConversation, conversation)).map(promptIn),
  };
}

function cursorIn({ incarnation, position }: Row): Cursor | null {
  return typeof incarnation === 'string' ? { incarnation, position: Number(position) } : null;
}

function promptIn(row: Row): Prompt {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    key: String(row.key),
    token: String(row.token),
    promotion: row.promotion as PromotionId,
    conversation: String(row.conversation),
    thread: text(row.thread),
    once: row.once === true,
    address: text(row.address),
    threadAddress: text(row.thread_address),
    postingSince: row.posting_since === null ? null : Number(row.posting_since),
    wanted: Number(row.wanted),
    shown: Number(row.shown),
    drawn: text(row.drawn),
    tries: Number(row.tries),
  };
}
