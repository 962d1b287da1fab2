import type { Decide } from './command.ts';
import { decideGate, tallyOf } from './deciding.ts';
import { standing } from './decision.ts';
import type { PersonId } from './id.ts';
import { reopenLostQuorum, reopenStaleEvidence } from './readmission.ts';
import type { PromotionState } from './promotion.ts';
import { type Decided, Plan } from './scene.ts';
import { ask, cast, newWorld, promotionsOf, sceneFor, smallPolicy, type World } from './world.contract.ts';

const promotion = `prm_${'0'.repeat(32)}` as const;
const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;
const [sam, kim] = cast.security;
const ona = `psn_${'9'.repeat(32)}` as const;
/** Members of a group, and at first nothing else. */
const [pia, rue] = [`psn_${'1'.repeat(32)}`, `psn_${'2'.repeat(32)}`] as const;

function stateOf(world: World): PromotionState {
  const [state] = promotionsOf(world);
  if (state === undefined) throw new Error('expected the promotion');
  return state;
}

const approvalIn = (world: World) => {
  const gate = stateOf(world).gates.find(({ name }) => name === 'approval');
  if (gate === undefined) throw new Error('expected the gate');
  return gate;
};

/** Both machine gates before it have passed, the rehearsal included. */
function atApproval(): World {
  const world = newWorld();
  const { prototype, policy: policyId } = cast;
  const bindings = [{ role: 'operator' }, { role: 'approver', group: 'security' }] as const;
  ask(world, cast.operator, { kind: 'AddPerson', person: ona, principal: 'human', bindings });
  ask(world, cast.builder, { kind: 'OpenPromotion', promotion, prototype, candidate: cast.candidates[0], policyId });
  for (const gate of ['scan', 'staging'] as const) {
    const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: gate, claimant: gate });
    if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
    const told = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    ask(world, cast.worker, {
      kind: 'Report',
      promotion,
      gate,
      attempt: outcome.attempt,
      fence: outcome.fence,
      ...told,
    });
  }
  return world;
}

function voteIn(world: World, over: Partial<Decide> = {}): Decide {
  const { attempt, evidenceDigest } = approvalIn(world);
  const artifact = stateOf(world).candidate.manifest.artifact;
  if (evidenceDigest === null) throw new Error('expected evidence');
  const shown = { attempt, decision: 'dec_1', verdict: 'approve', artifact, evidenceDigest } as const;
  return { kind: 'Decide', promotion, gate: 'approval', ...shown, ...over };
}

const vote = (world: World, who: PersonId, over: Partial<Decide> = {}): Decided =>
  ask(world, who, voteIn(world, { decision: `dec_${who.slice(4, 5)}`, ...over }));

const told = ({ drafts }: Decided) => drafts.map(({ event }) => event.kind);
const answered = ({ outcome }: Decided) => (outcome.kind === 'refused' ? outcome.refusal : outcome);
/** A role or a group that is taken away counts as never held from then on. */
const bereft = (world: World, who: PersonId) => {
  for (const binding of [{ role: 'approver', group: 'security' }, { role: 'operator' }] as const)
    ask(world, cast.operator, { kind: 'RevokeRole', person: who, binding });
};

