import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LOOPBACK, freePort } from '@proviso/servers';
import { Trouble } from './trouble.ts';

/** What a port is for, in the words of the message. */
export interface PortUse {
  readonly name: string;
  readonly flag: string;
  /** How long to wait for it: the parts of a deployment that was just killed still have it for a moment. */
  readonly patienceMs?: number;
}

const RETRY_PAUSE_MS = 200;

/** The port asked for, checked before anything is started; 0 asks for any free one. */
export async function choosePort(wanted: number, use: PortUse): Promise<number> {
  if (wanted === 0) return await freePort();
  const giveUpAtMs = performance.now() + (use.patienceMs ?? 0);
  for (;;) {
    const cause = await listenOnce(wanted).then(
      () => null,
      (error: unknown) => error,
    );
    if (cause === null) return wanted;
    if (performance.now() < giveUpAtMs) {
      await delay(RETRY_PAUSE_MS);
      continue;
    }
    const code = (cause as NodeJS.ErrnoException).code;
    const got = code === 'EADDRINUSE' ? 'it taken by another program' : (code ?? 'a refusal');
    throw new Trouble(`expected port ${wanted} to be free for the ${use.name}, got ${got}`, {
      advice: `Stop the program that uses it, or choose another one: ${use.flag} <port> (0 for any free port).`,
      cause,
    });
  }
}

function listenOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host: LOOPBACK, port }, () => probe.close(() => resolve()));
  });
}
