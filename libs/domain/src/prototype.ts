import { type Candidate, withEvidence } from './candidate.ts';
import type { CandidateId, Digest, LaneId, PersonId, PrototypeId } from './id.ts';
import type { LaneState } from './lane.ts';
import { limitsOf, noRoom } from './limits.ts';
import { beyondRun } from './pipeline-run.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Scene } from './scene.ts';
import type { ExternalEvidence, WorkloadRule } from './workload.ts';

/** Enough versions for years of daily work; beyond it the oldest are kept in the journal only. */
export const candidatesKeptMax = 200;

/** The thing being promoted, with the human who answers for it. */
export interface PrototypeState {
  readonly id: PrototypeId;
  readonly name: string;
  /** The accountable human; null until assigned, and then nothing is promoted. */
  readonly owner: PersonId | null;
  /** An operator vouches for the folder: it may be started where nothing can be isolated. */
  readonly trusted: boolean;
  readonly trustedBy: PersonId | null;
  /** The risk tier that a policy owner has put it in; policies say what differs there. */
  readonly tier?: string;
  readonly lanes: { readonly staging: LaneId; readonly production: LaneId };
  readonly candidates: readonly Candidate[];
  /** Runs of CI systems that may bring evidence for it; absent when none ever could. */
  readonly workloads?: readonly WorkloadRule[];
}

/** What may happen to a prototype. */
export type PrototypeEvent =
  | {
      readonly kind: 'prototype_registered';
      readonly v: 1;
      readonly prototype: PrototypeId;
      readonly name: string;
      readonly owner: PersonId | null;
      readonly lanes: PrototypeState['lanes'];
    }
  | { readonly kind: 'owner_assigned'; readonly v: 1; readonly owner: PersonId }
  | { readonly kind: 'prototype_trusted'; readonly v: 1; readonly trusted: boolean; readonly by: PersonId }
  | { readonly kind: 'tier_assigned'; readonly v: 1; readonly tier: string | null; readonly by: PersonId }
  | { readonly kind: 'candidate_frozen'; readonly v: 1; readonly candidate: Candidate }
  | { readonly kind: 'workload_trusted'; readonly v: 1; readonly rule: WorkloadRule; readonly by: PersonId }
  | { readonly kind: 'workload_distrusted'; readonly v: 1; readonly service: PersonId; readonly by: PersonId }
  | {
      readonly kind: 'evidence_added';
      readonly v: 1;
      readonly candidate: CandidateId;
      readonly evidence: ExternalEvidence;
    }
  | {
      readonly kind: 'artifact_removed';
      readonly v: 1;
      /** Absent when the files were built, or when their candidate is too old to stand in the state. */
      readonly candidate?: CandidateId;
      readonly artifact: Digest;
      readonly bytes: number;
    };

/** What may be asked about a prototype. Registration, which also opens the lanes, is decided in `registration.ts`. */
export type PrototypeCommand =
  | { readonly kind: 'AssignOwner'; readonly prototype: PrototypeId; readonly owner: PersonId }
  | { readonly kind: 'TrustPrototype'; readonly prototype: PrototypeId; readonly trusted: boolean }
  | { readonly kind: 'AssignTier'; readonly prototype: PrototypeId; readonly tier: string | null }
  | { readonly kind: 'FreezeCandidate'; readonly prototype: PrototypeId; readonly candidate: Candidate }
  | RemoveArtifact;

/** The collector's wish to let files go, frozen or built, because nothing needs them and the retention is over. */
export interface RemoveArtifact {
  readonly kind: 'RemoveArtifact';
  readonly prototype: PrototypeId;
  readonly artifact: Digest;
}

/** The files of one artifact as a prototype keeps them: of a candidate, or of what was built from one. */
export interface KeptArtifact {
  readonly bytes: number;
  readonly removed: boolean;
}

/** Folds one event into a prototype. */
export function evolvePrototype(state: PrototypeState | null, event: PrototypeEvent): PrototypeState {
  if (event.kind === 'prototype_registered') {
    const { prototype, name, owner, lanes } = event;
    return { id: prototype, name, owner, lanes, trusted: false, trustedBy: null, candidates: [] };
  }
  if (state === null) throw new Error(`invariant broken: ${event.kind} on a prototype that was never registered`);
  switch (event.kind) {
    case 'owner_assigned':
      return { ...state, owner: event.owner };
    case 'prototype_trusted':
      return { ...state, trusted: event.trusted, trustedBy: event.by };
    case 'tier_assigned': {
      const { tier: _tier, ...untiered } = state;
      return event.tier === null ? untiered : { ...untiered, tier: event.tier };
    }
    case 'candidate_frozen':
      return { ...state, candidates: [...state.candidates, event.candidate].slice(-candidatesKeptMax) };
    case 'workload_trusted':
      return { ...state, workloads: [...(state.workloads ?? []), event.rule] };
    case 'workload_distrusted':
      return { ...state, workloads: (state.workloads ?? []).filter(({ service }) => service !== event.service) };
    case 'evidence_added':
      return withCandidate(state, event.candidate, (one) => withEvidence(one, event.evidence));
    case 'artifact_removed':
      return {
        ...state,
        candidates: state.candidates.map((one) =>
          one.manifest.artifact === event.artifact ? { ...one, removed: true } : one,
        ),
      };
  }
}

