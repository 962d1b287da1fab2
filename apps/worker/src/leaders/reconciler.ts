import { type Onward, builtinPrincipals } from '@proviso/domain';
import type { Journal, Leadership, OpenPromotion } from '@proviso/journal';
import type { Clock, Log } from '../ports.ts';
import { type LaneMemory, checkLanes, emptyLaneMemory } from './lane-check.ts';
import { type LeaderWork, nameOf } from './leader.ts';
import type { Starter } from './starter.ts';

/** Between two rounds; with the idle bound it keeps every promotion within a minute of somebody's look. */
const roundMs = 10_000;
/** The waker and the workflow need less for anything; what rests longer is looked at. */
const idleMs = 30_000;
/** Read oldest first, so that a flood of new ones hides none that is stuck. */
const openMax = 1_000;
/** A promotion that rightly waits is asked again after this, so that a lost Temporal is noticed within a minute. */
const askAgainMs = 30_000;
/**
 * Woken and idle again with work due means that it waits for a lane, which the journal tells the run and not us. Waking it
 * each round would fill its history; after the first wake, which mends whatever was lost, the pause doubles up to this.
 */
const wakeAgainMsMax = 600_000;

/** What the reconciler needs. */
export interface ReconcilerPorts {
  readonly journal: Pick<Journal, 'submit' | 'reads' | 'edgeReports'>;
  readonly starter: Starter;
  readonly clock: Clock;
  readonly log: Log;
  /** Now and then removes evidence that nothing names; see `collector.ts`. */
  readonly collect: (leadership: Leadership) => Promise<void>;
  /** Sees that each live release is watched; see `watch-keeper.ts`. */
  readonly watch: (leadership: Leadership) => Promise<void>;
}

interface Memory {
  rounds: number;
  readonly known: Map<string, Known>;
  readonly lanes: LaneMemory;
}

/** What is remembered of an open promotion between rounds. */
interface Known {
  readonly idleMs: number;
  readonly restUntil: number;
  readonly wakes: number;
}

/** Compares what is open in the journal with what runs in Temporal, mends the difference, and says what it found. */
export function reconcilerWork(ports: ReconcilerPorts): LeaderWork {
  const memory: Memory = { rounds: 0, known: new Map(), lanes: emptyLaneMemory() };
  return {
    name: 'reconciler',
    turn: async (leadership, signal) => {
      await reconcileOpen(ports, { memory, leadership, signal });
      await checkLanes(ports, memory.lanes).catch((error: unknown) =>
        ports.log.warn({ error: nameOf(error) }, 'reconciler.lanes_unread'),
      );
      await ports
        .watch(leadership)
        .catch((error: unknown) => ports.log.warn({ error: nameOf(error) }, 'reconciler.watches_unkept'));
      await ports
        .collect(leadership)
        .catch((error: unknown) => ports.log.warn({ error: nameOf(error) }, 'reconciler.orphans_kept'));
      await ports.clock.pause(roundMs, signal).catch(() => undefined);
    },
  };
}

async function reconcileOpen(
  ports: ReconcilerPorts,
  round: { memory: Memory; leadership: Leadership; signal: AbortSignal },
): Promise<void> {
  const { memory, leadership, signal } = round;
  memory.rounds += 1;
  const open = await leadership.open(openMax);
  const names = new Set<string>(open.map((each) => each.promotion));
  for (const known of memory.known.keys()) if (!names.has(known)) memory.known.delete(known);
  for (const each of open) {
    if (signal.aborted) return;
    memory.lanes.workspaces.add(each.workspace);
    const known = memory.known.get(each.promotion);
    // Less idle than before means that something has happened, and everything remembered is old.
    if (known !== undefined && each.idleMs < known.idleMs) memory.known.delete(each.promotion);
    else if ((known?.restUntil ?? 0) > ports.clock.now()) continue;
    if (each.idleMs < idleMs) continue;
    try {
      await reconcile(ports, { each, memory, epoch: leadership.epoch });
    } catch (error) {
      ports.log.warn({ promotion: each.promotion, error: nameOf(error) }, 'reconciler.put_off');
    }
  }
}

async function reconcile(
  ports: ReconcilerPorts,
  { each, memory, epoch }: { each: OpenPromotion; memory: Memory; epoch: number },
): Promise<void> {
  const { starter, log, clock } = ports;
  const onward = await tick(ports, each, `reconciler/${each.promotion}/${epoch}/${memory.rounds}`);
  const standing = await starter.standing(each);
  const mended = mendingOf(standing, onward);
  if (mended !== null)
    log.warn({ promotion: each.promotion, standing, onward: onward.kind, mended }, 'reconciler.found');
  if (mended === 'restarted') await starter.drop(each);
  if (mended !== null) await starter.wake(each);
  const now = clock.now();
  const wakes = (memory.known.get(each.promotion)?.wakes ?? 0) + (mended === 'woken' ? 1 : 0);
  const until = onward.kind === 'wait' ? (onward.until ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  const pauseMs = mended === 'woken' ? Math.min(wakeAgainMsMax, askAgainMs * 2 ** (wakes - 1)) : askAgainMs;
  memory.known.set(each.promotion, { idleMs: each.idleMs, wakes, restUntil: Math.min(until, now + pauseMs) });
}

/** What a run needs, by how it stands and what the journal says is next; null when all is well. */
function mendingOf(standing: Awaited<ReturnType<Starter['standing']>>, onward: Onward): string | null {
  switch (standing) {
    case 'wedged':
      return 'restarted';
    case 'missing':
    case 'closed':
      return 'started';
    case 'working':
      return null;
    case 'idle':
      // Resting is right only while there is nothing to do but wait.
      return onward.kind === 'wait' ? null : 'woken';
  }
}

async function tick(ports: ReconcilerPorts, { workspace, promotion }: OpenPromotion, key: string): Promise<Onward> {
  const receipt = await ports.journal.submit({
    workspace,
    actor: builtinPrincipals.keeper.id,
    command: { kind: 'Tick', promotion },
    idempotencyKey: key,
    authn: 'service/worker',
  });
  if (receipt.kind === 'accepted' && receipt.answer.kind === 'onward') return receipt.answer.onward;
  throw new Error('expected an onward');
}
