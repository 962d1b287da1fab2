import type { Contract } from '@proviso/domain';
import type { Digest } from '@proviso/evidence';
import { redact } from '@proviso/gates';
import type { LockedPackage } from './locked-packages.ts';

/** Everything that the provenance of a build tells. */
export interface ProvenanceFacts {
  readonly prototype: string;
  readonly artifact: Digest;
  readonly source: Digest;
  readonly build: NonNullable<Contract['build']>;
  readonly locks: readonly { readonly file: string; readonly digest: Digest }[];
  readonly packages: readonly LockedPackage[];
  /** What was given to the build: the archives that the fetch left. */
  readonly archives: readonly Digest[];
  /** Who built: this deployment and its tools. */
  readonly builder: {
    readonly origin: string;
    readonly isolation: string;
    readonly versions: Readonly<Record<string, string>>;
  };
  readonly invocation: string;
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** The kind of build, by which a verifier knows what the parameters mean; docs/contract.md describes it. */
const buildType = 'urn:proviso:build:v1';

/**
 * SLSA provenance v1 in an in-toto statement v1. The order of the fields is that of the specification, so the same facts
 * are the same bytes.
 */
export function provenanceOf(facts: ProvenanceFacts): object {
  const { build, builder } = facts;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: facts.prototype, digest: sha256Of(facts.artifact) }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          // Its digest stands among the dependencies, under the same address.
          source: uriOf(facts.source),
          build: {
            install: build.install,
            command: (build.command ?? []).map(redact),
            output: build.output,
            scripts: build.scripts,
            // Their values stand in the contract, which the source's digest covers.
            variables: Object.keys(build.variables).sort(),
          },
        },
        internalParameters: { network: 'none while building; registries while fetching', ...builder.versions },
        resolvedDependencies: [
          { name: 'source', uri: uriOf(facts.source), digest: sha256Of(facts.source) },
          ...facts.locks.map(({ file, digest }) => ({ name: file, uri: uriOf(digest), digest: sha256Of(digest) })),
          ...facts.archives.map((digest) => ({ name: 'packages', uri: uriOf(digest), digest: sha256Of(digest) })),
          ...facts.packages.map(({ uri, digest }) => ({ uri, ...(Object.keys(digest).length > 0 && { digest }) })),
        ],
      },
      runDetails: {
        builder: { id: builderId(builder), version: builder.versions },
        metadata: {
          invocationId: facts.invocation,
          startedOn: secondsOf(facts.startedAt),
          finishedOn: secondsOf(facts.finishedAt),
        },
      },
    },
  };
}

/** Ways of isolation protect differently, and the specification asks for another id where they do. */
function builderId({ origin, isolation }: ProvenanceFacts['builder']): string {
  return `urn:proviso:builder:${encodeURIComponent(origin)}:${isolation}`;
}

function sha256Of(digest: Digest): { readonly sha256: string } {
  return { sha256: digest.slice('sha256:'.length) };
}

function uriOf(digest: Digest): string {
  return `urn:proviso:${digest}`;
}

/** RFC 3339 in UTC to the second, as the specification asks. */
function secondsOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
