import { openApi } from './api.ts';
import { parseConfig } from './config.ts';
import { type Answering, type SeenCall, openFakeApi } from './fake-api.ts';
import { findConnection } from './profile.ts';
import { runProgram } from './program.ts';
import type { Progress } from './progress.ts';
import { explain } from './trouble.ts';

/** All that a shell would see of one run. */
export interface RanProgram {
  readonly code: number;
  readonly printed: readonly string[];
  /** What was told beside the result: progress, and in the end an error. */
  readonly said: readonly string[];
}

/** What a run finds around it, where that is not the usual. */
export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  /** Reads what is said, as a person does. */
  readonly read?: (line: string) => void;
  readonly screen?: Progress['screen'];
  /** Ends the run as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

/** Runs the program to its end with an API, in the name of a token unless the environment says otherwise. */
export async function ranProgram(
  url: string,
  words: readonly string[],
  { environment = {}, read = () => undefined, screen, signal = new AbortController().signal }: Surroundings = {},
): Promise<RanProgram> {
  const usual = { PROVISO_URL: url, PROVISO_TOKEN: 'a-token', PROVISO_DATA: '/nowhere', NO_COLOR: '1' };
  const config = parseConfig({ ...usual, ...environment }, '/');
  const [printed, said]: [string[], string[]] = [[], []];
  const say = (line: string) => {
    said.push(line);
    read(line);
  };
  try {
    const code = await runProgram(words, (flags) => ({
      ...{ config, json: flags.json === true, ask: null },
      interruption: { signal, asked: new Promise(() => undefined), close: () => undefined },
      progress: { say, now: say, done: () => undefined, ...(screen !== undefined && { screen }) },
      print: (text) => void printed.push(text),
      api: () => openApi(findConnection(flags, config), signal),
    }));
    return { code, printed, said };
  } catch (error) {
    const { lines, exitCode } = explain(error);
    return { code: exitCode, printed, said: [...said, ...lines] };
  }
}

/** The same with an API that answers this run alone, and with what it was asked. */
export async function ranAgainst(
  answer: Answering,
  words: readonly string[],
  surroundings: Surroundings = {},
): Promise<RanProgram & { readonly calls: readonly SeenCall[] }> {
  const fake = await openFakeApi(answer);
  try {
    return { ...(await ranProgram(fake.url, words, surroundings)), calls: fake.calls };
  } finally {
    await fake.close();
  }
}
