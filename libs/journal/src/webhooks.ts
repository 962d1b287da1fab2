import { type WebhookId, uuidOf, type WorkspaceId } from '@proviso/domain';
import type { Page } from './port.ts';
import type { Row, Session } from './session.ts';
import { type Statement, statement } from './statement.ts';
import type { Vault } from './vault/vault.ts';

/** A webhook of a workspace. */
export interface WebhookRef {
  readonly workspace: WorkspaceId;
  readonly webhook: WebhookId;
}

/** How far its deliveries are written, and how many of them wait. */
export interface WebhookStanding {
  readonly types: readonly string[];
  readonly cursor: number;
  readonly waiting: number;
}

/** A delivery that is about to be tried, with where to and signed by what. Held for one try; if we die it is tried again. */
export interface DueDelivery {
  readonly id: string;
  readonly position: number;
  readonly type: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  readonly address: string;
  /** The newest first; two while one is being replaced. */
  readonly secrets: readonly string[];
}

/** What came of one try. */
export interface Tried {
  readonly id: string;
  readonly attempt: number;
  readonly kind: 'taken' | 'failed' | 'gone';
  readonly status: number | null;
  readonly failure: string | null;
  /** When it failed: after this long it is tried again, unless its time is over by then. */
  readonly delayMs: number;
  readonly giveUpAfterMs: number;
}

/** A delivery as its log shows it. */
export interface DeliveryView {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly state: 'waiting' | 'delivered' | 'given_up' | 'stopped';
  readonly attempts: number;
  readonly createdAt: number;
  /** When it is tried next; null once it is not tried any more. */
  readonly dueAt: number | null;
  readonly endedAt: number | null;
  /** Of the last try: the status that was answered, or why there was none. */
  readonly status: number | null;
  readonly failure: string | null;
}

/** What delivering to webhooks needs of the database. Nothing here is decided, and nothing is an entry. */
export interface Webhooks {
  /** Null when it was removed or is told nothing any more. */
  readonly standing: (ref: WebhookRef) => Promise<WebhookStanding | null>;
  /** Writes down what is to be sent and how far the log was read, once for each stretch of it. */
  readonly enqueue: (
    ref: WebhookRef,
    stretch: {
      readonly from: number;
      readonly to: number;
      readonly deliveries: readonly { readonly position: number; readonly type: string; readonly subject: string }[];
    },
  ) => Promise<void>;
  /** Takes the next delivery that is due and that nothing earlier of its subject stands before. */
  readonly claim: (ref: WebhookRef) => Promise<DueDelivery | null>;
  readonly settle: (ref: WebhookRef, tried: Tried) => Promise<void>;
  /** The log of deliveries, newest first. */
  readonly deliveries: (
    ref: WebhookRef,
    page: { readonly after?: string; readonly limit: number },
  ) => Promise<Page<DeliveryView>>;
  readonly delivery: (ref: WebhookRef, id: string) => Promise<DeliveryView | null>;
}

/** A try takes a few seconds; whoever holds one longer is dead, and somebody else tries again. */
const claimMs = 30_000;

/** What ended longer ago is nobody's question any more. */
const keptDays = 30;

const readStanding = statement(
  'webhook.standing',
  `select types, cursor, (select count(*) from proviso.webhook_delivery where workspace = $1 and webhook = $2 and state = 'waiting') as waiting
     from proviso.webhook where workspace = $1 and id = $2 and active`,
);
// Whoever else read the same stretch wrote the same deliveries; only one of both moves the cursor.
const enqueue = statement(
  'webhook.enqueue',
  `with moved as (
     update proviso.webhook set cursor = $4 where workspace = $1 and id = $2 and cursor = $3 and active returning 1
   )
   insert into proviso.webhook_delivery (workspace, webhook, position, type, subject, state)
   select $1, $2, t.position, t.type, t.subject, 'waiting'
     from unnest($5::bigint[], $6::text[], $7::text[]) with ordinality as t(position, type, subject, n), moved order by t.n`,
);
// With each stretch what ended long ago goes, so that no sweep is needed.
const forgetEnded = statement(
  'webhook.forget',
  `delete from proviso.webhook_delivery where workspace = $1 and webhook = $2 and ended_at < clock_timestamp() - $3 * interval '1 day'`,
);
const claimNext = statement(
  'webhook.claim',
  `with next as (
     select d.id from proviso.webhook_delivery d
      where d.workspace = $1 and d.webhook = $2 and d.state = 'waiting' and d.due_at <= clock_timestamp()
        and exists (select 1 from proviso.webhook w where w.workspace = $1 and w.id = $2 and w.active)
        and not exists (select 1 from proviso.webhook_delivery b
                         where b.workspace = $1 and b.webhook = $2 and b.state = 'waiting' and b.subject = d.subject and b.ordinal < d.ordinal)
      order by d.ordinal limit 1 for update skip locked
   )
   update proviso.webhook_delivery d
      set attempts = d.attempts + 1, started_at = coalesce(d.started_at, clock_timestamp()),
          due_at = clock_timestamp() + $3 * interval '1 millisecond'
     from next where d.workspace = $1 and d.id = next.id
   returning d.id, d.position, d.type, d.attempts`,
);
const readSealed = statement(
  'webhook.sealed',
  `select number, sealed from proviso.webhook_sealed
    where workspace = $1 and webhook = $2 and (ends_at is null or ends_at > clock_timestamp()) order by number desc`,
);
const settleTried = statement(
  'webhook.settle',
  `with t as (
     select id, case when $4 = 'taken' then 'delivered' when $4 = 'gone' then 'stopped'
                     when clock_timestamp() + $7 * interval '1 millisecond' > started_at + $8 * interval '1 millisecond' then 'given_up'
                     else 'waiting' end as state
       from proviso.webhook_delivery where workspace = $1 and id = $2 and attempts = $3 and state = 'waiting'
   )
   update proviso.webhook_delivery d
      set state = t.state, status = $5, failure = $6, due_at = clock_timestamp() + $7 * interval '1 millisecond',
          ended_at = case when t.state = 'waiting' then null else clock_timestamp() end
     from t where d.workspace = $1 and d.id = t.id`,
);
const columns = `id, type, subject, state, attempts, created_at, due_at, ended_at, status, failure`;
const listDeliveries = statement(
  'webhook.deliveries',
  `select ${columns} from proviso.webhook_delivery where workspace = $1 and webhook = $2
      and ($3::text is null or ordinal < (select ordinal from proviso.webhook_delivery where workspace = $1 and webhook = $2 and id = $3))
    order by ordinal desc limit $4`,
);
const readDelivery = statement(
  'webhook.delivery',
  `select ${columns} from proviso.webhook_delivery where workspace = $1 and webhook = $2 and id = $3`,
);

