import type { CandidateId, Digest, PersonId } from './id.ts';
import type { ExternalEvidence } from './workload.ts';

/** The parts of a candidate that change independently; each has its own digest, so a change type can be told. */
export const manifestParts = ['code', 'model', 'prompt', 'configuration', 'schema'] as const;

/** One independently changing part. */
export type ManifestPart = (typeof manifestParts)[number];

/**
 * What exactly is promoted: digests only. The artifact digest is that of the sources; it is also what every later gate,
 * person and lane sees, unless a build has made another of them (`artifactOf` of the promotion tells which).
 */
export interface CandidateManifest {
  readonly v: 1;
  readonly artifact: Digest;
  readonly parts: Readonly<Partial<Record<ManifestPart, Digest>>>;
}

/** Where the content came from; authors are principals when they could be resolved, for separation of duties. */
export interface Provenance {
  readonly kind: 'upload' | 'git' | 'github';
  readonly uploader: PersonId;
  readonly authors: readonly PersonId[];
  /** Who issued the uploader's token, when it was somebody else; the journal fills it in. */
  readonly lentBy?: PersonId;
  /**
   * Whom the commit names, each by the marks that they could be known by: keyed digests of an address and of accounts.
   * They become principals when a promotion opens, by what is known then.
   */
  readonly claims?: readonly (readonly Digest[])[];
  /**
   * The accounts that have pushed the commit, by their marks: who brings somebody else's commit to a branch answers for
   * it like an author. Of these GitHub is certain; absent where nobody could be asked.
   */
  readonly pushers?: readonly Digest[];
  readonly repository?: string;
  readonly commit?: string;
}

/** One immutable version of a prototype. */
export interface Candidate {
  readonly id: CandidateId;
  readonly version: string;
  readonly manifestDigest: Digest;
  readonly manifest: CandidateManifest;
  /** Of all its files together; versions from before limits have none. */
  readonly sizeBytes?: number;
  /** Its files were removed after the retention; what remains is its manifest and what was decided about it. */
  readonly removed?: true;
  readonly provenance: Provenance;
  /** What people and machines outside brought for it; absent when nobody brought anything. */
  readonly evidence?: readonly ExternalEvidence[];
  /** The secrets that its contract cannot start without, by name; absent when it names none. */
  readonly secrets?: readonly string[];
}

/** The candidate with one more document that somebody outside brought. */
export function withEvidence(candidate: Candidate, evidence: ExternalEvidence): Candidate {
  return { ...candidate, evidence: [...(candidate.evidence ?? []), evidence] };
}

/** The parts in which two candidates differ; an unknown part counts as changed, so that less is never run by accident. */
export function changedParts(from: CandidateManifest, to: CandidateManifest): readonly ManifestPart[] {
  return manifestParts.filter((part) => {
    const before = from.parts[part];
    const after = to.parts[part];
    return before !== after;
  });
}
