import { glassMinutesMax } from './break-glass.ts';
import type { Command } from './command.ts';
import type { Door } from './door.ts';
import { headline } from './headline.ts';
import type { PersonId } from './id.ts';
import { next } from './next.ts';
import { artifactOf, gateIn } from './promotion.ts';
import { answerOf, openIn, run, toApproval, vote } from './way.contract.ts';
import { ask, cast, newWorld, productionOf, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';

const hour = 3_600_000;
const [sam, kim] = cast.security;

/** The small world with a glass that security may break, and a freeze where one is wanted. */
function policyWith(frozenUntil: number | null) {
  const gates = smallPolicy.gates.map((rule) =>
    rule.gate === 'approval' ? { ...rule, expiresMs: 20 * hour, breakGlass: { from: 'group/security' } } : rule,
  );
  const freeze = frozenUntil === null ? [] : [{ zone: 'UTC', from: '0', until: String(frozenUntil), why: 'sale' }];
  return { ...smallPolicy, evidenceAgeMaxMs: 40 * hour, gates, freeze };
}

const waiting = (frozenUntil: number | null = null) => toApproval(newWorld(policyWith(frozenUntil)));

function say(world: World, who: PersonId, command: Command, door?: Door) {
  return answerOf(ask(world, who, command, door ?? { channel: 'page', freshAt: world.now }));
}

const asks = (world: World, who: PersonId = cast.builder, minutes = 60, door?: Door) =>
  say(world, who, { kind: 'AskBreakGlass', promotion, minutes }, door);

const agrees = (world: World, who: PersonId, door?: Door) =>
  say(world, who, { kind: 'ApproveBreakGlass', promotion, artifact: artifactOf(stateOf(world)) }, door);

const reviews = (world: World, who: PersonId, of = promotion) =>
  say(world, who, { kind: 'ReviewBreakGlass', promotion: of });

const claim = (world: World) => ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });

function broken(world = waiting()): World {
  asks(world);
  agrees(world, sam);
  agrees(world, kim);
  return world;
}

