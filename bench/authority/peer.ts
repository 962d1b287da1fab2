import type { Case } from './cases.ts';

/** Something else that can answer the same questions. What can be prepared before a question is asked is prepared. */
export interface Peer {
  readonly name: string;
  /** One closure for each case, in order: true when it is allowed. Only calling them is measured. */
  readonly questions: readonly (() => boolean)[];
}

/** Makes a peer ready for the cases; null, with a word on stderr, where it cannot be had. */
export type Prepare = (cases: readonly Case[]) => Promise<Peer | null>;
