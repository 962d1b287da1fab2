import { delegationsOf } from './exception-view.ts';
import type { Candidate, PersonState } from '@proviso/domain';
import type { LaneView, PolicyView, PrototypeView } from '@proviso/journal';
import type { Names } from './person-ref.ts';
import type { LaneResource } from './resources.ts';

/** One version as shown. */
export function candidateView({ id, version, manifestDigest, manifest, provenance, sizeBytes, removed }: Candidate) {
  const { kind, uploader, authors, repository = null, commit = null } = provenance;
  return {
    id,
    version,
    manifestDigest,
    artifactDigest: manifest.artifact,
    parts: { ...manifest.parts },
    sizeBytes: sizeBytes ?? null,
    removed: removed ?? false,
    origin: { kind, uploader, authors: [...authors], repository, commit },
  };
}

/** A prototype as shown; its versions have a list of their own. */
export function prototypeView({ state, revision }: PrototypeView) {
  const { id, name, owner, trusted, trustedBy, lanes, candidates } = state;
  const latest = candidates.at(-1);
  return {
    id,
    name,
    owner,
    trusted,
    trustedBy,
    lanes,
    latestCandidate: latest === undefined ? null : candidateView(latest),
    candidates: candidates.length,
    revision,
  };
}

/** A policy as shown; `source` only where it was asked for. */
export function policyView({ state, revision }: PolicyView, source: string | null) {
  const { id, name, current } = state;
  const { version, digest, author, policy } = current;
  const gates = policy.gates.map((rule) => ({ ...rule }));
  return { id, name, version, digest, author, environment: policy.environment, gates, source, revision };
}

/** A principal as shown; of tokens nothing but when they end and whose issue they are. */
export function personView(person: PersonState, names: Names) {
  const { id, kind, actsFor = null, disabled, bindings, tokens } = person;
  return {
    id,
    name: names[id] ?? null,
    kind,
    actsFor,
    disabled,
    roles: bindings.filter(({ from }) => from === undefined),
    delegations: delegationsOf(person),
    tokens: tokens.map((token) => ({
      id: token.id,
      expiresAt: new Date(token.expiresAt).toISOString(),
      issuedBy: token.issuedBy ?? null,
    })),
  };
}

/** A lane as shown. */
export function laneView({ state, revision, leaseRemainingMs }: LaneView): LaneResource {
  const { id, prototype, environment, host, stable, previous, canary, weight, fence, hold, owner, queue } = state;
  return {
    id,
    prototype,
    environment,
    host,
    stable: releaseView(stable),
    previous: releaseView(previous),
    canary: releaseView(canary),
    weight,
    fence,
    hold: hold === null ? null : { reason: hold.reason, by: hold.by, at: new Date(hold.at).toISOString() },
    owner,
    queue: [...queue],
    leaseRemainingMs,
    revision,
  };
}

function releaseView(release: LaneView['state']['stable']): LaneResource['stable'] {
  if (release === null) return null;
  const { id, promotion, artifact, version } = release;
  return { id, promotion, artifactDigest: artifact, version };
}
