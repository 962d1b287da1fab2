import { exitCodes } from './exit-code.ts';
import { Trouble } from './trouble.ts';

/** Ctrl-C and its relatives as one signal that commands can wait for. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Resolves when the person asks to end. */
  readonly asked: Promise<void>;
  close(): void;
}

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens from now on: the first signal asks, the second ends at once, and the leashes then end the children. */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    asked.resolve();
  };
  for (const ending of endings) process.on(ending, onSignal);
  return {
    signal: controller.signal,
    asked: asked.promise,
    close: () => {
      for (const ending of endings) process.off(ending, onSignal);
    },
  };
}

/** What a command that was interrupted ends with. */
export function interrupted(): Trouble {
  return new Trouble('interrupted', { exitCode: exitCodes.interrupted });
}
