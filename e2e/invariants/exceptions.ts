import type { InvariantName } from './finding.ts';
import type { Entry } from './snapshot.ts';

/** An emergency as the entries tell it. */
export interface Glass {
  readonly askedBy: string;
  readonly artifact: string;
  readonly approvedBy: readonly string[];
  readonly broken: boolean;
}

/** A waiver as the entries tell it. */
export interface WaiverTold {
  readonly askedBy: string;
  readonly gate: string;
  readonly attempt: number;
  readonly until: number;
  approved: boolean;
}

interface GateTold {
  readonly name: string;
  status: string;
  readonly attempt: number;
}

interface Told {
  readonly artifact: string;
  readonly excluded: readonly string[];
  readonly gates: readonly GateTold[];
  readonly glass: Glass | null;
  readonly waivers: Map<string, WaiverTold>;
}

type Say = (invariant: InvariantName, entry: Entry, detail: string) => void;

/** I2 of an emergency: two humans who neither asked nor had a part in it, for these very files, once. */
export function glassAfter(told: Told, entry: Entry, say: Say): Glass | null {
  const { body, actor } = entry.said;
  const { glass } = told;
  if (entry.kind === 'glass_asked')
    return { askedBy: actor.pid, artifact: String(body.artifact), approvedBy: [], broken: false };
  if (glass === null) {
    say('I2', entry, 'expected somebody to have asked for it');
    return null;
  }
  switch (entry.kind) {
    case 'glass_approved': {
      const mayNot =
        [glass.askedBy, ...glass.approvedBy, ...told.excluded].includes(actor.pid) || actor.kind !== 'human';
      if (mayNot) say('I2', entry, 'expected another human who had no part in it');
      return { ...glass, approvedBy: [...glass.approvedBy, actor.pid] };
    }
    case 'glass_broken': {
      if (glass.approvedBy.length !== 2) say('I2', entry, `expected two who agreed, got ${glass.approvedBy.length}`);
      if (glass.artifact !== told.artifact) say('I3', entry, 'expected the files that it was asked for');
      const approval = told.gates.find(({ name }) => name === 'approval');
      if (approval !== undefined) approval.status = 'passed';
      return { ...glass, broken: true };
    }
    case 'glass_used':
      if (!glass.broken) say('I2', entry, 'expected a broken glass');
      return null;
    default:
      return null;
  }
}

/** I2 of a waiver: asked by one, agreed to by another, and nothing is waived that nobody agreed to, or after its end. */
export function waive(told: Told, { gate, entry, say }: { gate: GateTold; entry: Entry; say: Say }): void {
  const { body, actor } = entry.said;
  if (entry.kind === 'waiver_asked') {
    const { id, attempt, until } = body.waiver as { id: string; attempt: number; until: number };
    told.waivers.set(id, { askedBy: actor.pid, gate: gate.name, attempt, until, approved: false });
    return;
  }
  if (entry.kind === 'gate_waived') {
    const standing = [...told.waivers.values()].some(
      (one) => one.approved && one.gate === gate.name && one.attempt === gate.attempt,
    );
    if (!standing || !['failed', 'inconclusive'].includes(gate.status))
      say('I2', entry, 'expected a blocked gate with a waiver that another agreed to');
    gate.status = 'passed';
    return;
  }
  const waiver = told.waivers.get(String(body.waiver));
  if (waiver === undefined) return say('I2', entry, 'expected a waiver that was asked for');
  if (entry.kind === 'waiver_approved') {
    if ([waiver.askedBy, ...told.excluded].includes(actor.pid) || actor.kind !== 'human')
      say('I2', entry, 'expected another human who had no part in it');
    waiver.approved = true;
    return;
  }
  waiver.approved = false;
  // It may have been one of several findings at a gate that never passed; then the row says the same.
  if (gate.status === 'passed') gate.status = 'failed';
}
