import { setTimeout as pause } from 'node:timers/promises';
import { openSlackSocket as open } from '@proviso/channels';
import { breakageOf } from '../log.ts';
import type { Parts } from '../parts.ts';
import type { SlackDesk } from './slack-desk.ts';

/** The client reconnects by itself; this is for a start without Slack. */
const retryMs = 5_000;

/** Hears Slack over Socket Mode until the signal ends it, when the app has a token for it. */
export async function openSlackSocket(parts: Pick<Parts, 'log'>, desk: SlackDesk, signal: AbortSignal): Promise<void> {
  const { appToken, apiUrl, hear } = desk;
  if (appToken === null) return;
  const note = (event: string): void => parts.log.warn({}, event);
  while (!signal.aborted) {
    try {
      const socket = await open({ apiUrl, appToken, hear, note });
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await socket.close();
    } catch (error) {
      parts.log.warn(breakageOf(error), 'slack.socket_away');
      await pause(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
