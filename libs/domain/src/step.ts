import { postponedReason } from './awaiting.ts';
import type { PromotionCommand, Report } from './command.ts';
import { missingSecrets } from './configuration.ts';
import { type Digest, releaseIdOf } from './id.ts';
import { isFrozen } from './freeze.ts';
import { endGlass, isUsable } from './glass.ts';
import { configurationOf } from './lane.ts';
import { type GateState, earliestOf } from './gate.ts';
import { isAwaitingPlace, isPostponed, limitsOf, needsPlace, noBuild, noPlace, noRoomToBuild } from './limits.ts';
import { currentGate, deadlineOf, exceptionsEnd, next } from './next.ts';
import { paceOf } from './pace.ts';
import { pinnedRule } from './policy.ts';
import { type PromotionState, artifactOf, findGate, gateIn } from './promotion.ts';
import { reopenLostQuorum, reopenStaleEvidence } from './readmission.ts';
import { keepOrVoid } from './refresh.ts';
import { remindersOf } from './reminder.ts';
import { type Refusal, invariant, refusal } from './refusal.ts';
import { type Decided, Plan, type Scene } from './scene.ts';
import { waiversShown } from './standing-waiver.ts';
import { endWaivers } from './waiver-end.ts';
import { type Reason, letsThrough } from './verdict.ts';

/** Backoff after a breakage: doubling from here, so that a broken tool is not hammered. */
const retryBaseMs = 2_000;

type Claim = Extract<PromotionCommand, { kind: 'Claim' }>;

/** Asks for a step. Granted, or told what to do instead; the answer `onward` needs no entry. */
export function claim(scene: Scene, command: Claim): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const due = next(state, scene.now);
  const resumed = due.kind === 'run' && due.step === command.step;
  if (!resumed) return plan.answer({ kind: 'onward', onward: due });
  if (command.step === 'undo') return grantUndo(plan, command);
  const gate = gateIn(state, command.step);
  if (gate.status === 'claimed' && gate.claimant === command.claimant) return granted(plan, command.step);
  const attempt = gate.status === 'claimed' ? gate.attempt : gate.attempt + 1;
  const lacking = [...lackingSecrets(plan, command.step), ...lackingRoom(scene, command.step)];
  const reasons = gate.status === 'claimed' ? [] : lacking;
  if (reasons.length > 0) {
    plan.tell(state.id, { kind: 'gate_blocked', v: 1, gate: command.step, attempt, reasons });
    return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
  }
  if (gate.status !== 'claimed' && needsPlace(command.step)) {
    const full = postpone(plan, scene, gate) ?? awaitPlace(plan, scene, gate);
    if (full !== null) return full;
    // Whatever else it waits for from here on, it is in nobody's way to a place any more.
    if (isAwaitingPlace(gate) || isPostponed(gate)) plan.tell(state.id, { kind: 'place_found', v: 1, gate: gate.name });
  }
  if (command.step === 'staging') {
    const busy = takeStaging(plan, state);
    if (busy !== null) return busy;
  }
  if (command.step === 'canary') {
    const elsewhere = admitToProduction(plan, scene, state);
    if (elsewhere !== null) return elsewhere;
  }
  plan.tell(state.id, { kind: 'step_claimed', v: 1, gate: command.step, attempt, claimant: command.claimant });
  return granted(plan, command.step);
}

/** A machine gate's verdict. Only the newest claimant is heard: a frozen worker that wakes up finds its fence old. */
export function report(scene: Scene, command: Report): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const stale = notMine(state, command);
  if (stale !== null) return plan.refuse(stale);
  if (letsThrough(command.verdict) && command.evidence.length === 0) {
    return plan.refuse(refusal('stale_evidence', 'expected evidence behind a pass, got none'));
  }
  const built = command.gate === 'build' && letsThrough(command.verdict);
  if (built !== (command.artifact !== undefined)) {
    return plan.refuse(refusal('report_invalid', 'expected an artifact with a passed build and with nothing else'));
  }
  // What stood before it stands no more, or a person has paused it: nothing is concluded until that is over.
  const paused = letsThrough(command.verdict) && paceOf(state) === 'paused';
  if (command.gate === 'canary' && (currentGate(state)?.name !== 'canary' || paused))
    return plan.answer({ kind: 'onward', onward: next(state, scene.now) });
  const { gate, attempt, verdict, reasons, evidence, measure, artifact, artifactBytes: bytes } = command;
  if (artifact !== undefined) takeBuilt(plan, state, { attempt, artifact, ...(bytes !== undefined && { bytes }) });
  plan.tell(state.id, { kind: 'gate_reported', v: 1, gate, attempt, verdict, reasons, evidence, measure });
  keepOrVoid(plan, gate, (after) => evidenceDigestOf(after, scene));
  if (gate === 'staging') plan.ask('staging', { move: 'release', promotion: state.id });
  if (gate === 'canary') leaveCanary(plan, state, letsThrough(verdict));
  openIfHuman(plan, scene);
  finish(plan);
  return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
}

