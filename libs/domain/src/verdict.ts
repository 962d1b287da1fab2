import type { Digest } from './id.ts';

/** What a gate may conclude. A closed set: no data is inconclusive, never a pass. */
export const verdicts = ['pass', 'waived', 'inconclusive', 'fail'] as const;

/** One of the four; ordered from best to worst in `verdicts`. */
export type Verdict = (typeof verdicts)[number];

/** Why, in a code for machines and a sentence a builder understands, with the place when there is one. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/** A stored document that a verdict rests on. */
export interface EvidenceRef {
  readonly kind: string;
  readonly digest: Digest;
}

/** Counts and bounds behind a verdict, for every surface that shows a measured value against a threshold. */
export interface Measure {
  readonly n: number;
  readonly k: number;
  readonly lower: number;
  readonly upper: number;
  readonly method: string;
}

/** The worse of two verdicts: the join of the lattice, so that adding a finding never improves a verdict. */
export function worse(a: Verdict, b: Verdict): Verdict {
  return verdicts.indexOf(a) >= verdicts.indexOf(b) ? a : b;
}

/** The verdict over many parts. No parts is no data, hence inconclusive. */
export function worstOf(parts: readonly Verdict[]): Verdict {
  return parts.length === 0 ? 'inconclusive' : parts.reduce(worse);
}

/** Only these two let a candidate go on. */
export function letsThrough(verdict: Verdict): boolean {
  switch (verdict) {
    case 'pass':
    case 'waived':
      return true;
    case 'fail':
    case 'inconclusive':
      return false;
  }
}
