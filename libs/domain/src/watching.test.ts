import type { Command } from './command.ts';
import { headline, type HeadlineFacts } from './headline.ts';
import type { PromotionId } from './id.ts';
import type { Policy } from './policy.ts';
import { gateIn } from './promotion.ts';
import { type WatchAction, type WatchRule, watchActions, watchChecks } from './watch-rule.ts';
import { answerOf, evidence, openIn } from './way.contract.ts';
import {
  ask,
  cast,
  foldAgain,
  newWorld,
  productionOf,
  promotion,
  smallPolicy,
  stateOf,
  type World,
} from './world.contract.ts';

const hourMs = 3_600_000;
const everyMs = 6 * hourMs;

/** Everything is watched, and every breach has the same answer. */
function watched(action: WatchAction, over: Partial<WatchRule> = {}): Policy {
  const watch: WatchRule = {
    everyMs,
    owner: { do: action },
    review: { afterMs: 90 * 24 * hourMs, do: action },
    cost: { capPerDay: 20, do: action },
    errorBudget: { burnMax: 2, do: action },
    scan: { do: action },
    evaluation: { below: 0.9, do: action },
    drift: { psiMax: 0.2, do: action },
    ...over,
  };
  const evaluation = { gate: 'evaluation', attemptsMax: 2, bar: 0.9, repeats: 1 } as const;
  return { ...smallPolicy, gates: [evaluation, ...smallPolicy.gates], watch };
}

/** A world in which the first promotion is live. */
function toLive(world: World): World {
  openIn(world);
  passAll(world, promotion);
  expect(stateOf(world).outcome).toBe('live');
  return world;
}

/** A second version goes the same way. */
function toLiveAs(world: World, id: PromotionId): void {
  openAs(world, id);
  passAll(world, id);
}

function openAs(world: World, id: PromotionId): void {
  const { prototype, policy: policyId, candidates } = cast;
  ask(world, cast.builder, { kind: 'OpenPromotion', promotion: id, prototype, candidate: candidates[1], policyId });
}

