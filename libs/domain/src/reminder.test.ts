import type { Defer } from './command.ts';
import type { Door } from './door.ts';
import { headline } from './headline.ts';
import { next } from './next.ts';
import { gateIn } from './promotion.ts';
import { ask, cast, newWorld, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';
import { toApproval, vote } from './way.contract.ts';

const day = 86_400_000;

function waiting(more: { readonly stepUp?: true } = {}): {
  readonly world: World;
  readonly opened: number;
  readonly ends: number;
} {
  const gates = smallPolicy.gates.map((rule) =>
    rule.gate === 'approval' ? { ...rule, expiresMs: 10 * day, escalate: 'group/leads', ...more } : rule,
  );
  const world = toApproval(newWorld({ ...smallPolicy, evidenceAgeMaxMs: 30 * day, gates }));
  return { world, opened: world.now, ends: world.now + 10 * day };
}

const tick = (world: World) => ask(world, cast.worker, { kind: 'Tick', promotion });

/** What the clock has said, in order. */
const said = (world: World) =>
  world.drafts.flatMap<string | number>(({ draft: { event } }) =>
    event.kind === 'reminder_due' ? [event.n] : event.kind === 'gate_escalated' ? [event.to] : [],
  );

const asked = (world: World, over: Partial<Defer>, door?: Door) =>
  ask(world, cast.security[0], { kind: 'Defer', promotion, gate: 'approval', attempt: 1, until: 0, ...over }, door);

const defer = (world: World, until: number) => asked(world, { until });

describe('people who were asked', () => {
  it('are reminded at half and at nine tenths of their time, and then the group is told that is named', () => {
    const { world, opened } = waiting();
    const looks: (number | null)[] = [];
    for (const days of [0, 5, 9, 9.5]) {
      world.now = opened + days * day;
      const { outcome } = tick(world);
      looks.push(outcome.kind === 'onward' && outcome.onward.kind === 'wait' ? outcome.onward.until : null);
    }
    expect(said(world)).toEqual([1, 2, 'group/leads']);
    expect(looks.map((at) => ((at ?? 0) - opened) / day)).toEqual([5, 9, 9.5, 10]);
  });

  it('are told each thing once, however late and however often somebody looks', () => {
    const { world, opened } = waiting();
    world.now = opened + 9.9 * day;
    tick(world);
    tick(world);
    expect(said(world)).toEqual([1, 2, 'group/leads']);
  });

  it('are not reminded any more when their time is over', () => {
    const { world, ends } = waiting();
    world.now = ends;
    tick(world);
    expect([said(world), stateOf(world).outcome]).toEqual([[], 'expired']);
  });

  it('read in the headline that it went further up', () => {
    const { world, opened } = waiting();
    world.now = opened + 9.6 * day;
    tick(world);
    const nothing = { tally: null, hold: null, laneBusy: false, liveVersion: null, canary: null, pastWaitsMs: [] };
    const { sentence } = headline(stateOf(world), { ...nothing, now: world.now, timeZone: 'UTC' });
    expect(sentence).toContain('Escalated to Leads.');
  });
});

describe('an approver who says "not now"', () => {
  it('casts no vote, moves what was not said yet, and not the end', () => {
    const { world, opened, ends } = waiting();
    expect(defer(world, opened + 8 * day).outcome.kind).toBe('done');
    const gate = gateIn(stateOf(world), 'approval');
    expect([gate.decisions, gate.status, gate.expiresAt]).toEqual([[], 'waiting', ends]);
    world.now = opened + 8.9 * day;
    tick(world);
    expect(said(world)).toEqual([]);
    expect(next(stateOf(world), world.now)).toMatchObject({ kind: 'wait', until: opened + 9 * day });
    world.now = opened + 9 * day;
    tick(world);
    expect(said(world)).toEqual([1]);
  });

  it.each([
    ['now', 0, 'until_invalid'],
    ['the very end', 10 * day, 'done'],
    ['a millisecond after the end', 10 * day + 1, 'until_invalid'],
    ['no time at all', Number.NaN, 'until_invalid'],
  ])('may name %s: %s', (_what, after, answer) => {
    const { world, opened } = waiting();
    const { outcome } = defer(world, opened + after);
    expect(outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind).toBe(answer);
    if (outcome.kind === 'refused')
      expect(outcome.refusal.message).toBe('expected a time from now until this gate expires');
  });

  it.each<[string, Partial<Defer>, string, string]>([
    ['what only machines decide', { gate: 'scan' }, 'gate_closed', 'expected an approval gate that waits'],
    ['what is not asked at all', { gate: 'build' }, 'gate_closed', 'expected an approval gate that waits'],
    ['an attempt that is no more', { attempt: 2 }, 'stale_attempt', 'expected attempt 1, got 2'],
  ])('puts off nothing of %s', (_what, over, code, message) => {
    const { world, opened } = waiting();
    expect(asked(world, { until: opened + day, ...over }).outcome).toMatchObject({ refusal: { code, message } });
  });

  it('puts off nothing once the others have agreed', () => {
    const { world, opened } = waiting();
    for (const who of cast.security) vote(world, who);
    expect(defer(world, opened + day).outcome).toMatchObject({
      refusal: { code: 'gate_closed', message: 'expected an approval gate that waits' },
    });
  });

  it('comes by a door at which this gate may be decided, and is as freshly signed in', () => {
    const { world, opened } = waiting({ stepUp: true });
    const until = opened + day;
    expect(asked(world, { until }).outcome).toMatchObject({ refusal: { code: 'step_up_required' } });
    expect(asked(world, { until }, { channel: 'page', freshAt: world.now }).outcome.kind).toBe('done');
  });
});
