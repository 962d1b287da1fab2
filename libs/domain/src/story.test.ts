import type { Command } from './command.ts';
import { headline } from './headline.ts';
import type { PersonId } from './id.ts';
import { type Fence, leaseMs } from './lane.ts';
import { next } from './next.ts';
import { type PromotionState, gateIn } from './promotion.ts';
import { ask, cast, newWorld, productionOf, promotionsOf, smallPolicy, type World } from './world.contract.ts';

const promotion = `prm_${'0'.repeat(32)}` as const;
const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;

function opened(): World {
  const world = newWorld();
  ask(world, cast.builder, {
    kind: 'OpenPromotion',
    promotion,
    prototype: cast.prototype,
    candidate: cast.candidates[0],
    policyId: cast.policy,
  });
  return world;
}

const stateOf = (world: World): PromotionState => {
  const state = promotionsOf(world).find((one) => one.id === promotion);
  if (state === undefined) throw new Error('expected the promotion');
  return state;
};

function run(world: World, gate: 'scan' | 'staging' | 'canary', verdict: 'pass' | 'fail' = 'pass'): void {
  const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: gate, claimant: gate });
  if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
  const { attempt, fence } = outcome;
  ask(world, cast.worker, {
    kind: 'Report',
    promotion,
    gate,
    attempt,
    fence,
    verdict,
    reasons: [],
    evidence,
    measure: null,
  });
}

function vote(world: World, who: PersonId, over: Partial<Extract<Command, { kind: 'Decide' }>> = {}) {
  const state = stateOf(world);
  const gate = state.gates.find((one) => one.name === 'approval');
  if (gate?.evidenceDigest == null) throw new Error('expected an open approval gate');
  const shown = { artifact: state.candidate.manifest.artifact, evidenceDigest: gate.evidenceDigest };
  return ask(world, who, {
    kind: 'Decide',
    promotion,
    gate: 'approval',
    attempt: gate.attempt,
    decision: `dec_${who.slice(-4)}`,
    verdict: 'approve',
    ...shown,
    ...over,
  });
}

function atApproval(): World {
  const world = opened();
  run(world, 'scan');
  run(world, 'staging');
  return world;
}

function inCanary(): World {
  const world = atApproval();
  vote(world, cast.security[0]);
  vote(world, cast.security[1]);
  ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });
  return world;
}

const refused = (decided: ReturnType<typeof ask>) =>
  decided.outcome.kind === 'refused' ? decided.outcome.refusal.code : decided.outcome.kind;

describe('an approval', () => {
  it('opens by itself as soon as the gates before it have passed', () => {
    expect(next(stateOf(atApproval()), 0)).toMatchObject({ kind: 'wait', why: 'waiting_for_human' });
  });

  it('still counts one millisecond before the deadline and not at it', () => {
    const [early, late] = [atApproval(), atApproval()];
    const deadline = stateOf(early).gates.find((gate) => gate.name === 'approval')?.expiresAt ?? 0;
    early.now = deadline - 1;
    late.now = deadline;
    expect(refused(vote(early, cast.security[0]))).toBe('decided');
    expect(refused(vote(late, cast.security[0]))).toBe('expired');
    expect(stateOf(late)).toMatchObject({ outcome: 'expired' });
    const nothing = { tally: null, hold: null, laneBusy: false, liveVersion: null, canary: null, pastWaitsMs: [] };
    expect(headline(stateOf(late), { ...nothing, now: deadline, timeZone: 'UTC' }).sentence).toBe(
      'Nobody answered in time: not approved.',
    );
  });

  it.each([
    ['another artifact', { artifact: `sha256:${'e'.repeat(64)}` as const }, 'stale_evidence'],
    ['other evidence', { evidenceDigest: `sha256:${'e'.repeat(64)}` as const }, 'stale_evidence'],
    ['an older attempt', { attempt: 0 }, 'stale_attempt'],
    ['a machine gate', { gate: 'scan' as const }, 'gate_closed'],
  ])('refuses a vote on %s', (_what, over, code) => {
    expect(refused(vote(atApproval(), cast.security[0], over))).toBe(code);
  });

  it('voids a vote whose caster lost the role before the quorum closed, and stays open', () => {
    const world = atApproval();
    vote(world, cast.security[0]);
    for (const binding of [{ role: 'approver', group: 'security' }, { role: 'operator' }] as const) {
      ask(world, cast.operator, { kind: 'RevokeRole', person: cast.security[0], binding });
    }
    expect(refused(vote(world, cast.security[1]))).toBe('decided');
    const gate = stateOf(world).gates.find((one) => one.name === 'approval');
    expect(gate).toMatchObject({ status: 'waiting', decisions: [{ voided: 'role_lost' }, { voided: null }] });
  });

  it('is asked for again when its evidence grew too old before production', () => {
    const world = atApproval();
    vote(world, cast.security[0]);
    vote(world, cast.security[1]);
    world.now += smallPolicy.evidenceAgeMaxMs + 1;
    const claimed = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'late' });
    expect(claimed.outcome).toMatchObject({ kind: 'onward', onward: { kind: 'run', step: 'scan' } });
    expect(stateOf(world).productionAt).toBeNull();
  });
});

