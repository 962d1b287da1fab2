import { setTimeout as pause } from 'node:timers/promises';
import { openPump } from '@proviso/journal';
import { startChannels } from './channels.ts';
import type { Deployment } from './deployment.contract.ts';

/** The follower of this process and a sequencer, at work. */
export interface Following {
  /** The follower alone; ends and begins as an API's does. */
  readonly channels: { stop: () => Promise<void>; start: () => void };
  /** Ends both. */
  readonly stop: () => Promise<void>;
}

/** Starts what channels need beside the API: their follower, and a sequencer, as a worker has one. */
export async function startFollowing(here: Deployment): Promise<Following> {
  const order = await startOrder(here);
  let channels = startChannels(here.parts);
  return {
    channels: {
      stop: () => channels.stop(),
      start: () => {
        channels = startChannels(here.parts);
      },
    },
    stop: async () => {
      await channels.stop();
      await order.stop();
    },
  };
}

/** Gives positions to entries as they come, until it is stopped; leads again when a busy machine has lost it the lead. */
async function startOrder(here: Deployment): Promise<{ stop: () => Promise<void> }> {
  const pump = await openPump({ url: here.pumpUrl, durable: false });
  let isOn = true;
  const led = async (): Promise<void> => {
    const leadership = await pump.lead('sequencer');
    if (leadership === null) throw new Error('expected to lead');
    try {
      while (isOn) if ((await leadership.sequence(500)) === 0) await leadership.awake(100);
    } finally {
      await leadership.resign().catch(() => undefined);
    }
  };
  const work = (async () => {
    while (isOn) await led().catch(() => pause(100));
  })();
  return {
    stop: async () => {
      isOn = false;
      await work;
      await pump.close();
    },
  };
}
