import { type Candidate, type PersonState, type PromotionState, type TokenRecord, identitiesOf } from '@proviso/domain';
import type { LaneView, PrototypeView, Reads } from '@proviso/journal';
import { delegationsOf } from './exception-view.ts';
import type { Names } from './person-ref.ts';
import type { LaneResource } from './resources.ts';
import { watchView } from './watch-view.ts';

/** One version as shown. */
export function candidateView(candidate: Candidate) {
  const { id, version, manifestDigest, manifest, provenance, sizeBytes, removed, evidence = [] } = candidate;
  const { kind, uploader, authors, repository = null, commit = null } = provenance;
  return {
    id,
    version,
    manifestDigest,
    artifactDigest: manifest.artifact,
    parts: { ...manifest.parts },
    evidence: evidence.map(({ kind: told, digest, by }) => ({ kind: told, digest, by })),
    sizeBytes: sizeBytes ?? null,
    removed: removed ?? false,
    origin: { kind, uploader, authors: [...authors], repository, commit },
  };
}

/** A prototype as shown, with the promotion of what serves its users; its versions have a list of their own. */
export function prototypeView({ state, revision }: PrototypeView, serving: PromotionState | null) {
  const { id, name, owner, trusted, trustedBy, tier, lanes, candidates, workloads = [] } = state;
  const latest = candidates.at(-1);
  return {
    id,
    name,
    owner,
    trusted,
    trustedBy,
    tier: tier ?? null,
    lanes,
    latestCandidate: latest === undefined ? null : candidateView(latest),
    candidates: candidates.length,
    workloads: workloads.map((rule) => ({
      ...rule,
      workflow: rule.workflow ?? null,
      promotes: rule.promotes === true,
    })),
    watch: serving === null ? null : watchView(serving, true),
    revision,
  };
}

/** When tokens were used last, by hash. */
export type TokenUses = Readonly<Record<string, string>>;

/** Reads when the tokens of these people were used last. */
export async function usesOf(reads: Reads, people: readonly PersonState[]): Promise<TokenUses> {
  const hashes = people.flatMap(({ tokens }) => tokens.map(({ hash }) => hash));
  return hashes.length === 0 ? {} : reads.tokenUses(hashes);
}

/** A token as shown: when it ends, whose issue it is, how narrow and when it was used; never what it is. */
export function tokenView({ id, hash, expiresAt, issuedBy, scopes }: TokenRecord, uses: TokenUses) {
  return {
    id,
    expiresAt: new Date(expiresAt).toISOString(),
    issuedBy: issuedBy ?? null,
    scopes: scopes === undefined ? null : [...scopes],
    lastUsedOn: uses[hash] ?? null,
  };
}

/** A principal as shown. */
export function personView(person: PersonState, { names, uses }: { names: Names; uses: TokenUses }) {
  const { id, kind, actsFor = null, disabled, erased, bindings, tokens } = person;
  return {
    id,
    name: names[id] ?? null,
    kind,
    actsFor,
    disabled,
    erased: erased ?? false,
    roles: bindings.filter(({ from }) => from === undefined),
    delegations: delegationsOf(person),
    waitsForRole: kind === 'human' && !disabled && bindings.length === 0,
    accounts: identitiesOf(person).map(({ issuer }) => issuer),
    tokens: tokens.map((token) => tokenView(token, uses)),
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