describe('a breakage', () => {
  it('is tried again, and after the policy’s bound it is inconclusive, never a pass', () => {
    const world = opened();
    for (const expected of ['errored', 'inconclusive']) {
      world.now += 60_000;
      const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'scan', claimant: expected });
      if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
      ask(world, cast.worker, {
        kind: 'Breakage',
        promotion,
        gate: 'scan',
        attempt: outcome.attempt,
        fence: outcome.fence,
        code: 'tool_crashed',
      });
      expect(stateOf(world).gates[0]?.status).toBe(expected);
    }
  });
});

describe('a report', () => {
  it('without evidence is never a pass', () => {
    const world = opened();
    const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'scan', claimant: 'one' });
    if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
    const { attempt, fence } = outcome;
    const report = {
      kind: 'Report',
      promotion,
      gate: 'scan',
      attempt,
      fence,
      verdict: 'pass',
      reasons: [],
      evidence: [],
      measure: null,
    } as const;
    expect(refused(ask(world, cast.worker, report))).toBe('stale_evidence');
  });
});

describe('a cancellation', () => {
  it('stops the gate that people were asked at', () => {
    const world = atApproval();
    ask(world, cast.builder, { kind: 'Cancel', promotion });
    expect(stateOf(world).gates.map(({ status }) => status)).toEqual(['passed', 'passed', 'stopped', 'pending']);
  });
});

describe('a look', () => {
  const advance = (world: World, percent: number) =>
    ask(world, cast.worker, {
      kind: 'Look',
      promotion,
      fence: stateOf(world).fence,
      laneFence: productionOf(world).fence.counter,
      fresh: true,
      verdict: { kind: 'advance', percent },
    });

  it.each([9, 11, 50, 99, 100, -1, Number.NaN])(
    'gives the canary no first share of %s when the policy says 10',
    (percent) => {
      const world = inCanary();
      const decided = advance(world, percent);
      expect([refused(decided), decided.leaseMs, decided.drafts]).toEqual(['weight_not_due', 0, []]);
      expect(productionOf(world).weight).toBe(0);
    },
  );

  it('gives one share of the policy after the other, none of them twice and none above the last', () => {
    const world = inCanary();
    expect([10, 10, 50, 10, 50, 100].map((percent) => refused(advance(world, percent)))).toEqual([
      ...['steered', 'weight_not_due', 'steered', 'weight_not_due', 'weight_not_due', 'weight_not_due'],
    ]);
  });

  it.each([
    ['this instant', 0, leaseMs],
    ['a moment ago', 4_000, leaseMs - 4_000],
    ['just within a lease', leaseMs - 1, 1],
    ['a lease ago: it was held up on its way', leaseMs, 0],
    ['an hour ago', 3_600_000, 0],
    ['later than now, by a clock that runs ahead', -60_000, leaseMs],
  ])('on what was seen %s renews the rest of that lease, and raises no share without one', (_what, ageMs, leftMs) => {
    const world = inCanary();
    const look = (verdict: Extract<Command, { kind: 'Look' }>['verdict']) => {
      const at = { fence: stateOf(world).fence, laneFence: productionOf(world).fence.counter };
      const seenAt = world.now - ageMs;
      return ask(world, cast.worker, { kind: 'Look', promotion, ...at, fresh: true, seenAt, verdict });
    };
    expect(look({ kind: 'advance', percent: 10 })).toMatchObject({ leaseMs: leftMs, outcome: { kind: 'steered' } });
    expect(productionOf(world).weight).toBe(leftMs === 0 ? 0 : 10);
    expect(look({ kind: 'hold' }).leaseMs).toBe(leftMs);
    look({ kind: 'condemn', snapshot: `sha256:${'0'.repeat(64)}`, reasons: [] });
    expect(stateOf(world).undo).toMatchObject({ why: 'condemned' });
  });
});