function passAll(world: World, id: PromotionId): void {
  const stateNow = () => world.states.get(`promotion/${id}`) as ReturnType<typeof stateOf>;
  for (const { name: gate } of stateNow().gates) {
    if (gate === 'approval') {
      for (const who of cast.security) {
        const { evidenceDigest } = gateIn(stateNow(), gate);
        if (evidenceDigest === null) throw new Error('expected an open approval');
        const shown = { artifact: stateNow().candidate.manifest.artifact, evidenceDigest };
        const vote = { gate, attempt: 1, verdict: 'approve', decision: `dec_${id.slice(-1)}${who.slice(-4)}` } as const;
        ask(world, who, { kind: 'Decide', promotion: id, ...vote, ...shown });
      }
      continue;
    }
    const { outcome } = ask(world, cast.worker, { kind: 'Claim', promotion: id, step: gate, claimant: gate });
    if (outcome.kind !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(outcome)}`);
    const { attempt, fence } = outcome;
    const told = { verdict: 'pass', reasons: [], evidence, measure: null } as const;
    ask(world, cast.worker, { kind: 'Report', promotion: id, gate, attempt, fence, ...told });
  }
}

type ReportWatch = Extract<Command, { kind: 'ReportWatch' }>;
type Told = Partial<ReportWatch> & Pick<ReportWatch, 'check'>;

/** Claims one look and reports what it has measured, an hour past its time. */
function lookAt(world: World, told: Told) {
  const { outcome } = ask(world, cast.worker, { kind: 'ClaimWatch', promotion, check: told.check });
  if (outcome.kind !== 'watching' || outcome.turn.kind !== 'look')
    throw new Error(`expected a turn, got ${JSON.stringify(outcome)}`);
  const { round } = outcome.turn;
  const owner = told.check === 'owner' ? { owner: { prototype: cast.prototype, person: cast.builder } } : {};
  const report = { figure: 0, reasons: [], evidence: [], ...owner, ...told } as const;
  return ask(world, cast.worker, { kind: 'ReportWatch', promotion, round, ...report });
}

/** The figure that breaches each check which is measured outside, and one that does not. */
const figures = {
  cost: [20.5, 20],
  errorBudget: [2.1, 2],
  scan: [1, 0],
  evaluation: [0.89, 0.9],
  drift: [0.21, 0.2],
} as const;
const measured = Object.keys(figures) as (keyof typeof figures)[];

describe('a look at a live release', () => {
  it.each(measured)('takes what just meets the bound of %s for well', (check) => {
    const world = toLive(newWorld(watched('rollback')));
    lookAt(world, { check, figure: figures[check][1] });
    expect(stateOf(world).watch?.[check]).toMatchObject({ standing: 'well', action: null, breachedSince: null });
    expect(stateOf(world).outcome).toBe('live');
  });

  const breaches = measured.flatMap((check) => watchActions.map((action) => [check, action] as const));
  it.each(breaches)('that breaches %s is answered by what its row orders: %s', (check, action) => {
    const world = toLive(newWorld(watched('note', { [check]: { ...watched(action).watch?.[check], do: action } })));
    const before = productionOf(world);
    lookAt(world, { check, figure: figures[check][0] });
    expect(stateOf(world).watch?.[check]).toMatchObject({ standing: 'breached', action, breachedSince: world.now });
    const lane = productionOf(world);
    const after = {
      note: { outcome: 'live', stable: before.stable, hold: null },
      hold: { outcome: 'live', stable: before.stable, hold: { reason: 'watch', by: cast.worker, at: world.now } },
      demote: { outcome: 'demoted', stable: null, hold: { reason: 'demoted', by: cast.worker, at: world.now } },
      rollback: {
        outcome: 'rolled_back',
        stable: null,
        hold: { reason: 'rolled_back', by: cast.worker, at: world.now },
      },
    } as const;
    expect({ outcome: stateOf(world).outcome, stable: lane.stable, hold: lane.hold }).toEqual(after[action]);
    expect(foldAgain(world)).toEqual(world.states);
  });

  it('that sees nothing is neither well nor a breach, and does not end one', () => {
    const world = toLive(newWorld(watched('hold')));
    lookAt(world, { check: 'cost', figure: null, reasons: [{ code: 'cost_unknown', message: 'nobody has billed' }] });
    expect(stateOf(world).watch?.cost).toMatchObject({ standing: 'unseen', breachedSince: null, action: null });
    expect(productionOf(world).hold).toBeNull();
    world.now += everyMs;
    lookAt(world, { check: 'cost', figure: 99 });
    const since = world.now;
    world.now += everyMs;
    lookAt(world, { check: 'cost', figure: null });
    expect(stateOf(world).watch?.cost).toMatchObject({ standing: 'unseen', breachedSince: since });
  });

  it('is not acted on again while people know of it, and is when it comes back or finds more', () => {
    const world = toLive(newWorld(watched('hold')));
    const resume = () => ask(world, cast.operator, { kind: 'ResumeLane', lane: cast.lanes.production });
    const held = (figure: number): boolean => {
      world.now += everyMs;
      lookAt(world, { check: 'scan', figure });
      const isHeld = productionOf(world).hold !== null;
      resume();
      return isHeld;
    };
    expect([1, 1, 2, 2, 0, 1].map(held)).toEqual([true, false, true, false, false, true]);
  });

  it('is over when another release serves, and when the promotion ended otherwise', () => {
    const world = toLive(newWorld(watched('note')));
    ask(world, cast.operator, { kind: 'Rollback', promotion });
    const { outcome } = ask(world, cast.worker, { kind: 'ClaimWatch', promotion, check: 'scan' });
    expect(outcome).toEqual({ kind: 'watching', turn: { kind: 'over' } });
    const drafts = world.drafts.length;
    const late = { check: 'scan', round: 1, figure: 5, reasons: [], evidence: [] } as const;
    const told = ask(world, cast.worker, { kind: 'ReportWatch', promotion, ...late });
    expect(told.outcome).toEqual({ kind: 'watching', turn: { kind: 'over' } });
    expect(world.drafts).toHaveLength(drafts);
  });

  it('is not made of what never went live, nor under a policy without a watch', () => {
    const claim = (world: World) => ask(world, cast.worker, { kind: 'ClaimWatch', promotion, check: 'scan' }).outcome;
    expect(claim(openIn(newWorld(watched('note'))))).toEqual({ kind: 'watching', turn: { kind: 'over' } });
    expect(claim(toLive(newWorld()))).toEqual({ kind: 'watching', turn: { kind: 'rest', until: null } });
    const { watch: _watch, ...rest } = watched('note');
    const scanOnly = { ...rest, watch: { everyMs, cost: { capPerDay: 1, do: 'note' as const } } };
    expect(claim(toLive(newWorld(scanOnly)))).toEqual({ kind: 'watching', turn: { kind: 'rest', until: null } });
  });
});

describe('whose turn a look is', () => {
  it('is once in a round, however often a Schedule fires', () => {
    const world = toLive(newWorld(watched('note')));
    const turn = () => ask(world, cast.worker, { kind: 'ClaimWatch', promotion, check: 'scan' }).outcome;
    lookAt(world, { check: 'scan' });
    expect(turn()).toEqual({ kind: 'watching', turn: { kind: 'rest', until: world.now + everyMs / 2 } });
    // A Schedule that fires a little early is heard all the same.
    world.now += everyMs - 60_000;
    expect(turn()).toEqual({ kind: 'watching', turn: { kind: 'look', round: 2 } });
  });

  it('belongs to the first report: a second one of the same round is not heard', () => {
    const world = toLive(newWorld(watched('rollback')));
    const report = (figure: number, round = 1) =>
      ask(world, cast.worker, {
        kind: 'ReportWatch',
        promotion,
        check: 'scan',
        round,
        figure,
        reasons: [],
        evidence: [],
      });
    report(0);
    expect(report(7).outcome).toMatchObject({ kind: 'watching', turn: { kind: 'rest' } });
    world.now += everyMs;
    expect(answerOf(report(7))).toBe('stale_attempt');
    expect(stateOf(world)).toMatchObject({ outcome: 'live', watch: { scan: { figure: 0, round: 1 } } });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('hears no figure of %s', (figure) => {
    const world = toLive(newWorld(watched('rollback')));
    expect(answerOf(lookAt(world, { check: 'cost', figure }))).toBe('report_invalid');
  });
});

describe('what rows and the clock tell', () => {
  it('holds when the review is due, by the journal’s clock and nobody’s word', () => {
    const world = toLive(newWorld(watched('hold')));
    world.now += 90 * 24 * hourMs - 1;
    lookAt(world, { check: 'review', figure: 1e15 });
    expect(stateOf(world).watch?.review).toMatchObject({ standing: 'well' });
    world.now += everyMs;
    lookAt(world, { check: 'review' });
    expect(stateOf(world).watch?.review?.reasons[0]?.message).toBe(
      'it has been live for 90 days, and a review is due after 90d',
    );
    expect(productionOf(world).hold?.reason).toBe('watch');
  });

  it('sees an owner who was shut out, on the locked row', () => {
    const world = toLive(newWorld(watched('demote')));
    lookAt(world, { check: 'owner' });
    expect(stateOf(world).watch?.owner).toMatchObject({ standing: 'well' });
    ask(world, cast.worker, { kind: 'DisablePerson', person: cast.builder });
    world.now += everyMs;
    lookAt(world, { check: 'owner' });
    expect(stateOf(world)).toMatchObject({ outcome: 'demoted', watch: { owner: { standing: 'breached' } } });
  });

  it('hears nothing about somebody who does not answer for it any more', () => {
    const world = toLive(newWorld(watched('demote')));
    ask(world, cast.operator, { kind: 'AssignOwner', prototype: cast.prototype, owner: cast.operator });
    expect(answerOf(lookAt(world, { check: 'owner' }))).toBe('stale_revision');
    expect(stateOf(world).outcome).toBe('live');
  });
});

describe('what is taken back', () => {
  const second = `prm_${'1'.repeat(32)}` as const;

  it('gives users the release before, which is watched in its turn', () => {
    const world = toLive(newWorld(watched('demote')));
    const first = productionOf(world).stable;
    toLiveAs(world, second);
    expect(productionOf(world).stable?.promotion).toBe(second);
    const told = { check: 'scan', round: 1, figure: 1, reasons: [], evidence: [] } as const;
    ask(world, cast.worker, { kind: 'ReportWatch', promotion: second, ...told });
    expect(productionOf(world)).toMatchObject({ stable: first, hold: { reason: 'demoted' }, weight: 0 });
    const { outcome } = ask(world, cast.worker, { kind: 'ClaimWatch', promotion, check: 'scan' });
    expect(outcome).toEqual({ kind: 'watching', turn: { kind: 'look', round: 1 } });
  });

  it('is told in one sentence, with who can go on', () => {
    const facts: HeadlineFacts = {
      ...{ now: 2_000_000_000, timeZone: 'UTC', tally: null, laneBusy: false, liveVersion: null, canary: null },
      ...{ pastWaitsMs: [], hold: null },
    };
    const world = toLive(newWorld(watched('demote', { cost: { capPerDay: 20, do: 'hold' } })));
    lookAt(world, { check: 'cost', figure: 31 });
    const live = headline(stateOf(world), { ...facts, hold: productionOf(world).hold, liveVersion: 'v1' });
    expect(live.sentence).toMatch(
      /^Live since .+: v1 serves everyone\. Since .+ the watch finds: a day costs 31, and the cap is 20\. Nothing new goes live until an operator has resumed its lane\.$/,
    );
    lookAt(world, { check: 'drift', figure: 0.4 });
    const demoted = headline(stateOf(world), { ...facts, hold: { reason: 'demoted', at: world.now } });
    expect(demoted.state).toBe('demoted');
    expect(demoted.sentence).toMatch(
      /^Demoted at .+: its scores have drifted by 0\.4 \(PSI\), and the bound is 0\.2\. Nobody is served\. Nothing new goes live until an operator has resumed its lane\.$/,
    );
  });

  it('goes back as fast while another version is on its way to users', () => {
    const world = toLive(newWorld(watched('rollback')));
    openAs(world, second);
    ask(world, cast.worker, { kind: 'Claim', promotion: second, step: 'scan', claimant: 'one' });
    lookAt(world, { check: 'evaluation', figure: 0.1 });
    expect(productionOf(world)).toMatchObject({ stable: null, hold: { reason: 'rolled_back' } });
  });
});

it('is looked at in an order in which the drift finds the evaluation before it', () => {
  expect(watchChecks.indexOf('evaluation')).toBeLessThan(watchChecks.indexOf('drift'));
});
