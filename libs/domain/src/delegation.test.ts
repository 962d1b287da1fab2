import { delegationDaysMax } from './delegation.ts';
import type { PersonId } from './id.ts';
import type { Environment } from './lane.ts';
import { gateIn } from './promotion.ts';
import { answerOf, toApproval, vote } from './way.contract.ts';
import { ask, cast, newWorld, productionOf, promotion, smallPolicy, stateOf, type World } from './world.contract.ts';

const day = 86_400_000;
const [sam, kim] = cast.security;
/** Has no role at all: whatever counts of hers is somebody else's right. */
const dana = `psn_${'d'.repeat(31)}a` as const;
const pia = `psn_${'d'.repeat(31)}b` as const;

function waiting(): World {
  const gates = smallPolicy.gates.map((rule) => (rule.gate === 'approval' ? { ...rule, expiresMs: 50 * day } : rule));
  const world = newWorld({ ...smallPolicy, evidenceAgeMaxMs: 60 * day, gates });
  ask(world, cast.worker, { kind: 'AddPerson', person: dana, principal: 'human', bindings: [] });
  return toApproval(world);
}

const give = (world: World, from: PersonId, to: PersonId, over: { until?: number; environment?: Environment } = {}) =>
  answerOf(ask(world, from, { kind: 'Delegate', person: to, until: world.now + 10 * day, ...over }));

const decisionsOf = (world: World) => gateIn(stateOf(world), 'approval').decisions;
const claim = (world: World) => ask(world, cast.worker, { kind: 'Claim', promotion, step: 'canary', claimant: 'one' });

describe('a right to vote that was given on', () => {
  it('counts as a vote of who gave it', () => {
    const world = waiting();
    expect(give(world, sam, dana)).toBe('done');
    vote(world, dana);
    vote(world, kim);
    expect(decisionsOf(world)).toMatchObject([{ person: dana, rightOf: sam }, { person: kim }]);
    expect(decisionsOf(world)[1]?.rightOf).toBeUndefined();
    expect(claim(world).outcome.kind).toBe('granted');
  });

  it('counts once, whoever of the two is first', () => {
    const [first, second] = [waiting(), waiting()];
    for (const world of [first, second]) give(world, sam, dana);
    expect([answerOf(vote(first, dana)), answerOf(vote(first, sam))]).toEqual(['decided', 'already_decided']);
    expect(answerOf(vote(second, sam))).toBe('decided');
    expect(vote(second, dana).outcome).toMatchObject({
      refusal: { code: 'already_decided', message: 'the right that you vote by has been used already' },
    });
  });

  it('is not used by who has a right of their own', () => {
    const world = waiting();
    give(world, sam, kim);
    vote(world, kim);
    expect(decisionsOf(world)[0]?.rightOf).toBeUndefined();
    expect(answerOf(vote(world, sam))).toBe('decided');
  });

  it('is not used by who has a right of their own for one of the places alone', () => {
    const world = waiting();
    const bindings = [{ role: 'approver', group: 'security' }] as const;
    ask(world, cast.worker, { kind: 'AddPerson', person: pia, principal: 'human', bindings });
    give(world, sam, pia);
    vote(world, pia);
    expect(decisionsOf(world)[0]?.rightOf).toBeUndefined();
  });

  it('is void when it is taken back, though another has given theirs, too', () => {
    const world = waiting();
    for (const who of [sam, kim]) give(world, who, dana);
    vote(world, dana);
    expect(decisionsOf(world)[0]?.rightOf).toBe(sam);
    ask(world, sam, { kind: 'EndDelegation', person: dana });
    vote(world, kim);
    expect(decisionsOf(world)).toMatchObject([{ voided: 'delegation_ended' }, { person: kim, voided: null }]);
    expect(gateIn(stateOf(world), 'approval').status).toBe('waiting');
  });

  it('is void when it ends before the quorum closes, and says so', () => {
    const world = waiting();
    give(world, sam, dana);
    vote(world, dana);
    world.now += 10 * day;
    vote(world, kim);
    expect(decisionsOf(world)).toMatchObject([{ voided: 'delegation_ended' }, { voided: null }]);
    expect(gateIn(stateOf(world), 'approval').status).toBe('waiting');
  });

  it.each<[string, (world: World) => unknown]>([
    ['it was taken back', (world) => ask(world, sam, { kind: 'EndDelegation', person: dana })],
    ['its time was over', (world) => (world.now += 10 * day)],
    ['who gave it was shut out', (world) => ask(world, cast.worker, { kind: 'DisablePerson', person: sam })],
    ['who used it was shut out', (world) => ask(world, cast.worker, { kind: 'DisablePerson', person: dana })],
    [
      'who gave it lost the role',
      (world) => {
        for (const binding of [{ role: 'approver', group: 'security' }, { role: 'operator' }] as const)
          ask(world, cast.worker, { kind: 'RevokeRole', person: sam, binding });
      },
    ],
  ])('admits nothing to production when %s meanwhile', (_what, happens) => {
    const world = waiting();
    give(world, sam, dana);
    vote(world, dana);
    vote(world, kim);
    happens(world);
    expect(claim(world).outcome).toMatchObject({ onward: { kind: 'wait', why: 'waiting_for_human' } });
    expect([stateOf(world).productionAt, productionOf(world).canary]).toEqual([null, null]);
    expect(decisionsOf(world)[0]?.voided).toBe('delegation_ended');
  });

  it('never helps who is kept from deciding, on either side', () => {
    const world = waiting();
    // The builder has every role and is excluded; her right is none here, and she may use nobody's.
    give(world, cast.builder, dana);
    expect(answerOf(vote(world, dana))).toBe('decided');
    expect(decisionsOf(world)[0]?.rightOf).toBeUndefined();
    give(world, sam, cast.builder);
    vote(world, cast.builder);
    vote(world, kim);
    expect(gateIn(stateOf(world), 'approval').status).toBe('waiting');
  });

  it('reaches no further than it was given', () => {
    const world = waiting();
    give(world, sam, dana, { environment: 'staging' });
    vote(world, dana);
    vote(world, kim);
    expect(gateIn(stateOf(world), 'approval').status).toBe('waiting');
  });

  it.each([
    ['for ninety days', { until: 1_000_000 + delegationDaysMax * day }, 'done'],
    ['for a millisecond longer', { until: 1_000_000 + delegationDaysMax * day + 1 }, 'until_invalid'],
    ['until now', { until: 1_000_000 }, 'until_invalid'],
  ])('%s: %s', (_what, over, answer) => {
    expect(give(waiting(), sam, dana, over)).toBe(answer);
  });

  it('goes to another human, and to each one once at a time', () => {
    const world = waiting();
    expect([give(world, sam, sam), give(world, sam, cast.agent), give(world, cast.agent, dana)]).toEqual([
      ...['not_permitted', 'not_permitted', 'not_permitted'],
    ]);
    expect([give(world, sam, dana), give(world, sam, dana)]).toEqual(['done', 'exists']);
    world.now += 10 * day;
    expect(give(world, sam, dana)).toBe('done');
    const end = () => answerOf(ask(world, sam, { kind: 'EndDelegation', person: dana }));
    expect([end(), end()]).toEqual(['done', 'not_found']);
  });
});
