import type { Cursor, LaneId, PromotionId, PromptRegister, PrototypeId } from '@proviso/domain';
import type { Bulletin } from './bulletin.ts';
import { openDelivery } from './delivery.ts';
import type { Outlet } from './outlet.ts';

/** An entry as far as a follower looks at it. */
export interface FollowedEntry {
  readonly stream: string;
  readonly streamId: string;
  readonly position: number | null;
}

/** What a follower works with. Time and randomness come in here. */
export interface FollowerPorts<Message extends object = object> {
  readonly register: PromptRegister;
  /** The public order of one workspace. */
  readonly log: {
    readonly events: (query: { readonly after: number; readonly limit: number }) => Promise<readonly FollowedEntry[]>;
    readonly log: () => Promise<{ readonly incarnation: string; readonly last: number }>;
  };
  /** Null for a promotion that is not there. */
  readonly bulletin: (promotion: PromotionId) => Promise<Bulletin | null>;
  readonly openPromotions: () => Promise<readonly PromotionId[]>;
  /** Whose lane it is; null for one that is not there. */
  readonly prototypeOf: (lane: LaneId) => Promise<PrototypeId | null>;
  readonly outlet: Outlet<Message>;
  /** This process, among all that could follow. */
  readonly holder: string;
  readonly drawToken: () => string;
  readonly now: () => number;
  readonly pause: (durationMs: number, signal: AbortSignal) => Promise<void>;
  readonly note: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Entries of one turn; a burst takes several. */
const batchMax = 500;

/** How late an entry may be seen: with the sequencer's half second at the worst well within two. */
const pollMs = 200;

/** Who dies loses the lead after this; who lives renews it with every turn. */
const leaseMs = 5_000;

/** Another process follows, or the database is away. */
const retryMs = 1_000;

/**
 * Follows the log for one channel until the signal ends it. Two loops that know nothing of each other's pace: one calls
 * copies behind as entries come, the other brings copies up to date. So a channel that is away holds up nothing but its
 * own messages, and what was missed meanwhile is one update, since what a copy says follows from the newest state alone.
 * Never throws: background work outlives its database.
 */
export async function followForever<Message extends object>(
  ports: FollowerPorts<Message>,
  signal: AbortSignal,
): Promise<void> {
  const delivery = openDelivery(ports);
  let epoch: number | null = null;
  const following = async (): Promise<number> => {
    epoch = await followTurn(ports);
    return epoch === null ? retryMs : pollMs;
  };
  const delivering = async (): Promise<number> => {
    if (epoch === null) return pollMs;
    return (await delivery.turn(epoch)) ? 0 : pollMs;
  };
  await Promise.all([forever(ports, signal, following), forever(ports, signal, delivering)]);
  await ports.register.release(ports.holder).catch(() => undefined);
}

async function forever(
  ports: Pick<FollowerPorts, 'note' | 'pause'>,
  signal: AbortSignal,
  turn: () => Promise<number>,
): Promise<void> {
  let trouble = false;
  while (!signal.aborted) {
    let restMs = retryMs;
    try {
      restMs = await turn();
      if (trouble) ports.note('follower.back', {});
      trouble = false;
    } catch (error) {
      // Once per change of state: a database that is away for an hour is one line.
      if (!trouble && !signal.aborted) ports.note('follower.trouble', { error: nameOf(error) });
      trouble = true;
    }
    if (restMs > 0) await ports.pause(restMs, signal).catch(() => undefined);
  }
}

/**
 * One turn: takes or keeps the lease, reads what is new and calls the copies of its promotions behind. Answers the epoch
 * under which we follow; null while somebody else does. If we die in it the next turn reads the same entries again.
 */
export async function followTurn<Message extends object>(ports: FollowerPorts<Message>): Promise<number | null> {
  const { register, log, holder } = ports;
  const lease = await register.lease(holder, leaseMs);
  if (lease === null) return null;
  const { epoch, cursor } = lease;
  const now = await log.log();
  // The first turn, and positions of another life of the log, which name other entries: everything is looked at once.
  if (cursor === null || cursor.incarnation !== now.incarnation) {
    const after = { incarnation: now.incarnation, position: now.last };
    return await step(ports, epoch, { after, all: true, named: await ports.openPromotions(), prototypes: [] });
  }
  const entries = await log.events({ after: cursor.position, limit: batchMax });
  if (entries.length === 0) return epoch;
  const position = entries.at(-1)?.position ?? cursor.position;
  const named = idsOf(entries, 'promotion') as readonly PromotionId[];
  // Lanes and rights change what is said about promotions without an entry of theirs: the one about those of its prototype,
  // the other about any.
  const lanes = idsOf(entries, 'lane') as readonly LaneId[];
  const owners = await Promise.all(lanes.map(ports.prototypeOf));
  const prototypes = [...new Set(owners.filter((owner) => owner !== null))];
  const all = entries.some(({ stream }) => stream === 'person');
  return await step(ports, epoch, { after: { ...cursor, position }, named, prototypes, all });
}

function idsOf(entries: readonly FollowedEntry[], of: string): readonly string[] {
  return [...new Set(entries.flatMap(({ stream, streamId }) => (stream === of ? [streamId] : [])))];
}

interface Step {
  readonly after: Cursor;
  /** Promotions to which something happened: their copies are behind, and others may be wished for. */
  readonly named: readonly PromotionId[];
  /** The copies of their open promotions are behind. */
  readonly prototypes: readonly PrototypeId[];
  /** Every copy that is not final is behind. */
  readonly all: boolean;
}

async function step<Message extends object>(
  ports: FollowerPorts<Message>,
  epoch: number,
  { after, named, prototypes, all }: Step,
): Promise<number | null> {
  const bulletins = await Promise.all(named.map(ports.bulletin));
  const wishes = bulletins.flatMap((bulletin) => (bulletin === null ? [] : ports.outlet.wishes(bulletin)));
  const drawn = wishes.map((wish) => ({ ...wish, token: ports.drawToken() }));
  const wanted = { cursor: after, named, prototypes, all, wishes: drawn };
  return (await ports.register.advance(epoch, wanted)) ? epoch : null;
}

/** An error's closed code or name: messages of drivers may hold addresses and are not logged. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
