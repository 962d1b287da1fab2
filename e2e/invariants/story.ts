import { createHash } from 'node:crypto';
import type { Finding, InvariantName } from './finding.ts';
import { byStream, type Entry, type Snapshot } from './snapshot.ts';
import { type Glass, glassAfter, waive, type WaiverTold } from './exceptions.ts';
import { quorumMet, type Requirement, type Vote } from './votes.ts';

interface GateTold {
  readonly name: string;
  status: string;
  attempt: number;
  evidenceDigest: string | null;
  readonly reported: Set<number>;
  votes: Vote[];
}

interface Told {
  readonly id: string;
  artifact: string;
  readonly excluded: readonly string[];
  readonly requirements: readonly Requirement[];
  readonly gates: readonly GateTold[];
  fence: number;
  outcome: string | null;
  undo: boolean;
  /** A person keeps the canary at its share. */
  paused: boolean;
  /** The emergency that is open: who asked, who agreed, and whether it was broken. */
  glass: Glass | null;
  readonly waivers: Map<string, WaiverTold>;
}

type Say = (invariant: InvariantName, entry: Entry, detail: string) => void;

/**
 * I2 and I4 from the entries alone: each promotion is told once more by these few lines. A stage runs only when all before
 * it have passed, people count once and only when they may, and nobody is heard under an old fence.
 */
export function storyFindings({ entries, streams }: Snapshot): readonly Finding[] {
  const found: Finding[] = [];
  const rows = new Map(streams.map((row) => [`${row.kind}/${row.id}`, row]));
  for (const [name, chain] of byStream(entries)) {
    if (!name.startsWith('promotion/')) continue;
    const say: Say = (invariant, entry, detail) =>
      found.push({ invariant, subject: name, detail: `entry ${entry.sseq}, ${entry.kind}: ${detail}` });
    let told: Told | null = null;
    for (const entry of chain) {
      if (entry.kind === 'promotion_opened') told = opened(entry);
      else if (told === null) say('I2', entry, 'expected an opening first');
      else tell(told, entry, say);
    }
    const row = rows.get(name)?.state ?? null;
    if (told !== null && row !== null) found.push(...foldFindings(name, told, row));
  }
  return found;
}

function opened({ streamId, said }: Entry): Told {
  const body = said.body as unknown as {
    candidate: { manifest: { artifact: string } };
    exclusions: readonly { person: string }[];
    policy: { gates: readonly { gate: string; requirements?: readonly Requirement[] }[] };
  };
  return {
    id: streamId,
    artifact: body.candidate.manifest.artifact,
    excluded: body.exclusions.map(({ person }) => person),
    requirements: body.policy.gates.find(({ gate }) => gate === 'approval')?.requirements ?? [],
    gates: body.policy.gates.map(({ gate }) => ({
      ...{ name: gate, status: 'pending', attempt: 0, evidenceDigest: null },
      ...{ reported: new Set<number>(), votes: [] },
    })),
    fence: 0,
    outcome: null,
    undo: false,
    paused: false,
    glass: null,
    waivers: new Map(),
  };
}

function tell(told: Told, entry: Entry, say: Say): void {
  // Said by somebody, at any time; nothing else may follow from it, so it is nothing to the story.
  if (entry.kind === 'commented') return;
  const { body } = entry.said;
  const goesOn = entry.kind === 'promotion_ended' || entry.kind === 'watch_reported';
  const afterEnd = told.outcome !== null && !(goesOn && told.outcome === 'live');
  if (afterEnd) say('I2', entry, `expected nothing after ${told.outcome}`);
  switch (entry.kind) {
    case 'undo_ordered':
      told.undo = true;
      told.fence += 1;
      return stopped(told);
    case 'undo_claimed':
      told.fence += 1;
      return;
    case 'promotion_ended':
      told.outcome = String(body.outcome);
      told.undo = false;
      return stopped(told);
    case 'glass_asked':
    case 'glass_approved':
    case 'glass_broken':
    case 'glass_used':
    case 'glass_ended':
      told.glass = glassAfter(told, entry, say);
      return;
    case 'watch_reported':
      if (told.outcome !== 'live')
        say('I2', entry, `expected a live release, got ${told.outcome ?? 'an open promotion'}`);
      return;
    case 'artifact_built':
      return built(told, entry, say);
    case 'canary_condemned':
      return condemned(told);
    case 'canary_weighed':
      if (told.gates.find(({ name }) => name === 'canary')?.status !== 'claimed' && body.percent !== 0)
        say('I2', entry, 'expected a claimed canary');
      if (told.paused && body.percent !== 0) say('I2', entry, 'expected a paused canary to stay at its share');
      return;
    case 'canary_paused':
    case 'canary_unpaused':
      told.paused = entry.kind === 'canary_paused';
      return;
    case 'canary_hastened':
      if (told.paused) say('I2', entry, 'expected a canary that is not paused');
      return;
    default: {
      const gate = told.gates.find(({ name }) => name === body.gate);
      if (gate === undefined) return say('I2', entry, `expected a gate of the policy, got ${String(body.gate)}`);
      return tellGate(told, { gate, entry, say });
    }
  }
}

