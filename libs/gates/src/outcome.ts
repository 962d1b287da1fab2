import type { EvidenceRef, Measure, Reason, Verdict } from '@proviso/domain';

/** Why a gate says what it says. A closed set, so that surfaces and policies can rely on it. */
export const reasonCodes = [
  'contract_missing',
  'contract_invalid',
  'contract_complete',
  'owner_missing',
  'file_missing',
  'lock_file_missing',
  'packages_unpinned',
  'packages_unreadable',
  'kind_unfit',
  'build_missing',
  'package_manager_missing',
  'nothing_to_build',
  'packages_not_installed',
  'built',
  'build_failed',
  'build_timed_out',
  'build_out_of_memory',
  'build_too_large',
  'output_missing',
  'output_refused',
  'build_repeats',
  'build_differs',
  'build_not_compared',
  'build_not_isolated',
  'build_gate_missing',
  'origin_recognised',
  'secret_found',
  'service_role_key_found',
  'no_secrets_found',
  'files_not_scanned',
  'too_much_to_scan',
  'nothing_to_scan',
  'control_missed',
  'cases_missing',
  'cases_invalid',
  'cases_too_few',
  'case_failed',
  'bar_met',
  'bar_missed',
  'bar_undecided',
  'no_probes',
  'probe_failed',
  'probes_passed',
  'release_unchanged',
  'release_differs',
  'rehearsal_incomplete',
  'canary_healthy',
  'canary_worse',
  'canary_undecided',
  'tool_broke',
] as const;

/** One of them. */
export type ReasonCode = (typeof reasonCodes)[number];

/** A reason whose code is one of the closed set; its message is plain words with the fix, free of secrets. */
export interface GateReason extends Reason {
  readonly code: ReasonCode;
}

/** A stored document and the tool that made it. */
export interface GateEvidence extends EvidenceRef {
  readonly tool?: { readonly name: string; readonly version: string };
}

/** Something planted to prove that the gate can see: when `observed` is not `expected`, nothing it says counts. */
export interface Control {
  readonly id: string;
  readonly expected: string;
  readonly observed: string;
}

/** The normal form of what every gate concludes; only people waive, so a gate never says `waived`. */
export interface GateOutcome {
  readonly verdict: Exclude<Verdict, 'waived'>;
  readonly reasons: readonly GateReason[];
  readonly evidence: readonly GateEvidence[];
  readonly controls: readonly Control[];
  readonly stats?: Measure;
}

/** How a gate can break. A breakage is no answer: the caller tries again and then reports inconclusive. */
export type BreakageCode =
  | 'tool_crashed'
  | 'tool_timeout'
  | 'tool_unknown'
  | 'output_invalid'
  | 'output_too_large'
  | 'registry_away'
  | 'sandbox_broke'
  | 'unreachable';

/** Thrown when a gate could not find out. The message holds no text of a tool, since that may quote a secret. */
export class GateBreakage extends Error {
  override readonly name = 'GateBreakage';
  readonly code: BreakageCode;
  /** False when the same input would break the same way again. */
  readonly retryable: boolean;

  constructor(code: BreakageCode, message: string, options: { readonly retryable: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
  }
}

/** What is left to say when a breakage was retried often enough: inconclusive, never a pass and never a no. */
export function outcomeOfBreakage(breakage: GateBreakage): GateOutcome {
  const message = `this check could not be carried out (${breakage.code}): ${breakage.message}; run it again`;
  return { verdict: 'inconclusive', reasons: [{ code: 'tool_broke', message }], evidence: [], controls: [] };
}

/** The controls that were not seen, as reasons: any of them makes the whole gate inconclusive. */
export function missedControls(controls: readonly Control[]): readonly GateReason[] {
  return controls
    .filter((control) => control.observed !== control.expected)
    .map(({ id, expected, observed }) => ({
      code: 'control_missed',
      message: `the check did not see its own planted control ${id} (expected ${expected}, got ${observed}), so its result does not count; tell whoever runs Proviso`,
    }));
}
