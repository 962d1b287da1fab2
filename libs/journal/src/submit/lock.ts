import {
  type Command,
  type LaneId,
  type PromotionId,
  type PrototypeState,
  reachOf,
  type StreamKind,
  type WorkspaceId,
  uuidOf,
} from '@proviso/domain';
import type { Row, Session, Transaction } from '../session.ts';
import { statement } from '../statement.ts';

/** A stream by kind and id. */
export interface StreamRef {
  readonly kind: StreamKind;
  readonly id: string;
}

/** What a transaction locks: promotions by id, then lanes, then others, so that no two transactions wait for each other. */
export interface LockPlan {
  readonly promotions: readonly PromotionId[];
  readonly lanes: readonly LaneId[];
  /** The promotion's own lanes are locked with it; their ids stand in its row. */
  readonly ownLanes: boolean;
  /** Streams that are locked last. */
  readonly others: readonly StreamRef[];
  /** The policy that is only kept from changing while a promotion pins it. */
  readonly kept: readonly string[];
}

// A state that the asker knows by its head stays where it is: reading it and sending it is most of a lock's cost.
const columns =
  'kind, id, revision, head, case when head = any($3::bytea[]) then null else state end as state, updated_at';

const lockPromotions = statement(
  'submit.lock',
  `select ${columns} from proviso.stream where workspace = $1 and kind = 'promotion' and id = any($2::text[]) order by id for update`,
);

const lockLanes = statement(
  'submit.lock_lanes',
  `select ${columns} from proviso.stream where workspace = $1 and kind = 'lane' and id = any($2::text[]) order by id for update`,
);

// The ids stand in the promotion's row, which is locked by then.
const lockOwnLanes = statement(
  'submit.lock_own_lanes',
  `select ${columns} from proviso.stream where workspace = $1 and kind = 'lane' and id = any(array(
     select lane.value from proviso.stream p, json_each_text(p.state->'lanes') as lane
      where p.workspace = $1 and p.kind = 'promotion' and p.id = any($2::text[]))) order by id for update`,
);

const lockOthers = statement(
  'submit.lock_others',
  `select s.* from unnest($2::text[], $4::text[]) as w(id, kind), lateral (
     select ${columns} from proviso.stream where workspace = $1 and kind = w.kind and id = w.id for update
   ) as s`,
);

const openRivals = statement(
  'submit.rivals',
  `select id from proviso.promotion_status where workspace = $1 and prototype = $2 and open order by id`,
);

const prototypeLanes = statement(
  'submit.prototype',
  `select state from proviso.stream where workspace = $1 and kind = 'prototype' and id = $2`,
);

/**
 * Locks the rows of a plan, part after part in the one order, and hands them out as they are now; a row whose head is
 * among those known comes without its state.
 */
export async function lock(
  transaction: Transaction,
  { workspace, plan, heads }: { workspace: WorkspaceId; plan: LockPlan; heads: readonly Buffer[] },
): Promise<readonly Row[]> {
  const { promotions, lanes, ownLanes, others } = plan;
  const at = uuidOf(workspace);
  const kinds = others.map((one) => one.kind);
  const ids = others.map((one) => one.id);
  const parts = [
    ...(promotions.length > 0 ? [transaction.run(lockPromotions, [at, promotions, heads])] : []),
    ...(ownLanes ? [transaction.run(lockOwnLanes, [at, promotions, heads])] : []),
    ...(lanes.length > 0 ? [transaction.run(lockLanes, [at, lanes, heads])] : []),
    ...(others.length > 0 ? [transaction.run(lockOthers, [at, ids, heads, kinds])] : []),
  ];
  return (await Promise.all(parts)).flat();
}

/** Open promotions of a prototype; asked before the lock to know what to lock, and after it to know that it still holds. */
export async function rivalsOf(
  transaction: Transaction,
  workspace: WorkspaceId,
  prototype: string,
): Promise<readonly PromotionId[]> {
  const rows = await transaction.run(openRivals, [uuidOf(workspace), prototype]);
  return rows.map((row) => row.id as PromotionId);
}

/** What a command locks. Only the opening of a promotion has to look first, since its rivals are not in its reach by id. */
export async function planOf(session: Session, workspace: WorkspaceId, command: Command): Promise<LockPlan> {
  const reach = reachOf(command);
  // Named in one order everywhere, which is the order in which they are locked.
  const others: StreamRef[] = [
    ...(reach.prototype === undefined ? [] : [{ kind: 'prototype', id: reach.prototype } as const]),
    ...(reach.person === undefined ? [] : [{ kind: 'person', id: reach.person } as const]),
    ...(reach.policy === undefined || reach.rivals ? [] : [{ kind: 'policy', id: reach.policy } as const]),
    ...(reach.workspace ? [{ kind: 'workspace', id: workspace } as const] : []),
  ];
  const kept = reach.policy !== undefined && reach.rivals ? [reach.policy] : [];
  const promotions = reach.promotion === undefined ? [] : [reach.promotion];
  const plan = {
    promotions,
    lanes: reach.lane === undefined ? [] : [reach.lane],
    ownLanes: reach.ownLanes === true,
    others,
    kept,
  };
  if (!reach.rivals || reach.prototype === undefined) return plan;
  const prototype = reach.prototype;
  return await session.transaction(workspace, async (transaction) => {
    const [rivals, rows] = await Promise.all([
      rivalsOf(transaction, workspace, prototype),
      transaction.run(prototypeLanes, [uuidOf(workspace), prototype]),
    ]);
    const lanes = (rows[0]?.state as PrototypeState | undefined)?.lanes;
    return {
      ...plan,
      promotions: [...promotions, ...rivals],
      lanes: lanes === undefined ? [] : [lanes.staging, lanes.production],
      ownLanes: false,
    };
  });
}
