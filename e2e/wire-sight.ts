import { bodyOf, boundName, parsedStatement, type WireMessage } from './wire-message.ts';

/** Something that is about to pass: a statement on its way in, its completion or a row on its way out. */
export interface Moment {
  readonly phase: 'sent' | 'row' | 'completed';
  /** The statement's prepared name, or its text when it has none. */
  readonly statement: string;
  /** Parameters of everything sent in this transaction so far; for a row, the row. */
  readonly words: string;
  /** True when this transaction has sent the one write of a submission. */
  readonly writes: boolean;
}

/** What one connection is seen doing. */
export interface Sight {
  readonly sent: (message: WireMessage) => Moment | null;
  readonly answered: (message: WireMessage) => Moment | null;
}

/** Parameters kept for searching: a submission has a few kilobytes, states a few dozen. */
const wordsMax = 512 * 1024;

/** Follows one connection. Statements are pipelined, so answers are matched in order, one ReadyForQuery each. */
export function openSight(): Sight {
  const texts = new Map<string, string>();
  const asked: string[] = [];
  let bound = '';
  let words = '';
  let writes = false;
  const begun = (statement: string): void => {
    if (!/^begin/i.test(statement)) return;
    words = '';
    writes = false;
  };
  const momentOf = (phase: Moment['phase'], statement: string): Moment => ({ phase, statement, words, writes });
  return {
    sent: (message) => {
      switch (message.kind) {
        case 'P': {
          const { name, text } = parsedStatement(message);
          texts.set(name, name === '' ? text : name);
          return null;
        }
        case 'B': {
          bound = boundName(message);
          words = (words + bodyOf(message)).slice(-wordsMax);
          writes ||= bound.startsWith('submit.write.');
          return momentOf('sent', texts.get(bound) ?? bound);
        }
        case 'S':
          asked.push(texts.get(bound) ?? bound);
          begun(texts.get(bound) ?? bound);
          return null;
        case 'Q': {
          const text = bodyOf(message).replace(/\0$/, '');
          asked.push(text);
          begun(text);
          return momentOf('sent', text);
        }
        default:
          return null;
      }
    },
    answered: (message) => {
      const statement = asked[0] ?? '';
      switch (message.kind) {
        case 'Z':
          // The first one ends the start-up, before anything was asked.
          asked.shift();
          return null;
        case 'C':
          return momentOf('completed', statement);
        case 'D':
          return { ...momentOf('row', statement), words: bodyOf(message) };
        default:
          return null;
      }
    },
  };
}
