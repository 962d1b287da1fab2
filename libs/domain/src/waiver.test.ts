import type { Command } from './command.ts';
import { headline } from './headline.ts';
import type { PersonId } from './id.ts';
import { next } from './next.ts';
import type { Reason } from './verdict.ts';
import { gateIn } from './promotion.ts';
import { evidence, answerOf, openIn, run, vote } from './way.contract.ts';
import { ask, cast, newWorld, productionOf, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';

const day = 86_400_000;
const leak = { code: 'secret', message: 'a key is in the code', file: 'src/mail.ts', line: 14 };
const other = { code: 'licence', message: 'a package has no licence' };
const waiver = `wvr_${'1'.repeat(32)}` as const;
const [sam, kim] = cast.security;

/** A scan that failed, under a policy that lets operators waive for a week. */
function blocked(reasons: readonly Reason[] = [leak], verdict: 'fail' | 'inconclusive' = 'fail'): World {
  const gates = smallPolicy.gates.map((rule) =>
    rule.gate === 'approval' ? { ...rule, expiresMs: 20 * day, waivers: { from: 'role/operator', daysMax: 7 } } : rule,
  );
  const world = openIn(newWorld({ ...smallPolicy, evidenceAgeMaxMs: 30 * day, gates }));
  run(world, 'scan', verdict, reasons);
  return world;
}

function asked(
  world: World,
  over: Partial<Extract<Command, { kind: 'AskWaiver' }>> = {},
  who: PersonId = cast.builder,
) {
  const about = { promotion, waiver, gate: 'scan', attempt: 1, finding: null } as const;
  return ask(world, who, { kind: 'AskWaiver', ...about, owner: cast.operator, until: world.now + 2 * day, ...over });
}

const agree = (world: World, who: PersonId = cast.operator, id: `wvr_${string}` = waiver) =>
  ask(world, who, { kind: 'ApproveWaiver', promotion, waiver: id });

const scanOf = (world: World) => gateIn(stateOf(world), 'scan');

function waived(): World {
  const world = blocked();
  asked(world);
  agree(world);
  return world;
}

describe('a waiver', () => {
  it('lets the gate through under its own word once a second person agrees', () => {
    const world = blocked();
    expect([answerOf(asked(world)), scanOf(world).status]).toEqual(['done', 'failed']);
    expect([answerOf(agree(world)), scanOf(world)]).toEqual([
      ...['done', expect.objectContaining({ status: 'passed', verdict: 'waived', reasons: [leak] })],
    ]);
    expect(stateOf(world).waivers).toMatchObject([
      { owner: cast.operator, askedBy: cast.builder, approvedBy: cast.operator },
    ]);
    expect(next(stateOf(world), world.now)).toEqual({ kind: 'run', step: 'staging' });
  });

  it('of one finding leaves the others in the way', () => {
    const world = blocked([leak, other]);
    const { message: _words, ...finding } = leak;
    asked(world, { finding });
    agree(world);
    expect(scanOf(world).status).toBe('failed');
    const { message: _more, ...second } = other;
    const rest = `wvr_${'2'.repeat(32)}` as const;
    asked(world, { finding: second, waiver: rest });
    agree(world, cast.operator, rest);
    expect(scanOf(world)).toMatchObject({ status: 'passed', verdict: 'waived' });
  });

  it.each<[string, Partial<Extract<Command, { kind: 'AskWaiver' }>>, string]>([
    ['of people', { gate: 'approval' }, 'gate_closed'],
    ['of a gate that has not failed', { gate: 'staging', attempt: 0 }, 'gate_closed'],
    ['of an older attempt', { attempt: 0 }, 'stale_attempt'],
    ['of a finding that is none', { finding: { code: 'secret', file: 'src/other.ts' } }, 'not_found'],
    ['until now', { until: 1_000_000 }, 'until_invalid'],
    ['for longer than the policy allows', { until: 1_000_000 + 7 * day + 1 }, 'until_invalid'],
    ['that nobody owns', { owner: cast.agent }, 'no_owner'],
  ])('%s is refused', (_what, over, code) => {
    expect(answerOf(asked(blocked(), over))).toBe(code);
  });

  it('is nothing that an agent asks for, nor anybody where the policy knows none', () => {
    expect(answerOf(asked(blocked(), {}, cast.agent))).toBe('not_permitted');
    const world = openIn(newWorld());
    run(world, 'scan', 'fail', [leak]);
    expect(answerOf(asked(world))).toBe('not_permitted');
  });

  it('cannot make a candidate out of one that does not say what it is', () => {
    const world = blocked([{ ...leak, code: 'contract_missing' }]);
    expect(answerOf(asked(world))).toBe('gate_closed');
  });

  it('is agreed to by somebody else than who asked, once, and before its time is over', () => {
    const world = blocked();
    asked(world, {}, sam);
    expect(answerOf(agree(world, sam))).toBe('own_work');
    expect([answerOf(agree(world, kim)), answerOf(agree(world, kim))]).toEqual(['done', 'already_decided']);
    const late = blocked();
    asked(late);
    late.now += 2 * day;
    expect(answerOf(agree(late))).toBe('expired');
  });

  it('is about the attempt that was seen', () => {
    const world = blocked();
    asked(world);
    ask(world, cast.builder, { kind: 'Rerun', promotion, gate: 'scan' });
    run(world, 'scan', 'fail', [leak]);
    expect(answerOf(agree(world))).toBe('stale_attempt');
  });
});

describe('a waiver that ends', () => {
  it('before production gives the gate its verdict back and voids the votes that rested on it', () => {
    const world = waived();
    run(world, 'staging');
    vote(world, sam);
    expect(next(stateOf(world), world.now)).toMatchObject({ kind: 'wait', until: 1_000_000 + 2 * day });
    world.now += 2 * day;
    ask(world, cast.worker, { kind: 'Tick', promotion });
    expect(scanOf(world)).toMatchObject({ status: 'failed', verdict: 'fail', reasons: [leak], since: world.now });
    expect(gateIn(stateOf(world), 'approval').decisions).toMatchObject([{ person: sam, voided: 'reopened' }]);
    const nothing = { tally: null, hold: null, laneBusy: false, liveVersion: null, canary: null, pastWaitsMs: [] };
    expect(headline(stateOf(world), { ...nothing, now: world.now, timeZone: 'UTC' }).sentence).toContain(
      'a waiver ended',
    );
  });

  it('gives back that a gate could not tell', () => {
    const world = blocked([leak], 'inconclusive');
    asked(world);
    agree(world);
    world.now += 2 * day;
    ask(world, cast.worker, { kind: 'Tick', promotion });
    expect(scanOf(world)).toMatchObject({ status: 'inconclusive', verdict: 'inconclusive' });
  });

  it('inside a canary holds the lane: no share grows, no lease is renewed, nothing is concluded', () => {
    const world = waived();
    run(world, 'staging');
    for (const who of [sam, kim]) vote(world, who);
    ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });
    const look = (verdict: Extract<Command, { kind: 'Look' }>['verdict']) => {
      const at = { fence: stateOf(world).fence, laneFence: productionOf(world).fence.counter };
      return ask(world, cast.worker, { kind: 'Look', promotion, ...at, fresh: true, verdict });
    };
    look({ kind: 'advance', percent: 10 });
    world.now += 2 * day;
    const held = look({ kind: 'hold' });
    expect([held.leaseMs, held.outcome]).toEqual([0, expect.objectContaining({ going: false })]);
    expect(productionOf(world)).toMatchObject({ hold: { reason: 'waiver_ended' }, weight: 10 });
    expect(look({ kind: 'advance', percent: 50 }).outcome).toMatchObject({ going: false, weight: 10 });
    const { attempt } = gateIn(stateOf(world), 'canary');
    const told = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    const report = {
      kind: 'Report',
      promotion,
      gate: 'canary',
      attempt,
      fence: stateOf(world).fence,
      ...told,
    } as const;
    expect(ask(world, cast.worker, report).outcome).toMatchObject({ onward: { kind: 'wait', why: 'blocked' } });
    expect([stateOf(world).outcome, productionOf(world).stable]).toEqual([null, null]);

    // Asked for again, agreed to and resumed, the same canary goes on.
    const again = `wvr_${'3'.repeat(32)}` as const;
    asked(world, { waiver: again });
    agree(world, cast.operator, again);
    ask(world, cast.operator, { kind: 'ResumeLane', lane: cast.lanes.production });
    const claimed = ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'two' });
    expect(claimed.outcome).toMatchObject({ kind: 'granted', attempt });
    expect(look({ kind: 'advance', percent: 50 }).outcome).toMatchObject({ going: true, weight: 50 });
  });
});