/** What an end or a way back overtakes has no answer any more. */
function stopped(told: Told): void {
  for (const gate of told.gates) if (['claimed', 'errored', 'waiting'].includes(gate.status)) gate.status = 'stopped';
}

/** Another artifact than before leaves no later gate passed: each must say so by an entry of its own before it runs. */
function built(told: Told, entry: Entry, say: Say): void {
  const at = told.gates.findIndex(({ name }) => name === 'build');
  const build = told.gates[at];
  if (build?.status !== 'claimed') say('I3', entry, `expected a claimed build, got ${build?.status ?? 'none'}`);
  const artifact = String(entry.said.body.artifact);
  if (artifact !== told.artifact) {
    for (const gate of told.gates.slice(at + 1)) if (gate.status !== 'pending') gate.status = 'overtaken';
  }
  told.artifact = artifact;
}

function condemned(told: Told): void {
  const canary = told.gates.find(({ name }) => name === 'canary');
  if (canary !== undefined) canary.status = 'failed';
}

interface AtGate {
  readonly gate: GateTold;
  readonly entry: Entry;
  readonly say: Say;
}

function tellGate(told: Told, { gate, entry, say }: AtGate): void {
  const { body } = entry.said;
  switch (entry.kind) {
    case 'step_claimed':
      return claimed(told, { gate, entry, say });
    case 'gate_opened':
      allBefore(told, { gate, entry, say });
      gate.status = 'waiting';
      gate.attempt = Number(body.attempt);
      gate.evidenceDigest = String(body.evidenceDigest);
      return;
    case 'gate_reported':
      return reported(told, { gate, entry, say });
    case 'place_awaited':
    case 'place_found':
    case 'freeze_met':
    case 'freeze_ended':
    case 'build_postponed':
      return allBefore(told, { gate, entry, say });
    case 'gate_blocked':
      return blocked(told, { gate, entry, say });
    case 'gate_errored':
      heard(told, { gate, entry, say }, 'breakage');
      gate.status = 'errored';
      return;
    case 'gate_reopened':
      if (gate.name === 'canary') told.paused = false;
      gate.status = 'pending';
      gate.votes = [];
      return;
    case 'waiver_asked':
    case 'waiver_approved':
    case 'gate_waived':
    case 'waiver_ended':
      return waive(told, { gate, entry, say });
    case 'reminder_due':
    case 'gate_escalated':
    case 'gate_deferred':
      if (gate.status !== 'waiting') say('I2', entry, `expected a waiting gate, got ${gate.status}`);
      return;
    case 'evidence_refreshed':
      gate.evidenceDigest = String(body.after);
      return;
    case 'gate_expired':
      gate.status = 'expired';
      return;
    case 'decision_recorded':
      return decided(told, { gate, entry, say });
    case 'decision_voided':
      gate.votes = gate.votes.filter(({ id }) => id !== body.decision);
      return;
    case 'quorum_reached':
      if (gate.status !== 'waiting') say('I2', entry, `expected a waiting gate, got ${gate.status}`);
      if (!quorumMet(told.requirements, gate.votes)) say('I2', entry, 'expected enough distinct people');
      gate.status = 'passed';
      return;
    default:
      say('I2', entry, 'expected a known kind of entry');
  }
}

function claimed(told: Told, at: AtGate): void {
  const { gate, entry, say } = at;
  const attempt = Number(entry.said.body.attempt);
  allBefore(told, at);
  if (told.undo) say('I2', entry, 'expected no step on the way back');
  const due = gate.status === 'claimed' ? gate.attempt : gate.attempt + 1;
  if (attempt !== due) say('I4', entry, `expected attempt ${due}, got ${attempt}`);
  gate.status = 'claimed';
  gate.attempt = attempt;
  told.fence += 1;
}

