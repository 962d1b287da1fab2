import type { Reason } from './verdict.ts';
import { gateIn } from './promotion.ts';
import { answerOf, run, toApproval, toCanary, vote } from './way.contract.ts';
import { ask, cast, newWorld, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';

const [sam, kim] = cast.security;
const finding: Reason = { code: 'licence', message: 'a package has no licence' };

function waiting(onRefresh: 'keep' | 'void', evidenceAgeMaxMs = smallPolicy.evidenceAgeMaxMs): World {
  const gates = smallPolicy.gates.map((rule) => (rule.gate === 'approval' ? { ...rule, onRefresh } : rule));
  return toApproval(newWorld({ ...smallPolicy, evidenceAgeMaxMs, gates }));
}

const rerun = (world: World, gate: 'scan' | 'staging' | 'canary' = 'scan') =>
  answerOf(ask(world, cast.builder, { kind: 'Rerun', promotion, gate }));
const approval = (world: World) => gateIn(stateOf(world), 'approval');
const claim = (world: World) => ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });

describe('a check that is run again on the same files', () => {
  it('keeps the votes where the policy says so and nothing is worse, and names both digests', () => {
    const world = waiting('keep');
    vote(world, sam);
    rerun(world);
    expect(approval(world)).toMatchObject({ status: 'waiting', attempt: 1, decisions: [{ voided: null }] });
    run(world, 'scan');
    const told = world.drafts.flatMap(({ draft: { event } }) => (event.kind === 'evidence_refreshed' ? [event] : []));
    expect(told).toMatchObject([{ gate: 'approval', from: 'scan', after: approval(world).evidenceDigest }]);
    vote(world, kim);
    expect([approval(world).status, claim(world).outcome.kind]).toEqual(['passed', 'granted']);
  });

  it.each<[string, 'pass' | 'fail' | 'inconclusive', readonly Reason[]]>([
    ['worse', 'fail', [finding]],
    ['no longer certain', 'inconclusive', []],
    ['as good, with something new', 'pass', [finding]],
  ])('voids them when it is %s', (_what, verdict, reasons) => {
    const world = waiting('keep');
    vote(world, sam);
    rerun(world);
    run(world, 'scan', verdict, reasons);
    expect(approval(world).decisions).toMatchObject([{ voided: 'reopened' }]);
    expect(stateOf(world).productionAt).toBeNull();
  });

  it('voids them at once where the policy does not say so', () => {
    const world = waiting('void');
    vote(world, sam);
    rerun(world);
    expect(approval(world)).toMatchObject({ status: 'pending', decisions: [{ voided: 'reopened' }] });
  });

  it('voids nothing when it comes behind the approval: nobody was shown it', () => {
    const world = waiting('void');
    for (const who of [sam, kim]) vote(world, who);
    run(world, 'canary', 'inconclusive');
    expect(rerun(world, 'canary')).toBe('onward');
    expect([approval(world).status, claim(world).outcome.kind]).toEqual(['passed', 'granted']);
  });

  it('is done by itself when its evidence grew old before production, and the agreement stands', () => {
    const world = waiting('keep', 100_000);
    for (const who of [sam, kim]) vote(world, who);
    world.now += 100_001;
    expect(claim(world).outcome).toMatchObject({ onward: { kind: 'run', step: 'scan' } });
    run(world, 'scan');
    run(world, 'staging');
    expect([approval(world).status, claim(world).outcome.kind]).toEqual(['passed', 'granted']);
  });

  it('is refused once users are on it', () => {
    const world = toCanary(newWorld());
    expect(rerun(world)).toBe('production_started');
  });
});

describe('an approver who asks for changes', () => {
  it('leaves the promotion to its builder: nobody votes on, and a newer version takes its place', () => {
    const world = waiting('void');
    vote(world, sam, { verdict: 'request_changes' });
    expect([approval(world).status, answerOf(vote(world, kim))]).toEqual(['changes_requested', 'gate_closed']);
    const { prototype, policy: policyId, candidates } = cast;
    const newer = { kind: 'OpenPromotion', promotion: `prm_${'9'.repeat(32)}`, prototype, policyId } as const;
    ask(world, cast.builder, { ...newer, candidate: candidates[1] });
    expect(stateOf(world).outcome).toBe('superseded');
  });
});
