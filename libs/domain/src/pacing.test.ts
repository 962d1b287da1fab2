import type { Command, Look } from './command.ts';
import type { Channel } from './door.ts';
import { leaseMs } from './lane.ts';
import { gateIn } from './promotion.ts';
import { next } from './next.ts';
import { paceOf } from './pace.ts';
import { answerOf, evidence, toApproval, toCanary } from './way.contract.ts';
import { ask, cast, newWorld, productionOf, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';

/** Four shares, so that a step has one before and one after it. */
const policy = {
  ...smallPolicy,
  gates: smallPolicy.gates.map((rule) => (rule.gate === 'canary' ? { ...rule, weights: [10, 20, 50, 100] } : rule)),
};

function look(world: World, verdict: Look['verdict'], fresh = true) {
  const { fence } = stateOf(world);
  const laneFence = productionOf(world).fence.counter;
  return ask(world, cast.worker, { kind: 'Look', promotion, fence, laneFence, fresh, verdict });
}

const advance = (world: World, percent: number) => look(world, { kind: 'advance', percent });

/** A world whose canary has reached this share. */
function atShare(percent: number): World {
  const world = toCanary(newWorld(policy));
  for (const due of [10, 20, 50, 100].filter((one) => one <= percent)) advance(world, due);
  return world;
}

function hand(world: World, kind: 'Pause' | 'Unpause' | 'Advance') {
  world.now += 1;
  return ask(world, cast.operator, { kind, promotion });
}

const shareOf = (world: World) => [stateOf(world).weight, productionOf(world).weight];

describe('a paused canary', () => {
  it('stays at its share whatever its judge asks for, with its lease, and every answer says so', () => {
    const world = atShare(20);
    expect(answerOf(hand(world, 'Pause'))).toBe('done');
    const kept = advance(world, 50);
    expect([kept.outcome, kept.leaseMs]).toMatchObject([
      { kind: 'steered', weight: 20, going: true, pace: 'paused' },
      leaseMs,
    ]);
    expect(shareOf(world)).toEqual([20, 20]);
    const held = look(world, { kind: 'hold' });
    expect([held.outcome, held.leaseMs]).toMatchObject([{ pace: 'paused' }, leaseMs]);
    expect(look(world, { kind: 'hold' }, false).leaseMs).toBe(0);
  });

  it('climbs again once it is let go', () => {
    const world = atShare(20);
    hand(world, 'Pause');
    expect(answerOf(hand(world, 'Unpause'))).toBe('done');
    expect(advance(world, 50).outcome).toMatchObject({ weight: 50, pace: 'usual' });
  });

  it('is condemned as ever: weight 0 in that very transaction', () => {
    const world = atShare(20);
    hand(world, 'Pause');
    look(world, { kind: 'condemn', snapshot: evidence[0].digest, reasons: [] });
    expect(shareOf(world)).toEqual([0, 0]);
    expect(next(stateOf(world), world.now)).toEqual({ kind: 'run', step: 'undo' });
  });

  it('does not go live by a proof that was on its way; it does when it is let go and proven again', () => {
    const world = atShare(100);
    hand(world, 'Pause');
    const settle = () => {
      const { attempt } = gateIn(stateOf(world), 'canary');
      const told = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
      const { fence } = stateOf(world);
      return ask(world, cast.worker, { kind: 'Report', promotion, gate: 'canary', attempt, fence, ...told });
    };
    expect(settle().outcome).toEqual({ kind: 'onward', onward: { kind: 'run', step: 'canary' } });
    expect([stateOf(world).outcome, gateIn(stateOf(world), 'canary').status]).toEqual([null, 'claimed']);
    hand(world, 'Unpause');
    settle();
    expect(stateOf(world).outcome).toBe('live');
  });

  it('may be told at its deadline that nobody could say: a pause is no answer', () => {
    const world = atShare(20);
    hand(world, 'Pause');
    const { fence } = stateOf(world);
    const told = { verdict: 'inconclusive', reasons: [], evidence, measure: null } as const;
    ask(world, cast.worker, { kind: 'Report', promotion, gate: 'canary', attempt: 1, fence, ...told });
    expect([gateIn(stateOf(world), 'canary').status, ...shareOf(world)]).toEqual(['inconclusive', 0, 0]);
  });

  it('is no longer paused when it is run again', () => {
    const world = atShare(20);
    hand(world, 'Pause');
    const { fence } = stateOf(world);
    const told = { verdict: 'inconclusive', reasons: [], evidence, measure: null } as const;
    ask(world, cast.worker, { kind: 'Report', promotion, gate: 'canary', attempt: 1, fence, ...told });
    ask(world, cast.builder, { kind: 'Rerun', promotion, gate: 'canary' });
    ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'two' });
    expect(paceOf(stateOf(world))).toBe('usual');
    expect(advance(world, 10).outcome).toMatchObject({ weight: 10 });
  });

  it('stays paused when its step breaks and is tried again', () => {
    const world = atShare(20);
    hand(world, 'Pause');
    const { fence } = stateOf(world);
    ask(world, cast.worker, { kind: 'Breakage', promotion, gate: 'canary', attempt: 1, fence, code: 'edge_away' });
    expect(paceOf(stateOf(world))).toBe('paused');
    expect(answerOf(hand(world, 'Unpause'))).toBe('done');
  });

  it('is told once, however often it is asked for', () => {
    const world = atShare(20);
    hand(world, 'Unpause');
    for (const kind of ['Pause', 'Pause', 'Unpause', 'Unpause'] as const) hand(world, kind);
    const told = world.drafts.map(({ draft }) => draft.event.kind).filter((kind) => /paused/.test(kind));
    expect(told).toEqual(['canary_paused', 'canary_unpaused']);
  });
});