/** Something is missing before the step may begin: its number is used up, and no fence was given. */
function blocked(told: Told, at: AtGate): void {
  const { gate, entry, say } = at;
  const attempt = Number(entry.said.body.attempt);
  allBefore(told, at);
  if (gate.status === 'claimed') say('I4', entry, 'expected a gate that nobody has claimed');
  if (attempt !== gate.attempt + 1) say('I4', entry, `expected attempt ${gate.attempt + 1}, got ${attempt}`);
  gate.status = 'inconclusive';
  gate.attempt = attempt;
}

function allBefore(told: Told, { gate, entry, say }: AtGate): void {
  const before = told.gates.slice(0, told.gates.indexOf(gate));
  const open = before.filter(({ status }) => status !== 'passed').map(({ name, status }) => `${name} ${status}`);
  if (open.length > 0) say('I2', entry, `expected all earlier gates passed, got ${open.join(', ')}`);
}

function reported(told: Told, at: AtGate): void {
  const { gate, entry } = at;
  const { verdict } = entry.said.body;
  // A step that broke too often is reported by the breakage itself.
  heard(told, at, 'report', 'breakage');
  gate.reported.add(gate.attempt);
  if (gate.name === 'canary' && told.paused && verdict === 'pass')
    at.say('I2', entry, 'expected a paused canary not to go live');
  gate.status = verdict === 'pass' || verdict === 'waived' ? 'passed' : verdict === 'fail' ? 'failed' : 'inconclusive';
}

/** Heard once, at a claimed gate, for its attempt, and under the newest fence: the key of the command tells under which. */
function heard(told: Told, { gate, entry, say }: AtGate, ...verbs: readonly string[]): void {
  const attempt = Number(entry.said.body.attempt);
  if (gate.status !== 'claimed') say('I4', entry, `expected a claimed gate, got ${gate.status}`);
  if (attempt !== gate.attempt) say('I4', entry, `expected attempt ${gate.attempt}, got ${attempt}`);
  if (gate.reported.has(attempt)) say('I4', entry, `attempt ${attempt} was reported before`);
  const fences = Array.from({ length: told.fence + 1 }, (_, fence) => fence);
  const fence = fences.find((one) =>
    verbs.some((verb) => entry.said.idem === hashOf(`${told.id}/${gate.name}/${attempt}/${one}/${verb}`)),
  );
  if (fence === undefined) say('I4', entry, 'expected a key that names its fence');
  else if (fence !== told.fence) say('I4', entry, `expected fence ${told.fence}, got one under fence ${fence}`);
}

function decided(told: Told, { gate, entry, say }: AtGate): void {
  const { decision, attempt } = entry.said.body as {
    decision: { id: string; person: string; verdict: string; artifact: string; evidenceDigest: string };
    attempt: number;
  };
  const { pid, kind, rolesAt } = entry.said.actor;
  if (gate.status !== 'waiting' || attempt !== gate.attempt) say('I2', entry, 'expected an open gate and its attempt');
  if (decision.person !== pid || kind !== 'human') say('I2', entry, 'expected the vote of the human who acted');
  if (told.excluded.includes(pid)) say('I2', entry, 'expected no vote of an excluded person');
  if (decision.artifact !== told.artifact) say('I3', entry, 'expected a vote on the artifact of the candidate');
  if (decision.evidenceDigest !== gate.evidenceDigest)
    say('I2', entry, 'expected a vote on the evidence that was shown');
  if (gate.votes.some(({ person }) => person === pid)) say('I1', entry, 'expected one vote a person');
  gate.votes.push({ id: decision.id, person: pid, verdict: decision.verdict, roles: rolesAt });
  if (decision.verdict !== 'approve') gate.status = decision.verdict === 'reject' ? 'rejected' : 'changes_requested';
}

function foldFindings(subject: string, told: Told, row: Readonly<Record<string, unknown>>): readonly Finding[] {
  const { fence, outcome, gates } = row as {
    fence: number;
    outcome: string | null;
    gates: readonly { name: string; status: string; attempt: number }[];
  };
  const found: Finding[] = [];
  const expect = (what: string, expected: unknown, got: unknown): void => {
    if (expected === got) return;
    found.push({ invariant: 'I4', subject, detail: `${what}: the entries say ${expected}, the row says ${got}` });
  };
  expect('fence', told.fence, fence);
  expect('outcome', told.outcome, outcome);
  for (const gate of told.gates) {
    const stored = gates.find(({ name }) => name === gate.name);
    expect(`status of ${gate.name}`, gate.status, stored?.status);
    expect(`attempt of ${gate.name}`, gate.attempt, stored?.attempt);
  }
  return found;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
