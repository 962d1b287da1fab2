import { createInterface } from 'node:readline';
import { interrupted } from './interruption.ts';

/** What is asked, and what an empty answer means. */
export interface Question {
  readonly words: string;
  readonly offered: string;
}

/** Puts questions to the person at the terminal, one after the other; the answers come back in the same order. */
export type Ask = (questions: readonly Question[]) => Promise<readonly string[]>;

interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Whom to ask: nobody unless a person sits at both ends. Questions go to stderr, where they spoil no result. */
export function openAsking({ input, output }: Terminal, signal: AbortSignal): Ask | null {
  if (input.isTTY !== true || output.isTTY !== true) return null;
  return async (questions) => {
    const lines = createInterface({ input, output, signal });
    // One reader for all questions: what was typed ahead, or pasted, is an answer too.
    const typed = lines[Symbol.asyncIterator]();
    const answers: string[] = [];
    let isOpen = true;
    lines.once('close', () => {
      isOpen = false;
    });
    try {
      for (const { words, offered } of questions) {
        // Lines that were typed before the end are still there to be read.
        lines.setPrompt(`${words} [${offered}] `);
        if (isOpen) lines.prompt();
        const line = await typed.next();
        // Ctrl-C and Ctrl-D close the lines.
        if (line.done === true) throw interrupted();
        answers.push(line.value.trim() || offered);
      }
      return answers;
    } finally {
      lines.close();
    }
  };
}
