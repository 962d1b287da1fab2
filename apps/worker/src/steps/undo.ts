import type { Errand } from '../errand.ts';
import { observed, startPollMs } from '../release-start.ts';
import type { Acted } from '../step-outcome.ts';

/** The weight is 0 in the journal since the way back was ordered; this only gives the edge its second to follow. */
const followMsMax = 5_000;

/** Tidies up after a way back: sees the edge without the canary when it can, and closes the matter in any case. */
export async function undo(errand: Errand): Promise<Acted> {
  const { ports, clerk, grant, subject } = errand;
  ports.fault('during_rollback');
  await untilFollowed(errand);
  await clerk.submit({ kind: 'Undone', promotion: subject.promotion, fence: grant.fence }, errand.key('undone'));
  return { kind: 'ask' };
}

/** Best effort on purpose: without an edge there is no traffic, and a lapsed lease ends the share by itself. */
async function untilFollowed({ ports, state, grant, signal }: Errand): Promise<void> {
  const deadline = ports.clock.now() + followMsMax;
  while (ports.clock.now() < deadline) {
    const report = await observed(ports.edge, state.lanes.production, false).catch(() => null);
    if (report?.weightServedPercent === 0 && report.fence.counter >= (grant.laneFence ?? 0)) return;
    if (report === null) return;
    await ports.clock.pause(startPollMs, signal);
  }
  ports.log.warn({ promotion: state.id, lane: state.lanes.production }, 'undo.edge_behind');
}
