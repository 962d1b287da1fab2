import { createInterface } from 'node:readline/promises';

/** Puts one question to the person at the terminal; an empty answer takes what is offered. */
export type Ask = (question: string, offered: string) => Promise<string>;

/** Whom to ask: nobody unless a person sits at both ends. Questions go to stderr, where they spoil no result. */
export function openAsking(
  terminal: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream },
  signal: AbortSignal,
): Ask | null {
  const { input, output } = terminal;
  if (!input.isTTY || !output.isTTY) return null;
  return async (question, offered) => {
    const lines = createInterface({ input, output });
    try {
      const answer = await lines.question(`${question} [${offered}] `, { signal });
      return answer.trim() === '' ? offered : answer.trim();
    } finally {
      lines.close();
    }
  };
}
