import type { Digest, EvidenceRef, Measure, Reason, Verdict } from '@proviso/domain';
import { EvidenceFailure } from '@proviso/evidence';
import type { Built } from '@proviso/build';
import { GateBreakage, type GateOutcome, excerpt, withhold } from '@proviso/gates';
import { IntakeFailure } from '@proviso/intake';
import { TargetFailure } from '@proviso/targets';

/** What a step has to tell the journal. */
export interface StepOutcome {
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  readonly evidence: readonly EvidenceRef[];
  readonly measure: Measure | null;
  /** What a passed build has made. */
  readonly artifact?: Digest;
  readonly artifactBytes?: number;
}

/** How an act ended: with a verdict, or with the matter in the journal's hands already. */
export type Acted = { readonly kind: 'report'; readonly outcome: StepOutcome } | { readonly kind: 'ask' };

/** The world broke in a way that a closed code says; the journal counts it and decides about another try. */
export class StepBreakage extends Error {
  override readonly name = 'StepBreakage';
  readonly code: string;

  constructor(
    code: 'timed_out' | 'worker_lost' | 'stable_not_ready' | 'edge_behind' | 'edge_restarted' | 'not_restored',
  ) {
    super(`expected the step to end, got ${code}`);
    this.code = code;
  }
}

/** The code of whatever was thrown. An error of no known kind is our bug, and only its name is told. */
export function breakageCodeOf(error: unknown): string {
  const known =
    error instanceof GateBreakage ||
    error instanceof TargetFailure ||
    error instanceof EvidenceFailure ||
    error instanceof IntakeFailure ||
    error instanceof StepBreakage;
  return known ? error.code : 'unexpected';
}

/** Together with all else an entry holds 65,535 bytes; the whole list is in the evidence. */
const reasonsBytesMax = 40_000;

/** As many reasons as fit an entry, in their order, and how many more there are. */
export function fitting(reasons: readonly Reason[]): readonly Reason[] {
  let sizeBytes = 0;
  const kept = reasons.filter((reason) => {
    sizeBytes += Buffer.byteLength(JSON.stringify(reason));
    return sizeBytes <= reasonsBytesMax;
  });
  if (kept.length === reasons.length) return reasons;
  const message = `${reasons.length - kept.length} more are listed in the evidence`;
  return [...kept, { code: 'more_reasons', message }];
}

/** A gate's outcome in the form the journal takes, with what a build has made. */
export function reportOf(outcome: GateOutcome, built: Built | null = null): Acted {
  const { verdict, reasons, evidence, stats } = outcome;
  const refs = evidence.map(({ kind, digest }) => ({ kind, digest }));
  const made = built === null ? {} : { artifact: built.artifact, artifactBytes: built.sizeBytes };
  return { kind: 'report', outcome: { verdict, reasons, evidence: refs, measure: stats ?? null, ...made } };
}

/** A verdict that needs no document: it lets nobody through. */
export function refusing(verdict: 'fail' | 'inconclusive', ...reasons: readonly Reason[]): Acted {
  return { kind: 'report', outcome: { verdict, reasons, evidence: [], measure: null } };
}

/** A stranger's text inside a sentence of ours: redacted, without what is withheld, one line, short. */
export function quoted(text: string | undefined, withheld: readonly string[]): string {
  if (text === undefined || text.trim() === '') return 'it said nothing';
  return `its last words: "${excerpt(withhold(text, withheld))}"`;
}
