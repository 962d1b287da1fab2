import { cancelPromotion, listPromotions, type Prototype, readLane, resumeLane, trustPrototype } from '@proviso/client';
import { follow, isOver } from '../follow.ts';
import { ensurePrototype, nameInContract } from '../promoting.ts';
import { readPromotion } from '../reading.ts';
import { Trouble } from '../trouble.ts';
import type { Cast } from './cast.ts';
import { type DemoScript, folderOf } from './script.ts';

/** What is needed to make a lane ready. */
export interface LaneStage {
  readonly script: DemoScript;
  readonly cast: Cast;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A tidy-up is one step of the workflow; a worker that was killed meanwhile is back within seconds. */
const TIDY_TIMEOUT_MS = 30_000;
/** A demo leaves at most its four versions behind. */
const LEFTOVERS_MAX = 50;

/**
 * Makes the lane as a demo wants to find it, and gives the prototype's name: an operator vouches, stops what an
 * interrupted demo has left on its way, and lets the lane go that the last demo's rollback has held.
 */
export async function prepareLane(stage: LaneStage): Promise<string> {
  const { script, cast, say } = stage;
  const [first] = script.versions;
  if (first === undefined) throw new Trouble('expected a version to show, got none');
  const prototype = await ensurePrototype(cast.builder, await nameInContract(folderOf(script, first)), say);
  if (!prototype.trusted) {
    const order = { path: { id: prototype.id }, body: { trusted: true } };
    await cast.operator.write((options) => trustPrototype({ ...options, ...order }));
    say(`${script.cast.operator} vouches for ${prototype.name}: its releases may run where nothing can be isolated`);
  }
  await stopLeftovers(stage, prototype);
  const path = { id: prototype.lanes.production };
  const lane = await cast.operator.read((options) => readLane({ ...options, path }));
  if (lane.hold !== null) {
    const reason = 'the cause of the last rollback is known: it was the demo';
    await cast.operator.write((options) => resumeLane({ ...options, path, body: { reason } }));
    say(`${script.cast.operator} resumes the lane that was held since the last rollback`);
  }
  return prototype.name;
}

/** What is in the canary holds the lane, and nobody sends it users any more: the new promotion would only queue. */
async function stopLeftovers({ cast, script, say, signal }: LaneStage, prototype: Prototype): Promise<void> {
  const query = { prototype: prototype.id, open: 'true', limit: LEFTOVERS_MAX } as const;
  const { items } = await cast.operator.read((options) => listPromotions({ ...options, query }));
  // What a policy or a gate has blocked holds nothing; the next version supersedes it.
  for (const { id, candidate } of items.filter(({ state }) => state !== 'blocked')) {
    const order = { path: { id }, body: { reason: 'left on its way by a demo that was interrupted' } };
    await cast.operator.write((options) => cancelPromotion({ ...options, ...order }));
    await follow(() => readPromotion(cast.operator, id), {
      until: isOver,
      look: () => undefined,
      timeoutMs: TIDY_TIMEOUT_MS,
      signal,
    });
    say(`${script.cast.operator} stopped ${candidate.version}, which an interrupted demo had left on its way`);
  }
}