describe('a vote', () => {
  it('is kept with what was shown and the rights of that moment', () => {
    const world = atApproval();
    const decided = vote(world, sam);
    expect(answered(decided)).toEqual({ kind: 'decided', passed: false });
    expect(approvalIn(world).decisions).toEqual([
      {
        ...{ id: 'dec_b', person: sam, verdict: 'approve', at: world.now, voided: null },
        ...{ artifact: voteIn(world).artifact, evidenceDigest: approvalIn(world).evidenceDigest },
        bindingsAt: [{ role: 'approver', group: 'security' }, { role: 'operator' }],
      },
    ]);
    expect(decided.wakes).toEqual([]);
  });

  it('that is the last one needed passes the gate and wakes the workflow', () => {
    const world = atApproval();
    vote(world, sam);
    const decided = vote(world, ona);
    expect(answered(decided)).toEqual({ kind: 'decided', passed: true });
    expect(told(decided)).toEqual(['decision_recorded', 'quorum_reached']);
    expect([decided.wakes, approvalIn(world).status]).toEqual([[promotion], 'passed']);
  });

  it('against it ends the promotion at once, and is no approval', () => {
    const world = atApproval();
    vote(world, sam);
    const decided = vote(world, ona, { verdict: 'reject' });
    expect(answered(decided)).toEqual({ kind: 'decided', passed: false });
    expect([told(decided), decided.wakes]).toEqual([['decision_recorded', 'promotion_ended'], [promotion]]);
    expect(stateOf(world).outcome).toBe('rejected');
  });

  it('for changes is no approval, and wakes the workflow', () => {
    const world = atApproval();
    vote(world, sam);
    const decided = vote(world, ona, { verdict: 'request_changes' });
    expect([answered(decided), decided.wakes]).toEqual([{ kind: 'decided', passed: false }, [promotion]]);
    expect(told(decided)).toEqual(['decision_recorded']);
  });

  it('for changes passes nothing, though a role that was given meanwhile makes the approvals enough', () => {
    const world = atApproval();
    const [binding, more] = [{ role: 'approver', group: 'security' }, { role: 'operator' }] as const;
    for (const who of [pia, rue])
      ask(world, cast.operator, { kind: 'AddPerson', person: who, principal: 'human', bindings: [binding] });
    for (const who of [pia, rue]) vote(world, who);
    expect(approvalIn(world).decisions.map(({ voided }) => voided)).toEqual([null, null]);
    ask(world, cast.operator, { kind: 'GrantRole', person: rue, binding: more });
    expect(tallyOf(stateOf(world), sceneFor(world, cast.worker, voteIn(world))).met).toBe(true);
    const decided = vote(world, kim, { verdict: 'request_changes' });
    expect([answered(decided), told(decided)]).toEqual([{ kind: 'decided', passed: false }, ['decision_recorded']]);
  });

  it('is given once an attempt, also beside those of others', () => {
    const world = atApproval();
    vote(world, sam);
    expect(answered(vote(world, sam))).toMatchObject({
      code: 'already_decided',
      message: 'you have decided on this attempt already',
    });
  });
});

