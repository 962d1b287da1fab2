import type { PersonId } from './id.ts';
import type { Policy } from './policy.ts';
import { type PolicyState, versionInForce, weakerMsMax } from './policy-publication.ts';
import type { Decided } from './scene.ts';
import { type World, ask, cast, newWorld, promotionsOf, smallPolicy } from './world.contract.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const [author, agreeing] = [cast.security[1], cast.operator];
const dayMs = 86_400_000;

function withApproval(change: object, over: Partial<Policy> = {}): Policy {
  const gates = smallPolicy.gates.map((rule) => (rule.gate === 'approval' ? { ...rule, ...change } : rule));
  return { ...smallPolicy, ...over, gates };
}

const weaker = withApproval({ requirements: [{ from: 'group/security', count: 1 }] });
const stronger = withApproval({ expiresMs: 100_000 });

function publish(
  world: World,
  policy: Policy,
  more: { letter?: string; weakerForMs?: number; policyId?: `pol_${string}`; by?: PersonId } = {},
): Decided {
  const { letter = 'b', weakerForMs, policyId = cast.policy, by = author } = more;
  const weakened = weakerForMs === undefined ? {} : { weakerForMs };
  return ask(world, by, { kind: 'PublishPolicy', policyId, policy, digest: digest(letter), author: by, ...weakened });
}

const agree = (world: World, by: PersonId, letter = 'b') =>
  ask(world, by, { kind: 'AgreeToPolicy', policyId: cast.policy, digest: digest(letter) });
const stateOf = (world: World) => world.states.get(`policy/${cast.policy}`) as PolicyState;
const codeOf = ({ outcome }: Decided) => (outcome.kind === 'refused' ? outcome.refusal.code : null);
const messageOf = ({ outcome }: Decided) => (outcome.kind === 'refused' ? outcome.refusal.message : '');

function opened(world: World, serial: number): string {
  const promotion = `prm_${String(serial).padStart(32, '0')}` as const;
  const [candidate] = cast.candidates;
  const { outcome } = ask(world, cast.builder, {
    ...{ kind: 'OpenPromotion', promotion, prototype: cast.prototype, candidate, policyId: cast.policy },
  });
  if (outcome.kind === 'refused') return outcome.refusal.code;
  return String(promotionsOf(world).find(({ id }) => id === promotion)?.policyVersion);
}

describe('publishing a policy', () => {
  it('takes a stronger version at once and records what was edited', () => {
    const world = newWorld();
    const { drafts } = publish(world, stronger);
    expect(drafts.map(({ event }) => event)).toEqual([
      expect.objectContaining({
        kind: 'policy_published',
        edits: [{ field: 'approval.expires', from: '500s', to: '100s', strength: 'stronger' }],
      }),
    ]);
    expect(opened(world, 1)).toBe('2');
  });

  it('refuses a weaker version without a reason and an end, and says what is weaker', () => {
    const world = newWorld();
    const refused = publish(world, weaker);
    expect(codeOf(refused)).toBe('reason_required');
    expect(messageOf(refused)).toContain('approval.requirements from 1 of group/security and 1 of role/operator to');
    expect(codeOf(publish(world, weaker, { weakerForMs: weakerMsMax + 1 }))).toBe('policy_invalid');
  });

  it('opens nothing under a weaker version until an administrator agrees, and nothing after its end', () => {
    const world = newWorld();
    publish(world, weaker, { weakerForMs: dayMs });
    expect(opened(world, 1)).toBe('1');
    expect(codeOf(agree(world, agreeing))).toBeNull();
    expect(opened(world, 2)).toBe('2');
    world.now += dayMs - 1;
    expect(opened(world, 3)).toBe('2');
    world.now += 1;
    expect(opened(world, 4)).toBe('1');
  });

  it('lets nobody agree to their own version, to another than the one shown, or too late', () => {
    const world = newWorld();
    publish(world, weaker, { weakerForMs: dayMs });
    expect(codeOf(agree(world, author))).toBe('own_work');
    expect(codeOf(agree(world, agreeing, 'c'))).toBe('stale_evidence');
    expect(codeOf(agree(world, cast.agent))).toBe('not_permitted');
    world.now += dayMs;
    expect(codeOf(agree(world, agreeing))).toBe('expired');
    expect(stateOf(world).current.version).toBe(1);
  });

  it('measures the next edit against the version that stays, so that no exception becomes the rule', () => {
    const world = newWorld();
    publish(world, weaker, { weakerForMs: dayMs });
    agree(world, agreeing);
    expect(codeOf(publish(world, weaker, { letter: 'c' }))).toBe('reason_required');
    expect(codeOf(publish(world, smallPolicy, { letter: '7' }))).toBeNull();
    expect(versionInForce(stateOf(world), world.now)).toMatchObject({ version: 3, digest: digest('7') });
  });

  it('drops a version that waits when another is published', () => {
    const world = newWorld();
    publish(world, weaker, { weakerForMs: dayMs });
    publish(world, stronger, { letter: 'c' });
    expect(codeOf(agree(world, agreeing))).toBe('not_found');
  });
});

