import { edgeBounds } from '@proviso/domain';
import {
  type ArmTotals,
  compareFences,
  type EdgeLog,
  type EdgeOrders,
  type CountsThen,
  type EndedShare,
  type Fence,
  type LaneCounts,
  type LaneOrder,
} from '@proviso/targets';
import { type LaneCounter, latencyBoundsMs, openLaneCounter, openUnitMemory, type UnitMemory } from './counts.ts';

/** The share as visitors meet it, and what was counted when it began and under the one before. */
interface Drift {
  epoch: number;
  share: number;
  began: CountsThen;
  ended: EndedShare | null;
}

const nothingYet: CountsThen = countsNow(openLaneCounter());

/**
 * One lane as served now. Its counter is replaced at each change of fence, its epoch never goes back, and its memory of
 * units ends with the canary or the stable release that they were drawn for.
 */
export interface ServedLane {
  readonly order: LaneOrder;
  readonly leaseExpiresMs: number;
  readonly counter: LaneCounter;
  readonly memory: UnitMemory;
  /** True once any share was ordered for this canary: from then on units are drawn. */
  readonly hasDrawn: boolean;
  readonly since: Date;
  readonly sinceMs: number;
  readonly ignoredFence: Fence | null;
  readonly drift: Drift;
}

/** The lanes of an edge: which order counts, whether its lease lives, and what was counted under it. */
export interface LaneTable {
  /** Takes over the answer to a poll that was sent at `sentMs`; older fences than the one being served are ignored. */
  readonly apply: (orders: EdgeOrders, sentMs: number) => void;
  /** What is served now, to be remembered and handed to the supervisor. */
  readonly orders: () => readonly LaneOrder[];
  readonly lanes: () => readonly ServedLane[];
  readonly get: (lane: string) => ServedLane | null;
  readonly byHost: (host: string) => ServedLane | null;
  /** The canary's share by order and lease alone. */
  readonly leasedShare: (lane: ServedLane) => number;
  /** The canary's share as visitors meet it; noticing a change begins a new epoch. */
  readonly servedShare: (lane: ServedLane) => number;
  readonly isParked: (lane: ServedLane) => boolean;
  readonly leaseRemainingMs: (lane: ServedLane) => number;
  readonly countsOf: (lane: ServedLane) => LaneCounts;
}

/** What a table is given; `nowMs` is monotonic and the only clock that a lease knows. */
export interface LaneTableOptions {
  readonly boot: string;
  readonly nowMs: () => number;
  readonly wallClock: () => Date;
  readonly isReady: (lane: string, release: string) => boolean;
  readonly log: EdgeLog;
}

/** However long the API says: after this a share that nobody renews is gone. */
export const LEASE_MS_MAX = 30_000;
// Fences of lanes that are gone are remembered so that an old order cannot bring them back; far more than lanes exist.
const RETIRED_FENCES_MAX = 10_000;

/** Opens a table without lanes. */
export function openLaneTable(options: LaneTableOptions): LaneTable {
  const { nowMs, isReady } = options;
  let lanes = new Map<string, ServedLane>();
  let hosts = new Map<string, ServedLane>();
  const retired = new Map<string, Fence>();
  const leasedShare = (lane: ServedLane): number => (nowMs() < lane.leaseExpiresMs ? shareOrdered(lane.order) : 0);
  const servedShare = (lane: ServedLane): number => {
    const { canary } = lane.order;
    const share = canary !== null && isReady(lane.order.lane, canary.release) ? leasedShare(lane) : 0;
    if (share !== lane.drift.share) {
      turn(lane, share);
    }
    return share;
  };
  const isParked = (lane: ServedLane): boolean => needsLease(lane.order) && nowMs() >= lane.leaseExpiresMs;
  return {
    apply: (orders, sentMs) => {
      const next = new Map<string, ServedLane>();
      for (const order of orders.lanes) {
        const known = lanes.get(order.lane) ?? null;
        const served = serve({ order, known, retired: retired.get(order.lane) ?? null, sentMs }, options);
        if (served !== null) next.set(order.lane, served);
      }
      for (const [name, lane] of lanes) if (!next.has(name)) retired.set(name, lane.order.fence);
      for (const name of retired.keys()) if (next.has(name) || retired.size > RETIRED_FENCES_MAX) retired.delete(name);
      lanes = next;
      // The first lane that claims a host has it; the API keeps them apart.
      hosts = new Map(
        [...next.values()].toReversed().flatMap((lane) => lane.order.hosts.map((host) => [host, lane] as const)),
      );
    },
    orders: () => [...lanes.values()].map((lane) => lane.order),
    lanes: () => [...lanes.values()],
    get: (lane) => lanes.get(lane) ?? null,
    byHost: (host) => hosts.get(host) ?? null,
    leasedShare,
    servedShare,
    isParked,
    leaseRemainingMs: (lane) => (needsLease(lane.order) ? Math.max(0, lane.leaseExpiresMs - nowMs()) : 0),
    countsOf: (lane) => {
      const weightPercent = servedShare(lane) * 100;
      return {
        lane: lane.order.lane,
        boot: options.boot,
        fence: lane.order.fence,
        weightPercent,
        parked: isParked(lane),
        epoch: lane.drift.epoch,
        since: lane.since.toISOString(),
        ageMs: Math.round(nowMs() - lane.sinceMs),
        latencyBoundsMs,
        reportedBounds: { score: edgeBounds.score, cost: edgeBounds.cost },
        ...lane.counter.read(),
        began: lane.drift.began,
        ...(lane.drift.ended && { ended: lane.drift.ended }),
      };
    },
  };
}