function withCandidate(
  state: PrototypeState,
  id: CandidateId,
  change: (candidate: Candidate) => Candidate,
): PrototypeState {
  return { ...state, candidates: state.candidates.map((one) => (one.id === id ? change(one) : one)) };
}

/** Decides a command about a prototype. */
export function decidePrototype(
  state: PrototypeState | null,
  command: PrototypeCommand,
  scene: Pick<
    Scene,
    'actor' | 'lentBy' | 'token' | 'prototype' | 'lanes' | 'rivals' | 'workspace' | 'usage' | 'artifact'
  >,
): readonly PrototypeEvent[] | Refusal {
  if (state === null) return refusal('not_found', 'expected a known prototype');
  const { actor, lentBy } = scene;
  switch (command.kind) {
    case 'AssignOwner':
      return state.owner === command.owner ? [] : [{ kind: 'owner_assigned', v: 1, owner: command.owner }];
    case 'TrustPrototype':
      return state.trusted === command.trusted
        ? []
        : [{ kind: 'prototype_trusted', v: 1, trusted: command.trusted, by: actor.id }];
    case 'AssignTier':
      return (state.tier ?? null) === command.tier
        ? []
        : [{ kind: 'tier_assigned', v: 1, tier: command.tier, by: actor.id }];
    case 'FreezeCandidate': {
      const beyond = beyondRun(scene, command.candidate.provenance);
      if (beyond !== null) return beyond;
      // The same content twice is the same candidate, whoever uploads it and under whichever label.
      if (sameContent(state, command.candidate) !== undefined) return [];
      return (
        (scene.usage && noRoom(limitsOf(scene.workspace), scene.usage, command.candidate.sizeBytes ?? 0)) ?? [
          { kind: 'candidate_frozen', v: 1, candidate: withLender(command.candidate, lentBy) },
        ]
      );
    }
    case 'RemoveArtifact':
      return removeArtifact(state, command, scene);
  }
}

/**
 * Lets the files of an artifact go. The rows of all its lanes and of every open promotion of the prototype are locked
 * with it, so nobody begins to need them meanwhile, and no build brings the same files again.
 */
function removeArtifact(
  state: PrototypeState,
  { artifact }: RemoveArtifact,
  { lanes, rivals, artifact: kept }: Pick<Scene, 'lanes' | 'rivals' | 'artifact'>,
): readonly PrototypeEvent[] | Refusal {
  if (kept === null) return refusal('not_found', 'expected files that this prototype keeps');
  if (kept.removed) return [];
  const placed = [lanes.staging, lanes.production].flatMap(releasesIn);
  // A built release still needs its sources: they hold the contract that it is run by.
  if (placed.some((release) => release.artifact === artifact || release.source === artifact))
    return refusal('artifact_needed', 'expected a version that no lane has, got one that serves or is the way back');
  if (rivals.some(({ candidate, built }) => candidate.manifest.artifact === artifact || built === artifact))
    return refusal('artifact_needed', 'expected a version that is in no open promotion');
  const candidate = state.candidates.find((one) => one.manifest.artifact === artifact && !one.removed);
  const of = candidate === undefined ? {} : { candidate: candidate.id };
  return [{ kind: 'artifact_removed', v: 1, ...of, artifact, bytes: kept.bytes }];
}

/** Every release of a lane: what serves, what is tried, and what a rollback would bring back. */
export function releasesIn(lane: LaneState | null): readonly NonNullable<LaneState['stable']>[] {
  return lane === null ? [] : [lane.stable, lane.previous, lane.canary].filter((release) => release !== null);
}

function withLender(candidate: Candidate, lentBy: PersonId | null): Candidate {
  return lentBy === null ? candidate : { ...candidate, provenance: { ...candidate.provenance, lentBy } };
}

/** The candidate with the same manifest, if this prototype has it with its files: frozen again it is a new one. */
export function sameContent(
  state: PrototypeState,
  candidate: Pick<Candidate, 'manifestDigest'>,
): Candidate | undefined {
  return state.candidates.find((known) => !known.removed && known.manifestDigest === candidate.manifestDigest);
}

/** The candidate of that id, if this prototype has it. */
export function candidateOf(state: PrototypeState, id: CandidateId): Candidate | undefined {
  return state.candidates.find((known) => known.id === id);
}