describe('break-glass', () => {
  it('lets a candidate past people once two others agree, shown as waived and as broken', () => {
    const world = waiting();
    expect([asks(world), agrees(world, sam)]).toEqual(['done', 'onward']);
    expect(gateIn(stateOf(world), 'approval').status).toBe('waiting');
    agrees(world, kim);
    expect(gateIn(stateOf(world), 'approval')).toMatchObject({ status: 'passed', verdict: 'waived', decisions: [] });
    expect(claim(world).outcome.kind).toBe('granted');
    expect(stateOf(world).glass).toMatchObject({ approvedBy: [sam, kim], usedAt: world.now });
    const nothing = { tally: null, hold: null, laneBusy: false, liveVersion: null, canary: null, pastWaitsMs: [] };
    const read = { ...nothing, now: world.now, timeZone: 'UTC', reviewOwed: true };
    expect(headline(stateOf(world), read).sentence).toMatch(
      /The glass was broken at 00:16. Nobody has reviewed it yet.$/,
    );
  });

  it('needs a fresh login at the page of each of them', () => {
    const world = waiting();
    const stale: Door = { channel: 'page', freshAt: world.now - 6 * 60_000 };
    const token: Door = { channel: 'rest', freshAt: null };
    expect([asks(world, cast.builder, 60, stale), asks(world, cast.builder, 60, token)]).toEqual([
      ...['step_up_required', 'step_up_required'],
    ]);
    asks(world);
    expect([agrees(world, sam, token), agrees(world, sam)]).toEqual(['step_up_required', 'onward']);
  });

  it('is never agreed to by who asked, and not twice by the same person', () => {
    const world = waiting();
    asks(world, sam);
    expect([agrees(world, sam), agrees(world, kim), agrees(world, kim)]).toEqual([
      ...['own_work', 'onward', 'already_decided'],
    ]);
    expect(gateIn(stateOf(world), 'approval').status).toBe('waiting');
  });

  it.each([
    [0, 'until_invalid'],
    [1, 'done'],
    [glassMinutesMax, 'done'],
    [glassMinutesMax + 1, 'until_invalid'],
    [Number.NaN, 'until_invalid'],
  ])('for %s minutes: %s', (minutes, answer) => {
    expect(asks(waiting(), cast.builder, minutes)).toBe(answer);
  });

  it('skips neither a scan that failed nor any gate before people are asked', () => {
    const failed = openIn(newWorld(policyWith(null)));
    expect(asks(failed)).toBe('gate_closed');
    run(failed, 'scan', 'fail', [{ code: 'secret', message: 'a key' }]);
    expect(asks(failed)).toBe('gate_closed');
  });

  it('is not there where the policy names nobody', () => {
    expect(asks(toApproval(newWorld()))).toBe('not_permitted');
  });

  it('unused within its time it is over, and people are asked anew', () => {
    const world = broken();
    expect(next(stateOf(world), world.now)).toEqual({ kind: 'run', step: 'canary' });
    world.now += hour;
    expect(claim(world).outcome).toMatchObject({ kind: 'onward', onward: { kind: 'wait', why: 'waiting_for_human' } });
    expect([stateOf(world).productionAt, gateIn(stateOf(world), 'approval').attempt]).toEqual([null, 2]);
  });

  it('opens a freeze as well, for a candidate that people have agreed to', () => {
    const world = waiting(30 * hour);
    for (const who of [sam, kim]) vote(world, who);
    expect(claim(world).outcome).toMatchObject({ onward: { kind: 'wait', why: 'frozen' } });
    broken(world);
    expect(claim(world).outcome.kind).toBe('granted');
    expect(gateIn(stateOf(world), 'canary').reasons).toEqual([]);
  });

  it('is reviewed by somebody who had no part in it, and until then no other is broken here', () => {
    const world = broken();
    claim(world);
    expect(productionOf(world).reviewOwed).toBe(promotion);
    expect([reviews(world, cast.builder), reviews(world, sam), reviews(world, kim)]).toEqual([
      ...['own_work', 'own_work', 'own_work'],
    ]);
    ask(world, cast.operator, { kind: 'Rollback', promotion });
    const second = `prm_${'5'.repeat(32)}` as const;
    const { prototype, policy: policyId, candidates } = cast;
    ask(world, cast.builder, {
      kind: 'OpenPromotion',
      promotion: second,
      prototype,
      candidate: candidates[1],
      policyId,
    });
    for (const gate of ['scan', 'staging'] as const) {
      const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion: second, step: gate, claimant: gate });
      if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${outcome.kind}`);
      const { attempt, fence } = outcome;
      const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;
      const told = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
      ask(world, cast.worker, { kind: 'Report', promotion: second, gate, attempt, fence, ...told });
    }
    const again = () => say(world, cast.builder, { kind: 'AskBreakGlass', promotion: second, minutes: 5 });
    expect([again(), reviews(world, cast.operator), again()]).toEqual(['review_due', 'done', 'done']);
    expect(reviews(world, cast.operator)).toBe('gate_closed');
  });
});

describe('what is live', () => {
  it('can be taken out of service: nobody is served, and nothing new comes before a person says so', () => {
    const world = broken();
    const retire = () => say(world, cast.operator, { kind: 'Retire', lane: cast.lanes.production });
    expect(retire()).toBe('nothing_live');
    claim(world);
    expect(retire()).toBe('lane_busy');
    const { fence, gates } = stateOf(world);
    const attempt = gates.at(-1)?.attempt ?? 0;
    const evidence = [{ kind: 'report', digest: `sha256:${'8'.repeat(64)}` }] as const;
    const told = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    ask(world, cast.worker, { kind: 'Report', promotion, gate: 'canary', attempt, fence, ...told });
    expect([productionOf(world).stable?.promotion, retire()]).toEqual([promotion, 'done']);
    expect(productionOf(world)).toMatchObject({ stable: null, previous: null, weight: 0, hold: { reason: 'retired' } });
    expect(answerOf(ask(world, cast.operator, { kind: 'Rollback', promotion }))).toBe('nothing_to_roll_back');
  });
});