describe('a fence that an edge has seen', () => {
  const seen = (world: World, ahead: Fence) => {
    const { id: lane, fence } = productionOf(world);
    const { incarnation, counter } = fence;
    const it = { incarnation: incarnation + ahead.incarnation, counter: counter + ahead.counter };
    return ask(world, cast.operator, { kind: 'RaiseIncarnation', lane, seen: it, edge: cast.worker });
  };

  it.each<[string, number, number, string, readonly [number, number]]>([
    ['as old as the row', 0, 0, 'done', [0, 0]],
    ['older, though it has counted further', -1, 9, 'done', [0, 0]],
    ['one change newer', 0, 1, 'done', [1, 2]],
    ['newer, though it has counted less', 1, -1, 'done', [2, 1]],
    ['as far ahead as is believed', 1_000, 1_000_000, 'done', [1_001, 1_000_001]],
    ['one incarnation further than is believed', 1_001, 0, 'too_large', [0, 0]],
    ['one change further than is believed', 0, 1_000_001, 'too_large', [0, 0]],
  ])('%s moves the lane so far, and no traffic', (_what, incarnation, counter, answer, moved) => {
    const world = inCanary();
    const before = productionOf(world);
    expect(refused(seen(world, { incarnation, counter }))).toBe(answer);
    const { fence, ...traffic } = productionOf(world);
    expect([fence.incarnation - before.fence.incarnation, fence.counter - before.fence.counter]).toEqual(moved);
    expect({ ...traffic, fence: before.fence }).toEqual(before);
  });

  it('shuts out the look that was under way', () => {
    const world = inCanary();
    const { fence, ...at } = { fence: stateOf(world).fence, laneFence: productionOf(world).fence.counter };
    seen(world, { incarnation: 0, counter: 3 });
    const look = { kind: 'Look', promotion, fence, ...at, fresh: true, verdict: { kind: 'hold' } } as const;
    expect(refused(ask(world, cast.worker, look))).toBe('stale_fence');
  });
});