interface Arrival {
  readonly order: LaneOrder;
  readonly known: ServedLane | null;
  readonly retired: Fence | null;
  readonly sentMs: number;
}

function serve({ order, known, retired, sentMs }: Arrival, options: LaneTableOptions): ServedLane | null {
  const fence = known?.order.fence ?? retired;
  const age = fence === null ? 1 : compareFences(order.fence, fence);
  if (age < 0) {
    options.log('warn', 'order.ignored', { lane: order.lane, fence: order.fence, served: fence });
    return known === null ? null : { ...known, ignoredFence: order.fence };
  }
  // Counted from when the poll was sent: the lease may only ever end too early here, never too late.
  const leaseMs = Math.min(order.leaseRemainingMs ?? 0, LEASE_MS_MAX);
  const leaseExpiresMs = needsLease(order) ? sentMs + leaseMs : Number.POSITIVE_INFINITY;
  const drift = known?.drift ?? { epoch: 0, share: 0, began: nothingYet, ended: null };
  if (known !== null && age === 0) return { ...known, order, leaseExpiresMs };
  Object.assign(drift, { epoch: drift.epoch + 1, began: nothingYet, ended: null });
  const { lane, weightPercent } = order;
  options.log('info', 'order.served', { lane, fence: order.fence, weightPercent, closed: order.closed });
  const goesOn = known !== null && known.hasDrawn && comparesSame(known.order, order);
  // Whoever came before the first share was met by no draw, and still is to be drawn.
  const memory = goesOn ? known.memory : openUnitMemory();
  const hasDrawn = goesOn || shareOrdered(order) > 0;
  const began = { counter: openLaneCounter(memory), since: options.wallClock(), sinceMs: options.nowMs() };
  return { order, leaseExpiresMs, memory, hasDrawn, ...began, ignoredFence: null, drift };
}

function comparesSame(before: LaneOrder, order: LaneOrder): boolean {
  return before.canary?.release === order.canary?.release && before.stable?.release === order.stable?.release;
}

/** Another share begins. Requests that are still under way belong to the one before and are not in it: both arms have such. */
function turn({ drift, counter }: ServedLane, share: number): void {
  const now = countsNow(counter);
  const { epoch, began } = drift;
  const ended = { epoch, weightPercent: drift.share * 100, began, ...now };
  counter.turn();
  Object.assign(drift, { epoch: epoch + 1, share, began: now, ended } satisfies Drift);
}

function countsNow(counter: LaneCounter): CountsThen {
  const { canary, stable, heats, turnedAway } = counter.read();
  return { canary: totalsOf(canary), stable: totalsOf(stable), turnedAway, heatsFinished: heats.finished };
}

function totalsOf({ requests, units, firstBadUnits, badEvents, firstLatencyHistogram = [] }: ArmTotals): ArmTotals {
  return { requests, units, firstBadUnits, badEvents, firstLatencyHistogram };
}

function shareOrdered(order: LaneOrder): number {
  return order.canary === null || order.closed ? 0 : order.weightPercent / 100;
}

function needsLease(order: LaneOrder): boolean {
  return order.canary !== null && order.weightPercent > 0 && order.weightPercent < 100;
}