/** A step broke. Failed is not errored: it is tried again, and after the policy's bound it is inconclusive. */
export function breakage(scene: Scene, command: Extract<PromotionCommand, { kind: 'Breakage' }>): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const stale = notMine(state, command);
  if (stale !== null) return plan.refuse(stale);
  const { gate: name, attempt, code } = command;
  const rule = pinnedRule(state.policy, name);
  invariant(rule.gate !== 'approval', 'a person does not break');
  const { breakages } = gateIn(state, name);
  if (breakages + 1 >= rule.attemptsMax) {
    const reasons = [
      { code, message: `the ${name} check broke ${breakages + 1} times, so nothing could be told: ${code}` },
    ];
    plan.tell(state.id, {
      kind: 'gate_reported',
      v: 1,
      gate: name,
      attempt,
      verdict: 'inconclusive',
      reasons,
      evidence: [],
      measure: null,
    });
    keepOrVoid(plan, name, (after) => evidenceDigestOf(after, scene));
    if (name === 'staging') plan.ask('staging', { move: 'release', promotion: state.id });
    if (name === 'canary') leaveCanary(plan, state, false);
  } else {
    plan.tell(state.id, {
      kind: 'gate_errored',
      v: 1,
      gate: name,
      attempt,
      code,
      retryAt: scene.now + retryBaseMs * 2 ** breakages,
    });
  }
  return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
}

/** Time passed, or somebody looks: appends what the clock alone decides and says what is next. */
export function tick(scene: Scene): Decided {
  const plan = begin(scene);
  return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
}

/** The way back is tidied up: the edges were seen without the canary. */
export function undone(scene: Scene, command: Extract<PromotionCommand, { kind: 'Undone' }>): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  if (state.undo === null) return plan.answer({ kind: 'onward', onward: next(state, scene.now) });
  if (state.fence !== command.fence)
    return plan.refuse(refusal('stale_fence', `expected fence ${state.fence}, got ${command.fence}`));
  for (const environment of ['production', 'staging'] as const) {
    plan.ask(environment, { move: 'withdraw', promotion: state.id });
    plan.ask(environment, { move: 'release', promotion: state.id });
  }
  plan.tell(state.id, { kind: 'promotion_ended', v: 1, outcome: state.undo.outcome });
  return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
}

/** Starts a plan and lets the clock speak first: a passed deadline is a fact before any command is decided. */
export function begin(scene: Scene): Plan {
  const plan = new Plan(scene);
  if (plan.promotion === null || plan.promotion.outcome !== null || plan.promotion.undo !== null) return plan;
  endWaivers(plan, scene);
  if (endGlass(plan, scene.now)) openIfHuman(plan, scene);
  const state = plan.promotion;
  const gate = currentGate(state);
  const deadline = gate === null ? null : deadlineOf(gate);
  if (gate !== null && deadline !== null && deadline <= scene.now) {
    plan.tell(
      state.id,
      { kind: 'gate_expired', v: 1, gate: gate.name },
      { kind: 'promotion_ended', v: 1, outcome: 'expired' },
    );
  } else if (gate?.name === 'approval') {
    const due = remindersOf(gate, pinnedRule(state.policy, 'approval')).filter(({ at }) => at <= scene.now);
    for (const { event } of due) plan.tell(state.id, event);
  }
  return plan;
}

/** The promotion that the command is about; the journal answers `not_found` before it comes here. */
export function focus(plan: Plan): PromotionState {
  invariant(plan.promotion !== null, 'expected a promotion in the scene');
  return plan.promotion;
}

/** When the next gate asks people, it is open at once: nobody waits for a worker to be asked. */
export function openIfHuman(plan: Plan, scene: Scene): void {
  const state = focus(plan);
  const gate = currentGate(state);
  if (gate?.name !== 'approval' || gate.status !== 'pending') return;
  const { expiresMs } = pinnedRule(state.policy, 'approval');
  const evidenceDigest = evidenceDigestOf(state, scene);
  plan.tell(state.id, {
    kind: 'gate_opened',
    v: 1,
    gate: 'approval',
    attempt: gate.attempt + 1,
    expiresAt: scene.now + expiresMs,
    evidenceDigest,
  });
}

