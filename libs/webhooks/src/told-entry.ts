import type { Environment, Event, StreamKind } from '@proviso/domain';

/** An entry of the journal, as far as anybody outside may learn of it. */
export interface ToldEntry {
  readonly stream: StreamKind;
  readonly streamId: string;
  readonly sseq: number;
  readonly kind: string;
  readonly at: string;
  readonly hash: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What an entry is about, beside what it says itself. Names of prototypes and versions are chosen for others to see. */
export interface ToldAbout {
  readonly promotion?: string;
  readonly prototype?: { readonly id: string; readonly name: string };
  readonly candidate?: { readonly id: string; readonly version: string };
  readonly artifact?: string;
  readonly environment?: Environment;
}

type FieldsOf<Kind> = readonly (keyof Extract<Event, { readonly kind: Kind }> & string)[];

/**
 * Of which entries anybody outside is told, and of their bodies these fields and no other: none is a person, and none a
 * text that somebody wrote. An entry without a row is told to nobody.
 */
const rows = {
  promotion_opened: ['policyVersion', 'policyDigest'],
  promotion_ended: ['outcome'],
  gate_opened: ['gate', 'attempt', 'expiresAt', 'evidenceDigest'],
  gate_reported: ['gate', 'attempt', 'verdict'],
  gate_blocked: ['gate', 'attempt'],
  gate_errored: ['gate', 'attempt', 'code', 'retryAt'],
  gate_reopened: ['gate', 'why'],
  gate_escalated: ['gate', 'attempt', 'to'],
  gate_deferred: ['gate', 'attempt', 'until'],
  gate_waived: ['gate', 'attempt'],
  gate_expired: ['gate'],
  reminder_due: ['gate', 'attempt', 'n'],
  decision_recorded: ['gate', 'attempt'],
  decision_voided: ['gate', 'decision', 'why'],
  quorum_reached: ['gate', 'attempt'],
  waiver_asked: ['gate'],
  waiver_approved: ['gate', 'waiver', 'until'],
  waiver_ended: ['gate', 'waiver'],
  glass_asked: ['artifact', 'until'],
  glass_broken: ['artifact'],
  glass_used: [],
  glass_ended: [],
  artifact_built: ['attempt', 'artifact'],
  canary_weighed: ['percent'],
  canary_paused: ['gate'],
  canary_unpaused: ['gate'],
  canary_hastened: ['gate', 'percent'],
  canary_condemned: ['snapshot'],
  watch_reported: ['check', 'round', 'standing', 'figure', 'action'],
  undo_ordered: ['outcome', 'why'],
  freeze_met: ['gate', 'until'],
  freeze_ended: ['gate'],
  commented: [],
  lane_held: ['reason'],
  lane_resumed: [],
  release_retired: [],
  prototype_registered: [],
  candidate_frozen: [],
  policy_published: ['version', 'digest'],
  policy_proposed: ['version', 'digest', 'until'],
  policy_agreed: ['version'],
} as const satisfies { readonly [Kind in Event['kind']]?: FieldsOf<Kind> };

const fields: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(rows));

/** Our own types of events, by the kinds of entries: `gate_reported` is `dev.proviso.gate.reported`. */
export const ownTypes: readonly string[] = Object.keys(rows).map(ownTypeOf);

/** The type under which an entry of this kind is told; null where nobody is. */
export function toldType(kind: string): string | null {
  return fields.has(kind) ? ownTypeOf(kind) : null;
}

/** Of an entry's body what may be told. A decision's verdict is its only part that is: who decided is not. */
export function toldFields({ kind, body }: ToldEntry): Readonly<Record<string, unknown>> {
  const told = (fields.get(kind) ?? []).flatMap((name) =>
    body[name] === undefined ? [] : [[name, body[name]] as const],
  );
  if (kind !== 'decision_recorded') return Object.fromEntries(told);
  const { verdict } = body['decision'] as { readonly verdict: string };
  return { ...Object.fromEntries(told), verdict };
}

function ownTypeOf(kind: string): string {
  return `dev.proviso.${kind.replace('_', '.')}`;
}
