import { calendar } from '@proviso/calendar';
import type { Command } from './command.ts';
import type { Scene } from './scene.ts';
import { gateIn } from './promotion.ts';
import { answerOf, openIn, run, toApproval, vote } from './way.contract.ts';
import { ask, cast, newWorld, productionOf, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const [sam, kim] = cast.security;
const dana = `psn_${'d'.repeat(31)}a` as const;

/** What is to happen by the clock, what was expected, and what was seen in virtual time. */
interface Row {
  readonly case: string;
  readonly expected: string;
  readonly seen: string;
}

function worldWith(approval: object): World {
  const gates = smallPolicy.gates.map((rule) => (rule.gate === 'approval' ? { ...rule, ...approval } : rule));
  const world = newWorld({ ...smallPolicy, evidenceAgeMaxMs: 90 * day, gates });
  ask(world, cast.worker, { kind: 'AddPerson', person: dana, principal: 'human', bindings: [] });
  return world;
}

const tick = (world: World) => ask(world, cast.worker, { kind: 'Tick', promotion });

/** Ticks once a minute and says at which share of the time each word of the clock came. */
function reminders(): readonly Row[] {
  const world = toApproval(worldWith({ expiresMs: 10 * hour, escalate: 'group/leads' }));
  const opened = world.now;
  const seen: string[] = [];
  while (stateOf(world).outcome === null) {
    world.now += minute;
    for (const { event } of tick(world).drafts) {
      const share = `${Math.round((100 * (world.now - opened)) / (10 * hour))} %`;
      if (event.kind === 'reminder_due') seen.push(`reminder ${event.n} at ${share}`);
      if (event.kind === 'gate_escalated') seen.push(`${event.to} told at ${share}`);
      if (event.kind === 'gate_expired') seen.push(`expired at ${share}`);
    }
  }
  const expected = ['reminder 1 at 50 %', 'reminder 2 at 90 %', 'group/leads told at 95 %', 'expired at 100 %'];
  return expected.map((one, index) => ({
    case: 'an approval of ten hours',
    expected: one,
    seen: seen[index] ?? 'nothing',
  }));
}

function cap(): readonly Row[] {
  return [0, 1].map((over) => {
    const world = toApproval(worldWith({ expiresMs: 60 * day }));
    world.now += 60 * day - 1 + over;
    const expected = over === 0 ? 'waiting' : 'expired';
    tick(world);
    return {
      case: `sixty days${over === 0 ? ' less a millisecond' : ''}`,
      expected,
      seen: gateIn(stateOf(world), 'approval').status,
    };
  });
}

/** No command says what time it is, so a clock that is wrong elsewhere moves nothing; see `exceptions.test.ts` of the API. */
function deadline(): readonly Row[] {
  return [-1_000, 0, 1_000].map((off) => {
    const world = toApproval(worldWith({ expiresMs: hour }));
    world.now += hour + off;
    const expected = off < 0 ? 'decided' : 'expired';
    const seen = answerOf(vote(world, sam));
    return { case: `a vote ${off} ms from the deadline`, expected, seen };
  });
}

function delegation(): readonly Row[] {
  return [-1, 0].map((off) => {
    const world = toApproval(worldWith({ expiresMs: 20 * day }));
    ask(world, sam, { kind: 'Delegate', person: dana, until: world.now + 5 * day });
    vote(world, dana);
    world.now += 5 * day + off;
    vote(world, kim);
    const expected = off < 0 ? 'passed' : 'waiting';
    return {
      case: `a quorum ${off} ms from the end of a delegation`,
      expected,
      seen: gateIn(stateOf(world), 'approval').status,
    };
  });
}

function waiverInCanary(): readonly Row[] {
  return [-1, 0].map((off) => {
    const world = openIn(worldWith({ expiresMs: 20 * day, waivers: { from: 'role/operator', daysMax: 7 } }));
    run(world, 'scan', 'fail', [{ code: 'secret', message: 'a key' }]);
    const waiver = `wvr_${'1'.repeat(32)}` as const;
    const until = world.now + day;
    const wish = { gate: 'scan', attempt: 1, finding: null, owner: cast.operator, until } as const;
    ask(world, cast.builder, { kind: 'AskWaiver', promotion, waiver, ...wish });
    ask(world, cast.operator, { kind: 'ApproveWaiver', promotion, waiver });
    run(world, 'staging');
    for (const who of [sam, kim]) vote(world, who);
    ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });
    const look = (verdict: Extract<Command, { kind: 'Look' }>['verdict']) => {
      const at = { fence: stateOf(world).fence, laneFence: productionOf(world).fence.counter };
      return ask(world, cast.worker, { kind: 'Look', promotion, ...at, fresh: true, verdict });
    };
    look({ kind: 'advance', percent: 10 });
    world.now = until + off;
    const { leaseMs } = look({ kind: 'hold' });
    const expected = off < 0 ? 'lease renewed' : 'waiver_ended, no lease';
    const hold = productionOf(world).hold?.reason;
    return {
      case: `a look ${off} ms from the end of a waiver`,
      expected,
      seen: leaseMs > 0 ? 'lease renewed' : `${hold}, no lease`,
    };
  });
}