describe('a newer candidate', () => {
  const newer = `prm_${'9'.repeat(32)}` as const;
  const open = (world: World) =>
    ask(world, cast.builder, {
      kind: 'OpenPromotion',
      promotion: newer,
      prototype: cast.prototype,
      candidate: cast.candidates[1],
      policyId: cast.policy,
    });

  it('supersedes before the first production claim', () => {
    const world = atApproval();
    open(world);
    expect(stateOf(world).outcome).toBe('superseded');
  });

  it('voids the votes on a gate that it overtakes, and leaves those that had passed one', () => {
    const one = atApproval();
    vote(one, cast.security[0]);
    open(one);
    expect(gateIn(stateOf(one), 'approval')).toMatchObject({
      status: 'stopped',
      decisions: [{ voided: 'superseded' }],
    });
    const two = atApproval();
    for (const person of cast.security) vote(two, person);
    open(two);
    const votes = gateIn(stateOf(two), 'approval').decisions.map(({ voided }) => voided);
    expect([stateOf(two).outcome, gateIn(stateOf(two), 'approval').status]).toEqual(['superseded', 'passed']);
    expect(new Set(votes)).toEqual(new Set([null]));
  });

  it('hears nothing more of a step that was under way when it was superseded', () => {
    const world = opened();
    const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'scan', claimant: 'late' });
    if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
    open(world);
    const late = { promotion, gate: 'scan', attempt: outcome.attempt, fence: outcome.fence } as const;
    const passed = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    expect(refused(ask(world, cast.worker, { kind: 'Report', ...late, ...passed }))).toBe('promotion_ended');
    expect(refused(ask(world, cast.worker, { kind: 'Breakage', ...late, code: 'timed_out' }))).toBe('promotion_ended');
    expect(stateOf(world).gates[0]?.status).toBe('stopped');
  });

  it('queues after it', () => {
    const world = inCanary();
    open(world);
    expect(stateOf(world).outcome).toBeNull();
  });
});

describe('a rollback', () => {
  it('sets the weight to 0 in the transaction that decides it, and shuts out whoever still looks', () => {
    const world = inCanary();
    const { fence } = stateOf(world);
    const look = (percent: number) =>
      ask(world, cast.worker, {
        kind: 'Look',
        promotion,
        fence,
        laneFence: productionOf(world).fence.counter,
        fresh: true,
        verdict: { kind: 'advance', percent },
      });
    expect(look(10).leaseMs).toBe(leaseMs);
    ask(world, cast.operator, { kind: 'Rollback', promotion });
    expect(productionOf(world)).toMatchObject({ weight: 0, hold: { reason: 'rolled_back' } });
    expect(refused(look(50))).toBe('stale_fence');
    expect(next(stateOf(world), world.now)).toEqual({ kind: 'run', step: 'undo' });
  });

  it('by a person says at the canary gate that it was stopped, and a late report changes nothing', () => {
    const world = inCanary();
    const canary = () => stateOf(world).gates.at(-1);
    const { fence } = stateOf(world);
    const attempt = canary()?.attempt ?? 0;
    ask(world, cast.operator, { kind: 'Rollback', promotion });
    expect(canary()).toMatchObject({ status: 'stopped', verdict: null, claimant: null });
    const late = { promotion, gate: 'canary', attempt, fence } as const;
    const passed = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    const before = structuredClone(stateOf(world));
    expect(refused(ask(world, cast.worker, { kind: 'Report', ...late, ...passed }))).toBe('stale_attempt');
    expect(refused(ask(world, cast.worker, { kind: 'Breakage', ...late, code: 'timed_out' }))).toBe('stale_attempt');
    expect(stateOf(world)).toEqual(before);
    const undo = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'undo', claimant: 'one' });
    if (undo.outcome.kind !== 'granted') throw new Error(`expected a grant, got ${undo.outcome.kind}`);
    ask(world, cast.worker, { kind: 'Undone', promotion, fence: undo.outcome.fence });
    expect([stateOf(world).outcome, canary()?.status]).toEqual(['rolled_back', 'stopped']);
  });

  it('of a live release brings back what served before', () => {
    const world = inCanary();
    const { fence, gates } = stateOf(world);
    const attempt = gates.at(-1)?.attempt ?? 0;
    ask(world, cast.worker, {
      kind: 'Report',
      promotion,
      gate: 'canary',
      attempt,
      fence,
      verdict: 'pass',
      reasons: [],
      evidence,
      measure: null,
    });
    expect([stateOf(world).outcome, productionOf(world).stable?.promotion]).toEqual(['live', promotion]);
    ask(world, cast.operator, { kind: 'Rollback', promotion });
    expect([stateOf(world).outcome, productionOf(world).stable]).toEqual(['rolled_back', null]);
  });

  it('is refused before any user is served, and says to cancel', () => {
    expect(refused(ask(atApproval(), cast.operator, { kind: 'Rollback', promotion }))).toBe('nothing_to_roll_back');
  });
});