/** The database's side of delivering, each call in the workspace of its webhook. */
export function webhooksOf(session: Session, vault: Vault): Webhooks {
  const written = async (
    { workspace, webhook }: WebhookRef,
    ...all: readonly (readonly [Statement, ...unknown[]])[]
  ): Promise<readonly (readonly Row[])[]> =>
    await session.transaction(workspace, async (transaction) => {
      const rows = all.map(([what, ...values]) => transaction.run(what, [uuidOf(workspace), webhook, ...values]));
      const [answers] = await Promise.all([Promise.all(rows), transaction.commit()]);
      return answers;
    });
  return {
    standing: async (ref) => {
      const [[row] = []] = await written(ref, [readStanding]);
      if (row === undefined) return null;
      return { types: row.types as string[], cursor: Number(row.cursor), waiting: Number(row.waiting) };
    },
    enqueue: async (ref, { from, to, deliveries }) => {
      const column = <Name extends 'position' | 'type' | 'subject'>(name: Name) => deliveries.map((one) => one[name]);
      const stretch = [from, to, column('position'), column('type'), column('subject')] as const;
      await written(ref, [enqueue, ...stretch], [forgetEnded, keptDays]);
    },
    claim: async (ref) => {
      const [[row] = [], sealed = []] = await written(ref, [claimNext, claimMs], [readSealed]);
      if (row === undefined) return null;
      const opened = sealed.map((one) =>
        vault.openText(sealedAs(ref.webhook, Number(one.number)), one.sealed as Buffer),
      );
      const [address = '', ...secrets] = opened.toReversed();
      const { id, position, type, attempts } = row;
      return {
        ...{ id: String(id), position: Number(position), type: String(type), attempt: Number(attempts) },
        ...{ address, secrets: secrets.toReversed() },
      };
    },
    settle: async ({ workspace }, { id, attempt, kind, status, failure, delayMs, giveUpAfterMs }) => {
      const values = [uuidOf(workspace), id, attempt, kind, status, failure, delayMs, giveUpAfterMs];
      await session.transaction(workspace, (transaction) =>
        Promise.all([transaction.run(settleTried, values), transaction.commit()]),
      );
    },
    deliveries: async (ref, { after, limit }) => {
      const [rows = []] = await written(ref, [listDeliveries, after ?? null, limit + 1]);
      const items = rows.slice(0, limit).map(viewOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    delivery: async (ref, id) => {
      const [[row] = []] = await written(ref, [readDelivery, id]);
      return row === undefined ? null : viewOf(row);
    },
  };
}

/** What a sealed text is of: a row that was put in another's place is not opened as that one's. */
export function sealedAs(webhook: WebhookId, number: number): string {
  return `${webhook}/${number}`;
}

function viewOf(row: Row): DeliveryView {
  const state = row.state as DeliveryView['state'];
  return {
    ...{ id: String(row.id), type: String(row.type), subject: String(row.subject), state },
    attempts: Number(row.attempts),
    createdAt: (row.created_at as Date).getTime(),
    dueAt: state === 'waiting' ? (row.due_at as Date).getTime() : null,
    endedAt: row.ended_at === null ? null : (row.ended_at as Date).getTime(),
    status: row.status === null ? null : Number(row.status),
    failure: row.failure as string | null,
  };
}
