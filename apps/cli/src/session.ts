import { resolve } from 'node:path';
import { type Api, openApi } from './api.ts';
import { type Ask, openAsking } from './asking.ts';
import type { CommandConfig } from './config.ts';
import { type Interruption } from './interruption.ts';
import { findConnection, type ProfileFlags } from './profile.ts';
import { openProgress, type Progress } from './progress.ts';

/** Flags that every command takes. */
export interface GlobalFlags extends ProfileFlags {
  readonly json?: boolean | undefined;
}

/** What one run of the command has at hand. Results go to `print`, progress to `progress`, never mixed. */
export interface Session {
  readonly config: CommandConfig;
  readonly json: boolean;
  readonly interruption: Interruption;
  readonly progress: Progress;
  readonly print: (text: string) => void;
  /** Null when nobody is there to answer. */
  readonly ask: Ask | null;
  /** Opens the API in the name that the flags, the environment or the local deployment give. */
  readonly api: () => Api;
}

/** Opens a session for the flags of one command. */
export function openSession(
  flags: GlobalFlags,
  { config, interruption }: { readonly config: CommandConfig; readonly interruption: Interruption },
): Session {
  const placed: CommandConfig =
    flags.data === undefined ? config : Object.freeze({ ...config, dataFolder: resolve(flags.data) });
  return {
    config: placed,
    json: flags.json === true,
    interruption,
    progress: openProgress(process.stderr, () => performance.now()),
    ask: openAsking({ input: process.stdin, output: process.stderr }, interruption.signal),
    print: (text) => void process.stdout.write(`${text}\n`),
    api: () => openApi(findConnection(flags, placed), interruption.signal),
  };
}