describe('a policy that nobody could meet', () => {
  const asking = (requirements: object[]) => withApproval({ requirements });

  it.each<[string, object[], RegExp]>([
    ['of a group without people', [{ from: 'group/legal', count: 2 }], /2 more of group\/legal missing/],
    // Four people hold the role: one builds and one writes the policy.
    ['of which the builder and the author are two too many', [{ from: 'role/operator', count: 3 }], /1 more of role/],
    [
      'whose one free approver would be needed twice',
      [
        { from: 'group/security', count: 1 },
        { from: 'role/operator', count: 2 },
      ],
      /1 more of/,
    ],
  ])('is refused: %s', (_what, requirements, message) => {
    const world = newWorld();
    const refused = publish(world, asking(requirements));
    expect(codeOf(refused)).toBe('policy_unsatisfiable');
    expect(messageOf(refused)).toMatch(message);
  });

  it('is refused also when only a tier of it is', () => {
    const world = newWorld();
    const tiers = { personal: { requirements: [...([{ from: 'group/legal', count: 1 }] as const)] } };
    expect(messageOf(publish(world, { ...smallPolicy, tiers }))).toContain('in the tier personal');
  });

  it('can be met by people who are bound to one prototype', () => {
    const world = newWorld();
    const binding = { role: 'approver', group: 'legal', prototype: cast.prototype } as const;
    ask(world, cast.worker, { kind: 'GrantRole', person: cast.operator, binding });
    expect(codeOf(publish(world, asking([{ from: 'group/legal', count: 1 }])))).not.toBe('policy_unsatisfiable');
  });
});

describe('a policy below another', () => {
  const named = (name: string, over: Partial<Policy> = {}) => ({ ...smallPolicy, name, ...over });
  const site = `pol_${'9'.repeat(32)}` as const;

  it('is refused where it is weaker, with the field and both values', () => {
    const world = newWorld();
    const refused = publish(world, { ...weaker, name: 'site', extends: 'small' }, { policyId: site });
    expect(codeOf(refused)).toBe('policy_weaker');
    expect(messageOf(refused)).toMatch(
      /site to be at least as strong as small in approval.requirements \(1 of group.security and 1 of role.operator\), got 1 of/,
    );
    expect(codeOf(publish(world, named('site', { extends: 'nothing' }), { policyId: site }))).toBe('policy_unknown');
    expect(codeOf(publish(world, { ...stronger, name: 'site', extends: 'small' }, { policyId: site }))).toBeNull();
  });

  it('is above itself what a baseline asks, whether it names it or not', () => {
    const world = newWorld();
    publish(world, { ...smallPolicy, baseline: true });
    expect(codeOf(publish(world, { ...weaker, name: 'site' }, { policyId: site }))).toBe('policy_weaker');
    expect(codeOf(publish(world, named('site'), { policyId: site }))).toBeNull();
    const second = named('site', { baseline: true });
    expect(codeOf(publish(world, second, { policyId: site, letter: 'c' }))).toBe('exists');
  });

  it('keeps its base from becoming stronger than it is', () => {
    const world = newWorld();
    publish(world, named('site', { extends: 'small' }), { policyId: site });
    const refused = publish(world, stronger);
    expect(messageOf(refused)).toMatch(/site to be at least as strong as small in approval.expires \(100s\), got 500s/);
  });
});