describe('a canary that a person advances', () => {
  it('moves by no word of theirs alone: the next look learns that its time there counts as over', () => {
    const world = atShare(10);
    expect(answerOf(hand(world, 'Advance'))).toBe('done');
    expect(shareOf(world)).toEqual([10, 10]);
    expect(look(world, { kind: 'hold' }).outcome).toMatchObject({ pace: 'hastened', weight: 10 });
  });

  it('has the whole of its time again at the share after it', () => {
    const world = atShare(10);
    hand(world, 'Advance');
    expect(advance(world, 20).outcome).toMatchObject({ weight: 20, pace: 'usual' });
    expect(look(world, { kind: 'hold' }).outcome).toMatchObject({ pace: 'usual' });
  });

  it('can be paused instead, and then waits', () => {
    const world = atShare(10);
    hand(world, 'Advance');
    hand(world, 'Pause');
    expect(paceOf(stateOf(world))).toBe('paused');
    expect(answerOf(hand(world, 'Advance'))).toBe('canary_paused');
  });
});

const by = (kind: 'HoldLane' | 'Cancel'): Command =>
  kind === 'HoldLane' ? { kind, lane: cast.lanes.production } : { kind, promotion };

it.each<[string, () => World, Partial<Record<'Pause' | 'Unpause' | 'Advance', string>>]>([
  ['before anybody may approve', () => toApproval(newWorld(policy)), { Pause: 'gate_closed', Advance: 'gate_closed' }],
  [
    'before its first users',
    () => atShare(0),
    { Pause: 'gate_closed', Unpause: 'gate_closed', Advance: 'gate_closed' },
  ],
  ['at a share with another below everybody', () => atShare(20), { Pause: 'done', Unpause: 'done', Advance: 'done' }],
  [
    'where only everybody is left, and proof alone goes there',
    () => atShare(50),
    { Pause: 'done', Advance: 'weight_not_due' },
  ],
  ['where everybody is on it', () => atShare(100), { Pause: 'done', Advance: 'weight_not_due' }],
  ['in a lane that is held', () => told(atShare(20), by('HoldLane')), { Pause: 'done', Advance: 'lane_held' }],
  ['that goes back', () => told(atShare(20), by('Cancel')), { Pause: 'promotion_ended', Advance: 'promotion_ended' }],
])('a canary %s answers a hand on it by name', (_what, world, answers) => {
  for (const [kind, answer] of Object.entries(answers))
    expect([kind, answerOf(hand(world(), kind as 'Pause'))]).toEqual([kind, answer]);
});

function told(world: World, command: Command): World {
  ask(world, cast.operator, command);
  return world;
}

it.each<[string, Channel, readonly Channel[] | undefined, string]>([
  ['in Slack, where the policy names no ways in', 'slack', undefined, 'done'],
  ['in Slack, where it leaves Slack out', 'slack', ['rest'], 'channel_not_allowed'],
  ['at the API all the same', 'rest', ['rest'], 'done'],
])('is hurried %s as its policy says, and paused from anywhere', (_what, channel, channels, answer) => {
  const gates = policy.gates.map((rule) => (rule.gate === 'canary' && channels ? { ...rule, channels } : rule));
  const world = toCanary(newWorld({ ...policy, gates }));
  for (const due of [10, 20]) advance(world, due);
  const door = { channel, freshAt: null };
  const by = (kind: 'Pause' | 'Advance') => answerOf(ask(world, cast.operator, { kind, promotion }, door));
  expect([by('Advance'), by('Pause')]).toEqual([answer, 'done']);
});

it('is refused by name where the policy has no canary', () => {
  const world = newWorld({
    ...policy,
    gates: policy.gates.filter(({ gate }) => gate === 'scan' || gate === 'staging'),
  });
  const { prototype, policy: policyId, candidates } = cast;
  ask(world, cast.builder, { kind: 'OpenPromotion', promotion, prototype, candidate: candidates[0], policyId });
  expect(answerOf(hand(world, 'Pause'))).toBe('gate_closed');
  expect(answerOf(hand(world, 'Advance'))).toBe('gate_closed');
});