describe('a vote is refused', () => {
  it.each<[string, Partial<Decide>, string, string]>([
    ['at a gate of machines', { gate: 'scan' }, 'gate_closed', 'expected an approval gate of this promotion'],
    ['at a gate that is not there', { gate: 'build' }, 'gate_closed', 'expected an approval gate of this promotion'],
    ['on another attempt', { attempt: 7 }, 'stale_attempt', 'expected attempt 1, got 7'],
    ['on another artifact', { artifact: evidence[0].digest }, 'stale_evidence', 'what you were shown is no longer'],
    ['on other evidence', { evidenceDigest: evidence[0].digest }, 'stale_evidence', 'what you were shown is no longer'],
  ])('%s', (_what, over, code, message) => {
    const refused = answered(vote(atApproval(), sam, over));
    expect(refused).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('at a gate that has passed', () => {
    const world = atApproval();
    vote(world, sam);
    vote(world, ona);
    expect(answered(vote(world, kim))).toMatchObject({ code: 'gate_closed', message: 'this gate is passed' });
  });

  it.each([
    ['live', 'gate_closed'],
    ['rolled_back', 'promotion_ended'],
    ['rejected', 'promotion_ended'],
    ['expired', 'expired'],
    ['superseded', 'superseded'],
    ['cancelled', 'promotion_ended'],
  ] as const)('when the promotion has ended: %s', (outcome, code) => {
    const world = atApproval();
    const command = voteIn(world);
    const scene = { ...sceneFor(world, sam, command), promotion: { ...stateOf(world), outcome } };
    expect(answered(decideGate(scene, command))).toMatchObject({
      ...{ code, message: `this promotion has ended: ${outcome}` },
    });
  });
});

describe('a right that was lost', () => {
  it('before the quorum closes voids the vote and says why, and others may still fill its place', () => {
    const world = atApproval();
    vote(world, sam);
    bereft(world, sam);
    const decided = vote(world, ona);
    expect([answered(decided), told(decided)]).toEqual([
      { kind: 'decided', passed: false },
      ['decision_recorded', 'decision_voided'],
    ]);
    expect(approvalIn(world).decisions.map(({ voided }) => voided)).toEqual(['role_lost', null]);
    expect(standing(approvalIn(world).decisions).map(({ person }) => person)).toEqual([ona]);
    expect(answered(vote(world, kim))).toEqual({ kind: 'decided', passed: true });
  });

  it('before users are touched reopens the gate and voids that vote alone', () => {
    const world = atApproval();
    vote(world, sam);
    vote(world, ona);
    const before = sceneFor(world, cast.worker, voteIn(world));
    const kept = new Plan(before);
    expect([reopenLostQuorum(kept, before), kept.drafts]).toEqual([false, []]);
    bereft(world, sam);
    const scene = sceneFor(world, cast.worker, voteIn(world));
    const plan = new Plan(scene);
    expect(reopenLostQuorum(plan, scene)).toBe(true);
    expect(plan.drafts.map(({ event }) => event)).toEqual([
      { kind: 'decision_voided', v: 1, gate: 'approval', decision: 'dec_b', why: 'role_lost' },
      { kind: 'gate_reopened', v: 1, gate: 'approval', why: 'role_lost' },
    ]);
  });

  it('is not asked about where nobody is asked to approve, nor without a promotion', () => {
    const world = atApproval();
    const scene = sceneFor(world, cast.worker, voteIn(world));
    const gates = smallPolicy.gates.filter(({ gate }) => gate !== 'approval');
    const unasked = { ...scene, promotion: { ...stateOf(world), policy: { ...smallPolicy, gates } } };
    expect(reopenLostQuorum(new Plan(unasked), unasked)).toBe(false);
    const nothing = { ...scene, promotion: null };
    expect(reopenLostQuorum(new Plan(nothing), nothing)).toBe(false);
    expect(reopenStaleEvidence(new Plan(nothing), nothing)).toBe(false);
  });

  it('of somebody who is not known any more counts as lost', () => {
    const world = atApproval();
    vote(world, sam);
    vote(world, ona);
    const scene = { ...sceneFor(world, cast.worker, voteIn(world)), people: {} };
    expect(tallyOf(stateOf(world), scene)).toMatchObject({ met: false, have: [0, 0] });
    expect(reopenLostQuorum(new Plan(scene), scene)).toBe(true);
  });
});

describe('evidence that grew old before production', () => {
  const reopened = (age: number) => {
    const world = atApproval();
    const since = Math.max(...stateOf(world).gates.map((gate) => gate.since));
    const scene = { ...sceneFor(world, cast.worker, voteIn(world)), now: since + smallPolicy.evidenceAgeMaxMs + age };
    const plan = new Plan(scene);
    return { any: reopenStaleEvidence(plan, scene), events: plan.drafts.map(({ event }) => event) };
  };

  it('is fresh to the last millisecond, and stale in the next', () => {
    expect(reopened(0)).toEqual({ any: false, events: [] });
    expect(reopened(1)).toEqual({
      any: true,
      events: ['scan', 'staging', 'approval'].map((gate) => ({
        ...{ kind: 'gate_reopened', v: 1, gate, why: 'stale_evidence' },
      })),
    });
  });

  it('of a gate that is blocked is left to whoever runs it again', () => {
    const world = atApproval();
    const state = stateOf(world);
    const gates = state.gates.map((gate) => (gate.name === 'scan' ? { ...gate, status: 'failed' as const } : gate));
    const now = world.now + smallPolicy.evidenceAgeMaxMs + 1;
    const scene = { ...sceneFor(world, cast.worker, voteIn(world)), promotion: { ...state, gates }, now };
    const plan = new Plan(scene);
    expect(reopenStaleEvidence(plan, scene)).toBe(true);
    expect(plan.drafts.map(({ event }) => 'gate' in event && event.gate)).toEqual(['staging', 'approval']);
  });
});

describe('the tally', () => {
  it('counts who approved, each for one requirement, and nobody who rejected or lost the vote', () => {
    const world = atApproval();
    const scene = () => sceneFor(world, cast.worker, voteIn(world));
    expect(tallyOf(stateOf(world), scene())).toMatchObject({ met: false, have: [0, 0], assigned: {} });
    vote(world, sam);
    expect(tallyOf(stateOf(world), scene())).toMatchObject({ met: false, have: [1, 0] });
    vote(world, kim, { verdict: 'request_changes' });
    expect(tallyOf(stateOf(world), scene())).toMatchObject({ met: false, have: [1, 0] });
  });
});
