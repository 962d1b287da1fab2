import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type FollowerPorts, type Outlet, answerForever, followForever } from '@proviso/channels';
import type { Channel, PromotionId, WorkspaceId } from '@proviso/domain';
import type { Reads } from '@proviso/journal';
import { bulletinOf } from './bulletin-of.ts';
import { answeringPorts } from './github/github-questions.ts';
import type { Parts } from './parts.ts';
import { openSlackSocket } from './slack/slack-socket.ts';

/** One page of open promotions, and as many pages as a busy workspace has; the rest is told when something happens to it. */
const pageSize = 100;
const pagesMax = 10;

/** How old the word about what is usual may be. */
const usualMsMax = 30_000;

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
  const { slack, github } = parts;
  const works: Promise<unknown>[] = [];
  if (slack !== null) {
    const { workspace, calls } = slack;
    const ports = followerPorts(parts, { workspace, channel: 'slack', outlet: calls.outlet });
    works.push(followForever(ports, stopping.signal));
    works.push(openSlackSocket(parts, slack, stopping.signal));
  }
  if (github !== null) {
    const ports = followerPorts(parts, { workspace: github.workspace, channel: 'github', outlet: github.outlet });
    works.push(followForever(ports, stopping.signal));
    const answering = answeringPorts(parts, { ...github, follower: ports });
    works.push(answerForever(answering, stopping.signal));
  }
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(works);
      await Promise.all([slack?.idle(), github?.idle()]);
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
  const pastWaits = rarely(() => reads.pastWaits('approval'), parts.now);
  return {
    ...{ log: reads, outlet, holder: randomUUID(), now: parts.now },
    register: parts.journal.prompts(workspace, channel),
    bulletin: (promotion) => bulletinOf({ ...parts, reads, pastWaits }, promotion),
    openPromotions: () => openPromotions(reads),
    prototypeOf: async (lane) => (await reads.lane(lane))?.state.prototype ?? null,
    drawToken: () => randomBytes(32).toString('base64url'),
    pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
    note: (event, facts) => parts.log.warn({ channel, ...facts }, event),
  };
}

/** Reads anew only after a while: what is usual does not change from vote to vote, and costs more than all the rest. */
function rarely<Read>(read: () => Promise<Read>, now: () => number): () => Promise<Read> {
  let known: { readonly at: number; readonly value: Promise<Read> } | null = null;
  return async () => {
    if (known === null || now() - known.at > usualMsMax) {
      const value = read();
      known = { at: now(), value };
      // What could not be read is read again by the next who asks.
      value.catch(() => {
        known = null;
      });
    }
    return await known.value;
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