/** What a vote is bound to: the files, the policy, every piece of evidence, and what was waived. */
function evidenceDigestOf(state: PromotionState, { digestOf }: Pick<Scene, 'digestOf'>): Digest {
  const shown = state.gates.flatMap((one) =>
    one.evidence.map((evidence) => `${one.name} ${one.verdict} ${evidence.kind} ${evidence.digest}`),
  );
  return digestOf(
    [state.candidate.manifestDigest, state.policyDigest, artifactOf(state), ...shown, ...waiversShown(state)].join(
      '\n',
    ),
  );
}

function notMine(state: PromotionState, command: { gate: string; attempt: number; fence: number }): Refusal | null {
  const gate = findGate(state, command.gate);
  if (gate === undefined) return refusal('gate_closed', 'the pinned policy has no such gate');
  // Superseded or cancelled in the middle of a step: the gate is still claimed, and its late report would tell on an end.
  if (state.outcome !== null) return refusal('promotion_ended', `this promotion has ended: ${state.outcome}`);
  if (gate.attempt !== command.attempt || gate.status !== 'claimed') {
    return refusal(
      'stale_attempt',
      `expected attempt ${gate.attempt} in progress, got ${command.attempt} at a gate that is ${gate.status}`,
    );
  }
  return state.fence === command.fence
    ? null
    : refusal('stale_fence', `expected fence ${state.fence}, got ${command.fence}`);
}

/** A version that cannot start without a secret is not placed in a lane that has none: people are told by name. */
function lackingSecrets(plan: Plan, step: Claim['step']): readonly Reason[] {
  if (step !== 'staging' && step !== 'canary') return [];
  const environment = step === 'staging' ? 'staging' : 'production';
  const lane = plan.lanes[environment];
  if (lane === null) return [];
  return missingSecrets(configurationOf(lane), focus(plan).candidate.secrets ?? []).map((name) => ({
    code: 'secret_missing',
    message: `${environment} has no value for ${name}: an operator binds it with \`proviso secret bind <prototype> ${name} <reference> --lane ${environment}\`, then run this check again`,
  }));
}

/** What stood on other files stands on nothing: every later gate begins again, and its votes are void. */
function takeBuilt(
  plan: Plan,
  state: PromotionState,
  made: { readonly attempt: number; readonly artifact: Digest; readonly bytes?: number },
): void {
  plan.tell(state.id, { kind: 'artifact_built', v: 1, gate: 'build', ...made });
  if (artifactOf(state) === made.artifact) return;
  const later = state.gates.slice(state.gates.findIndex((gate) => gate.name === 'build') + 1);
  for (const gate of later.filter((one) => one.status !== 'pending'))
    plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate: gate.name, why: 'other_artifact' });
}

/** What is built is kept, so a full workspace builds nothing; in it are old files that go, or an operator gives room. */
function lackingRoom({ workspace, usage }: Scene, step: Claim['step']): readonly Reason[] {
  const full = step === 'build' && usage !== null ? noRoomToBuild(limitsOf(workspace), usage) : null;
  return full === null ? [] : [full];
}

/** Puts a build off to the next day; whoever raises the limit wakes it before. Said once a day. */
function postpone(plan: Plan, { workspace, usage }: Scene, gate: GateState): Decided | null {
  const limits = limitsOf(workspace);
  if (gate.name !== 'build' || usage === null || !noBuild(limits, usage)) return null;
  const told = { buildsMax: limits.buildsPerDayMax, until: usage.dayEndsAt };
  const { until } = told;
  if (gate.reasons[0]?.message !== postponedReason(told).message)
    plan.tell(focus(plan).id, { kind: 'build_postponed', v: 1, gate: 'build', ...told });
  return plan.answer({ kind: 'onward', onward: { kind: 'wait', until, why: 'limit_reached' } });
}

/** A place comes free with a report and then wakes the oldest that waits; the look in between mends a lost wake. */
const placeLookMs = 60_000;

/** Waits in the order of opening for a place to run in; the gate says so once. */
function awaitPlace(plan: Plan, { workspace, usage, now }: Scene, gate: GateState): Decided | null {
  const limits = limitsOf(workspace);
  if (usage === null || !noPlace(limits, usage)) return null;
  if (!isAwaitingPlace(gate)) {
    const { runsAtOnceMax: runsMax } = limits;
    plan.tell(focus(plan).id, { kind: 'place_awaited', v: 1, gate: gate.name, runsMax });
  }
  return plan.answer({ kind: 'onward', onward: { kind: 'wait', until: now + placeLookMs, why: 'limit_reached' } });
}

