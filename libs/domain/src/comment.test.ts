import { commentsMax } from './comment.ts';
import { decide } from './decide.ts';
import { tallyOf } from './deciding.ts';
import { headline } from './headline.ts';
import type { PersonId } from './id.ts';
import { next } from './next.ts';
import { gateIn, type PromotionState } from './promotion.ts';
import { ask, cast, newWorld, promotion, sceneFor, stateOf, type World } from './world.contract.ts';
import { answerOf, openIn, toApproval, toCanary, vote } from './way.contract.ts';

const say = (world: World, who: PersonId = cast.builder) => ask(world, who, { kind: 'Comment', promotion });

/** The promotion without what a comment changes. */
const besides = ({ comments: _, revision: __, ...rest }: PromotionState) => rest;

const nothing = { tally: null, hold: null, laneBusy: false, liveVersion: null, canary: null, pastWaitsMs: [] };

function shownOf(world: World) {
  const state = stateOf(world);
  return {
    tally: tallyOf(state, sceneFor(world, cast.worker, { kind: 'Tick', promotion })),
    bound: gateIn(state, 'approval').evidenceDigest,
    gateRevisions: state.gates.map(({ revision }) => revision),
    headline: headline(state, { ...nothing, now: world.now, timeZone: 'UTC' }),
    next: next(state, world.now),
  };
}

describe('a comment', () => {
  it('is told in the name of who said it and counted, and neither wakes nor serves anything', () => {
    const world = toApproval(newWorld());
    const decided = say(world, cast.agent);
    expect(decided).toEqual({
      drafts: [{ stream: 'promotion', id: promotion, event: { kind: 'commented', v: 1, by: cast.agent } }],
      ...{ outcome: { kind: 'done' }, wakes: [], leaseMs: 0 },
    });
    expect([stateOf(world).comments, say(world).outcome.kind, stateOf(world).comments]).toEqual([1, 'done', 2]);
  });

  it('between votes changes no tally, no evidence, no headline and nothing of what is next', () => {
    const world = toApproval(newWorld());
    const [first, second] = cast.security;
    vote(world, first);
    const [before, state] = [shownOf(world), stateOf(world)];
    // Also of who has voted, of who may not, and of who is yet to vote.
    for (const who of [first, cast.builder, second]) expect(answerOf(say(world, who))).toBe('done');
    expect(shownOf(world)).toEqual(before);
    expect(besides(stateOf(world))).toEqual(besides(state));
    expect(vote(world, second).outcome).toEqual({ kind: 'decided', passed: true });
  });

  it('stays a comment when the gate is past its end: the clock is told by others, without these words', () => {
    const world = toApproval(newWorld());
    world.now = (gateIn(stateOf(world), 'approval').expiresAt ?? 0) + 1;
    expect(say(world).drafts.map(({ event }) => event.kind)).toEqual(['commented']);
    expect(ask(world, cast.worker, { kind: 'Tick', promotion }).drafts.map(({ event }) => event.kind)).toEqual([
      ...['gate_expired', 'promotion_ended'],
    ]);
  });

  it.each<[string, () => World]>([
    ['has just opened', () => openIn(newWorld())],
    ['is with users', () => toCanary(newWorld())],
    ['goes back', () => taken(toCanary(newWorld()))],
    ['was rejected', () => rejected()],
  ])('is taken on a promotion that %s', (_what, at) => {
    const world = at();
    const before = stateOf(world);
    expect(answerOf(say(world))).toBe('done');
    expect(besides(stateOf(world))).toEqual(besides(before));
  });

  it('is none without words, and none where nothing was opened', () => {
    const world = toApproval(newWorld());
    const command = { kind: 'Comment', promotion } as const;
    const silent = decide({ ...sceneFor(world, cast.builder, command), says: false }, command);
    expect(silent.outcome).toMatchObject({ kind: 'refused', refusal: { code: 'reason_required' } });
    expect(answerOf(say(newWorld()))).toBe('not_found');
  });

  it('is refused beyond two hundred, and says how many there may be', () => {
    const world = toApproval(newWorld());
    for (let count = 1; count <= commentsMax; count += 1) expect(answerOf(say(world))).toBe('done');
    const refused = say(world);
    expect([commentsMax, refused.drafts]).toEqual([200, []]);
    expect(refused.outcome).toMatchObject({
      refusal: { code: 'too_many', message: 'expected at most 200 comments on a promotion, got one more' },
    });
    // Nobody who talks a lot is in the way of who decides.
    expect(answerOf(vote(world, cast.security[0]))).toBe('decided');
  });
});

function taken(world: World): World {
  ask(world, cast.operator, { kind: 'Rollback', promotion });
  return world;
}

function rejected(): World {
  const world = toApproval(newWorld());
  vote(world, cast.security[0], { verdict: 'reject' });
  return world;
}
