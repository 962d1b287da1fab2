import type { Policy } from './policy.ts';
import { headline } from './headline.ts';
import { ask, cast, newWorld, productionOf, promotionsOf, smallPolicy, type World } from './world.contract.ts';

const promotion = `prm_${'0'.repeat(32)}` as const;
const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;
/** From the beginning of the small world, which is at a million, for a hundred seconds. */
const frozenUntil = 1_100_000;
const frozen: Policy = {
  ...smallPolicy,
  freeze: [{ zone: 'UTC', from: '0', until: String(frozenUntil), why: 'year end' }],
};

function stateIn(world: World) {
  const [state] = promotionsOf(world);
  if (state === undefined) throw new Error('expected the promotion');
  return state;
}

/** A promotion that everybody has agreed to. */
function approved(policy: Policy): World {
  const world = newWorld(policy);
  const { prototype, candidates, policy: policyId } = cast;
  ask(world, cast.builder, { kind: 'OpenPromotion', promotion, prototype, candidate: candidates[0], policyId });
  for (const gate of ['scan', 'staging'] as const) {
    const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: gate, claimant: gate });
    if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
    const { attempt, fence } = outcome;
    ask(world, cast.worker, {
      ...{ kind: 'Report', promotion, gate, attempt, fence, verdict: 'pass' },
      ...{ reasons: [], evidence, measure: null },
    });
  }
  for (const who of cast.security) {
    const gate = stateIn(world).gates.find(({ name }) => name === 'approval');
    if (gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
    ask(world, who, {
      ...{ kind: 'Decide', promotion, gate: 'approval', attempt: gate.attempt, decision: `dec_${who.slice(-4)}` },
      ...{ verdict: 'approve', artifact: stateIn(world).candidate.manifest.artifact },
      evidenceDigest: gate.evidenceDigest,
    });
  }
  return world;
}

const claimCanary = (world: World, claimant = 'canary') =>
  ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant });

test('a freeze keeps the first users away and nothing before them: gates run and people agree', () => {
  const world = approved(frozen);
  expect(stateIn(world).gates.map(({ status }) => status)).toEqual(['passed', 'passed', 'passed', 'pending']);
  expect(claimCanary(world).outcome).toEqual({
    kind: 'onward',
    onward: { kind: 'wait', until: frozenUntil, why: 'frozen' },
  });
  expect(productionOf(world)).toMatchObject({ owner: null, queue: [], weight: 0 });
});

test('the gate says so once, with its end and its reason', () => {
  const world = approved(frozen);
  claimCanary(world);
  const told = world.drafts.length;
  expect(claimCanary(world, 'another').drafts).toEqual([]);
  expect(world.drafts).toHaveLength(told);
  const facts = {
    ...{ now: world.now, timeZone: 'UTC', tally: null, hold: null, laneBusy: false, liveVersion: null },
    ...{ canary: null, pastWaitsMs: [] },
  };
  const { state, sentence } = headline(stateIn(world), facts);
  expect({ state, sentence }).toEqual({
    state: 'queued',
    sentence: 'All is well, but nothing new goes to users for now: year end. It goes on at 00:18.',
  });
});

test('when it is over the canary begins, and what begun before a freeze goes on in it', () => {
  const world = approved(frozen);
  claimCanary(world);
  world.now = frozenUntil;
  expect(claimCanary(world).outcome.kind).toBe('granted');
  expect(stateIn(world).gates.at(-1)).toMatchObject({ status: 'claimed', reasons: [], retryAt: null });
  world.now = frozenUntil - 1;
  expect(claimCanary(world, 'next').outcome.kind).toBe('granted');
});

test('evidence that grew too old during a freeze is gathered again after it', () => {
  const world = approved({
    ...frozen,
    evidenceAgeMaxMs: 500_000,
    freeze: [{ zone: 'UTC', from: '0', until: '1600000', why: 'x' }],
  });
  claimCanary(world);
  world.now = 1_600_000;
  expect(claimCanary(world).outcome).toMatchObject({ onward: { kind: 'run', step: 'scan' } });
});

test('a window that nobody can place in time is refused with its number', () => {
  const world = newWorld(smallPolicy);
  const policy = { ...frozen, freeze: [...(frozen.freeze ?? []), { zone: 'UTC', from: 'soon', until: '2', why: 'x' }] };
  const digest = `sha256:${'6'.repeat(64)}` as const;
  const { outcome } = ask(world, cast.operator, {
    ...{ kind: 'PublishPolicy', policyId: cast.policy, policy, digest, author: cast.operator },
  });
  expect(outcome).toMatchObject({
    refusal: { code: 'policy_invalid', message: 'freeze window 2: expected a number' },
  });
});