/** The first claim waits until the wall in Berlin shows the end, whatever happened to its clock in between. */
function freezes(): readonly Row[] {
  const zone = 'Europe/Berlin';
  const changes = [
    ...[{ to: 'winter', from: '2026-10-23T18:00', until: '2026-10-26T06:00', ends: '2026-10-26T05:00:00.000Z' }],
    ...[{ to: 'summer', from: '2027-03-26T18:00', until: '2027-03-29T06:00', ends: '2027-03-29T04:00:00.000Z' }],
  ];
  return changes.flatMap(({ to, from, until, ends }) => {
    const window = { zone, from, until, why: 'change of clocks' };
    const at = (off: number) => calendar.freezeAt([window], Date.parse(ends) + off);
    const frozen = at(-1);
    return [
      {
        case: `a freeze over the change to ${to}, a ms before its end`,
        expected: `until ${ends}`,
        seen: frozen === null ? 'thawed' : `until ${new Date(frozen.until).toISOString()}`,
      },
      { case: `the same at its end`, expected: 'thawed', seen: at(0) === null ? 'thawed' : 'frozen' },
    ];
  });
}

function glass(): readonly Row[] {
  return [-1, 0].map((off) => {
    const world = toApproval(worldWith({ expiresMs: 20 * day, breakGlass: { from: 'group/security' } }));
    const door: Scene['door'] = { channel: 'page', freshAt: world.now };
    const { artifact } = stateOf(world).candidate.manifest;
    ask(world, cast.builder, { kind: 'AskBreakGlass', promotion, minutes: 60 }, door);
    for (const who of [sam, kim]) ask(world, who, { kind: 'ApproveBreakGlass', promotion, artifact }, door);
    world.now += hour + off;
    const seen = answerOf(ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' }));
    return { case: `a claim ${off} ms from the end of a broken glass`, expected: off < 0 ? 'granted' : 'onward', seen };
  });
}

describe('what time alone decides', () => {
  it('comes at its moment, by the one clock that counts', () => {
    const rows = [
      ...reminders(),
      ...cap(),
      ...deadline(),
      ...delegation(),
      ...waiverInCanary(),
      ...glass(),
      ...freezes(),
    ];
    const width = Math.max(...rows.map((row) => row.case.length));
    const table = rows.map((row) => `${row.case.padEnd(width)}  ${row.expected.padEnd(30)}  ${row.seen}`);
    process.stdout.write(`${['', ...table, ''].join('\n')}\n`);
    expect(rows.filter(({ expected, seen }) => expected !== seen)).toEqual([]);
  });
});