/** Staging rehearses on what production serves, so its stable release is brought into line first. */
function takeStaging(plan: Plan, state: PromotionState): Decided | null {
  plan.ask('staging', { move: 'acquire', promotion: state.id });
  if (plan.lanes.staging?.owner !== state.id)
    return plan.answer({ kind: 'onward', onward: { kind: 'wait', until: null, why: 'lane_busy' } });
  const live = plan.lanes.production?.stable ?? null;
  if (plan.lanes.staging.stable?.id !== live?.id)
    plan.laneTold('staging', { kind: 'stable_restored', v: 1, release: live });
  const refused = plan.ask('staging', { move: 'deploy', promotion: state.id, release: releaseOf(state) });
  return refused === null ? null : plan.refuse(refused);
}

/** The first production claim re-checks all that time can change; later claims only need the lane. */
function admitToProduction(plan: Plan, scene: Scene, state: PromotionState): Decided | null {
  if (state.productionAt === null) {
    const broken = isUsable(state, scene.now);
    const frozen = broken ? null : awaitThaw(plan, scene, gateIn(state, 'canary'));
    if (frozen !== null) return frozen;
    const byGlass = broken && findGate(state, 'approval')?.verdict === 'waived';
    const reopened = reopenStaleEvidence(plan, scene) || (!byGlass && reopenLostQuorum(plan, scene));
    if (reopened) {
      openIfHuman(plan, scene);
      return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
    }
  }
  plan.ask('production', { move: 'acquire', promotion: state.id });
  const lane = plan.lanes.production;
  if (lane?.hold != null || lane?.owner !== state.id) {
    const why = lane?.hold != null ? 'lane_held' : 'lane_busy';
    return plan.answer({ kind: 'onward', onward: { kind: 'wait', until: exceptionsEnd(state), why } });
  }
  const refused = plan.ask('production', { move: 'deploy', promotion: state.id, release: releaseOf(state) });
  if (refused !== null) return plan.refuse(refused);
  if (state.productionAt === null && isUsable(state, scene.now)) useGlass(plan, gateIn(state, 'canary'));
  return null;
}

/** Its one use; a freeze that the gate still tells of keeps nobody any more. */
function useGlass(plan: Plan, gate: GateState): void {
  const { id } = focus(plan);
  if (isFrozen(gate)) plan.tell(id, { kind: 'freeze_ended', v: 1, gate: gate.name });
  plan.tell(id, { kind: 'glass_used', v: 1 });
}

/** Approval may be given before and during a freeze; only the first users wait. The gate says so once, with the end. */
function awaitThaw(plan: Plan, { calendar, now }: Scene, gate: GateState): Decided | null {
  const state = focus(plan);
  const freeze = calendar.freezeAt(state.policy.freeze ?? [], now);
  if (freeze === null) {
    if (isFrozen(gate)) plan.tell(state.id, { kind: 'freeze_ended', v: 1, gate: gate.name });
    return null;
  }
  if (!isFrozen(gate) || gate.retryAt !== freeze.until)
    plan.tell(state.id, { kind: 'freeze_met', v: 1, gate: gate.name, ...freeze });
  return plan.answer({
    kind: 'onward',
    onward: { kind: 'wait', until: earliestOf([freeze.until, exceptionsEnd(state)]), why: 'frozen' },
  });
}

function releaseOf(state: PromotionState) {
  const { manifest, version } = state.candidate;
  const artifact = artifactOf(state);
  const source = artifact === manifest.artifact ? {} : { source: manifest.artifact };
  return { id: releaseIdOf(state.id), promotion: state.id, artifact, ...source, version } as const;
}

function grantUndo(plan: Plan, command: Claim): Decided {
  const state = focus(plan);
  plan.tell(state.id, { kind: 'undo_claimed', v: 1, claimant: command.claimant });
  return granted(plan, 'undo');
}

function granted(plan: Plan, step: Claim['step']): Decided {
  const state = focus(plan);
  const environment = step === 'staging' ? 'staging' : 'production';
  const attempt = step === 'undo' ? 1 : gateIn(state, step).attempt;
  return plan.answer({
    kind: 'granted',
    step,
    attempt,
    fence: state.fence,
    laneFence: plan.lanes[environment]?.fence.counter ?? null,
    at: plan.now,
  });
}

/** A canary that passed settles; one that could not be told leaves users on stable and waits for a person. */
function leaveCanary(plan: Plan, state: PromotionState, passed: boolean): void {
  const steps = passed ? (['settle', 'release'] as const) : (['withdraw', 'release'] as const);
  for (const move of steps) plan.ask('production', { move, promotion: state.id });
  if (!passed) plan.tell(state.id, { kind: 'canary_weighed', v: 1, percent: 0 });
}

/** Every gate has passed: the promotion is live. */
function finish(plan: Plan): void {
  const state = focus(plan);
  if (state.gates.every((gate) => gate.status === 'passed')) {
    plan.tell(state.id, { kind: 'promotion_ended', v: 1, outcome: 'live' });
  }
}
