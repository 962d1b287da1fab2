import type { Promotion } from '@proviso/client';
import type { DemoVersion } from './script.ts';

/** What came of one version, in the form that the last line of the demo holds. */
export interface DemoOutcome {
  readonly prototype: string;
  readonly version: string;
  readonly promotion: string;
  readonly outcome: string;
  readonly stoppedAt: string | null;
  readonly weight: number;
  readonly liveDigest: string | null;
  readonly artifactDigest: string;
  readonly blockers: readonly { readonly message: string; readonly file?: string; readonly line?: number }[];
  /** Events of its workflow over all runs; null when Temporal could not be asked. */
  readonly workflowEvents: number | null;
}

/** Taken when the journey ended: a later version supersedes an earlier one that was blocked. */
export function outcomeOf(
  promotion: Promotion,
  { prototype, version }: { readonly prototype: string; readonly version: DemoVersion },
): Omit<DemoOutcome, 'workflowEvents'> {
  return {
    prototype,
    version: version.folder,
    promotion: promotion.id,
    outcome: promotion.outcome ?? promotion.state,
    stoppedAt: promotion.stoppedAt,
    weight: promotion.canary.weight,
    liveDigest: promotion.lane?.liveDigest ?? null,
    artifactDigest: promotion.candidate.artifactDigest,
    blockers: promotion.blockers.map(({ message, file, line }) => ({
      message,
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line }),
    })),
  };
}

/** Every difference from what the script expects, in words; none when all ended as it should. */
export function differences(
  versions: readonly DemoVersion[],
  outcomes: readonly Omit<DemoOutcome, 'workflowEvents'>[],
): readonly string[] {
  return versions.flatMap((version, index) => {
    const found = outcomes[index];
    if (found === undefined) return [`${version.folder}: expected ${version.outcome}, got nothing`];
    const wrong: string[] = [];
    const expect = (what: string, { expected, got }: { expected: unknown; got: unknown }) => {
      if (expected !== got) wrong.push(`${version.folder}: expected ${what} ${String(expected)}, got ${String(got)}`);
    };
    expect('outcome', { expected: version.outcome, got: found.outcome });
    if (version.outcome === 'blocked') expect('to stop at', { expected: version.stoppedAt, got: found.stoppedAt });
    if (version.outcome === 'live') expect('live digest', { expected: found.artifactDigest, got: found.liveDigest });
    if (version.outcome === 'rolled_back') {
      const live = outcomes.find((other) => other.version === version.liveAfter);
      expect('weight', { expected: 0, got: found.weight });
      expect('live digest', { expected: live?.artifactDigest, got: found.liveDigest });
    }
    return wrong;
  });
}
