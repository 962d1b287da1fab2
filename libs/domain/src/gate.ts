import type { Decision } from './decision.ts';
import type { Digest } from './id.ts';
import type { Pace } from './pace.ts';
import type { GateName } from './policy.ts';
import type { Deferral } from './reminder.ts';
import type { EvidenceRef, Measure, Reason, Verdict } from './verdict.ts';

/**
 * Where a gate stands. `failed` is an answer, `errored` a breakage that is tried again; `waiting` is a person's turn,
 * `expired` is nobody's answer, `stopped` is a gate whose promotion was taken back, cancelled or superseded meanwhile.
 */
export const gateStatuses = [
  'pending',
  'claimed',
  'errored',
  'waiting',
  'passed',
  'failed',
  'inconclusive',
  'rejected',
  'changes_requested',
  'expired',
  'stopped',
] as const;

/** One of them. */
export type GateStatus = (typeof gateStatuses)[number];

/** One gate of one promotion: the current attempt in full, earlier ones in the journal. */
export interface GateState {
  readonly name: GateName;
  readonly status: GateStatus;
  /** Numbered by the journal, from 1 when first claimed or opened. */
  readonly attempt: number;
  /** Breakages of this gate since it was last opened; bounded by the policy. */
  readonly breakages: number;
  /** Grows with every event of this gate, so that a prompt can tell an older copy of itself. */
  readonly revision: number;
  readonly since: number;
  readonly claimant: string | null;
  readonly retryAt: number | null;
  readonly expiresAt: number | null;
  readonly verdict: Verdict | null;
  readonly reasons: readonly Reason[];
  readonly evidence: readonly EvidenceRef[];
  readonly measure: Measure | null;
  /** At an approval gate: digest over all evidence that the votes are bound to. */
  readonly evidenceDigest: Digest | null;
  readonly decisions: readonly Decision[];
  /** How many reminders the clock has given; absent: none. */
  readonly reminded?: number;
  /** The group that was told when the time was nearly over. */
  readonly escalatedTo?: string;
  readonly deferral?: Deferral;
  /** What it said before it was run anew, while votes wait for whether it says so again. */
  readonly earlier?: { readonly verdict: Verdict; readonly reasons: readonly Reason[] };
  /** What the verdict was before it was waived: it comes back when the waiver ends. */
  readonly unwaived?: Extract<Verdict, 'fail' | 'inconclusive'>;
  /** At a canary: a person's hand on its ramp; null or absent: the policy's own pace. */
  readonly pace?: Pace | null;
}

/** A gate that nothing has happened to. */
export function pendingGate(name: GateName, at: number): GateState {
  return {
    name,
    status: 'pending',
    attempt: 0,
    breakages: 0,
    revision: 0,
    since: at,
    claimant: null,
    retryAt: null,
    expiresAt: null,
    verdict: null,
    reasons: [],
    evidence: [],
    measure: null,
    evidenceDigest: null,
    decisions: [],
  };
}

/** The first of some moments of which some may never come. */
export function earliestOf(moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** True when somebody is at it, or is asked: what an end in the middle leaves without an answer. */
export function isUnderWay(status: GateStatus): boolean {
  return status === 'claimed' || status === 'errored' || status === 'waiting';
}

/** True when the answer was no, or could not be told, and only a person can move it again. */
export function isBlocked(status: GateStatus): boolean {
  return status === 'failed' || status === 'inconclusive' || status === 'changes_requested';
}
