import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type FollowerPorts, type Outlet, followForever } from '@proviso/channels';
import type { Channel, PromotionId, WorkspaceId } from '@proviso/domain';
import type { Reads } from '@proviso/journal';
import { bulletinOf } from './bulletin-of.ts';
import type { Parts } from './parts.ts';
import { openSlackSocket } from './slack/slack-socket.ts';

/** One page of open promotions, and as many pages as a busy workspace has; the rest is told when something happens to it. */
const pageSize = 100;
const pagesMax = 10;

/** The channels of this process at work. */
export interface Channels {
  /** Ends within a call to an outlet; what is not said then is said by the next process. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts whatever channels are set up. It runs here and not in the worker since what is said is what this API answers:
 * the same views, by the same code. Of several replicas one follows; every one hears.
 */
export function startChannels(parts: Parts): Channels {
  const stopping = new AbortController();
  const { slack } = parts;
  const works: Promise<unknown>[] = [];
  if (slack !== null) {
    const { workspace, calls } = slack;
    const ports = followerPorts(parts, { workspace, channel: 'slack', outlet: calls.outlet });
    works.push(followForever(ports, stopping.signal));
    works.push(openSlackSocket(parts, slack, stopping.signal));
  }
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(works);
      await slack?.idle();
    },
  };
}

/** What a follower of one channel works with; a test holds it by these. */
export function followerPorts<Message extends object>(
  parts: Pick<Parts, 'journal' | 'config' | 'store' | 'now' | 'log'>,
  {
    workspace,
    channel,
    outlet,
  }: { readonly workspace: WorkspaceId; readonly channel: Channel; readonly outlet: Outlet<Message> },
): FollowerPorts<Message> {
  const reads = parts.journal.reads(workspace);
  return {
    ...{ log: reads, outlet, holder: randomUUID(), now: parts.now },
    register: parts.journal.prompts(workspace, channel),
    bulletin: (promotion) => bulletinOf({ ...parts, reads }, promotion),
    openPromotions: () => openPromotions(reads),
    drawToken: () => randomBytes(32).toString('base64url'),
    pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
    note: (event, facts) => parts.log.warn({ channel, ...facts }, event),
  };
}

async function openPromotions(reads: Reads): Promise<readonly PromotionId[]> {
  const found: PromotionId[] = [];
  let after: string | null = null;
  for (let page = 0; page < pagesMax; page += 1) {
    const { items, next } = await reads.promotions({
      open: true,
      limit: pageSize,
      ...(after === null ? {} : { after }),
    });
    found.push(...items.map(({ state }) => state.id));
    if (next === null) break;
    after = next;
  }
  return found;
}
