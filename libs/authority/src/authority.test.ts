import { builtinPrincipals, type Command, type PersonState, type PromotionState } from '@proviso/domain';
import { readFile } from 'node:fs/promises';
import {
  type PromotionScene,
  actionsOn,
  authorise,
  authority,
  commandMatrix,
  mayRead,
  mightBeAllowed,
} from './index.ts';

const person = (id: string, bindings: PersonState['bindings'], kind: PersonState['kind'] = 'human'): PersonState => ({
  id: `psn_${id}`,
  kind,
  disabled: false,
  bindings,
  tokens: [],
});
const digest = `sha256:${'a'.repeat(64)}` as const;

const promotion = {
  id: 'prm_1',
  prototype: 'pro_1',
  policy: {
    name: 'p',
    environment: 'production',
    evidenceAgeMaxMs: 1,
    gates: [
      {
        gate: 'approval',
        requirements: [
          { from: 'group/security', count: 1 },
          { from: 'role/operator', count: 1 },
        ],
        expiresMs: 1,
      },
    ],
  },
  exclusions: [{ person: 'psn_author', why: 'author' }],
} as unknown as PromotionState;

const vote: Command = {
  kind: 'Decide',
  promotion: 'prm_1',
  gate: 'approval',
  attempt: 1,
  decision: 'dec_1',
  verdict: 'approve',
  artifact: digest,
  evidenceDigest: digest,
};
const security = [{ role: 'approver', group: 'security' }] as const;

describe('authorise', () => {
  it.each([
    ['a member of the group', person('sam', security), null],
    ['a member of another group', person('max', [{ role: 'approver', group: 'legal' }]), 'not_permitted'],
    ['an approver without a group', person('ina', [{ role: 'approver' }]), 'not_permitted'],
    ['an operator, whose role is asked for', person('olga', [{ role: 'operator' }]), null],
    ['an administrator', person('root', [{ role: 'administrator' }]), 'not_permitted'],
    ['a member for this prototype', person('eva', [{ ...security[0], prototype: 'pro_1' }]), null],
    ['a member for another prototype', person('udo', [{ ...security[0], prototype: 'pro_2' }]), 'not_permitted'],
    ['a member for another environment', person('kim', [{ ...security[0], environment: 'staging' }]), 'not_permitted'],
    [
      'an author with every right',
      person('author', [...security, { role: 'operator' }, { role: 'administrator' }]),
      'own_work',
    ],
    ['a service with the binding', person('bot', security, 'service'), 'not_permitted'],
    ['an agent with the binding', person('ai', security, 'agent'), 'not_permitted'],
    ['a disabled member', { ...person('gone', security), disabled: true }, 'person_disabled'],
    ['the worker', builtinPrincipals.worker, 'not_permitted'],
  ])('answers a vote by %s', (_who, actor, code) => {
    expect(authorise({ actor, command: vote, promotion })?.code ?? null).toBe(code);
  });

  it('says who could do it instead, by group and role', () => {
    const refused = authorise({ actor: person('max', []), command: vote, promotion });
    expect(refused?.whoCan).toEqual(['group/security', 'role/operator']);
  });

  it('never lets a person claim, report or look', () => {
    const every = ['builder', 'approver', 'operator', 'policy-owner', 'auditor', 'administrator'] as const;
    const actor = person(
      'all',
      every.map((role) => ({ role })),
    );
    for (const step of ['scan', 'canary', 'undo'] as const) {
      const command: Command = { kind: 'Claim', promotion: 'prm_1', step, claimant: 'me' };
      expect(authorise({ actor, command, promotion })?.code).toBe('not_permitted');
    }
  });

  it('forgets a right as soon as the binding is gone', () => {
    const before = person('flux', security);
    expect(authorise({ actor: before, command: vote, promotion })).toBeNull();
    expect(authorise({ actor: { ...before, bindings: [] }, command: vote, promotion })?.code).toBe('not_permitted');
  });

  it('asks no condition before the lock, so it may refuse there and never grants', () => {
    expect(
      mightBeAllowed({ actor: person('udo', [{ ...security[0], prototype: 'pro_2' }]), command: vote }),
    ).toBeNull();
    expect(mightBeAllowed({ actor: person('bea', [{ role: 'builder' }]), command: vote })?.code).toBe('not_permitted');
  });
});

describe('a hand on a canary', () => {
  const may = (actor: PersonState, kind: 'Pause' | 'Unpause' | 'Advance', over: object = {}) =>
    authorise({ actor, command: { kind, promotion: 'prm_1' } as Command, promotion, ...over })?.code ?? null;
  const operator = [{ role: 'operator' }] as const;
  const builder = [{ role: 'builder' }] as const;

  it.each<[string, PersonState, readonly (string | null)[]]>([
    ['an operator may do all', person('olga', operator), [null, null, null]],
    ['a builder may stop it', person('bea', builder), [null, 'not_permitted', 'not_permitted']],
    [
      'an agent may stop it, and neither lets it on nor hurries it',
      person('ai', operator, 'agent'),
      [null, 'not_permitted', 'not_permitted'],
    ],
    ['nobody hurries their own work', person('author', operator), [null, null, 'own_work']],
    ['an approver has votes', person('sam', security), ['not_permitted', 'not_permitted', 'not_permitted']],
    ['an operator elsewhere', person('udo', [{ ...operator[0], prototype: 'pro_2' }]), Array(3).fill('not_permitted')],
  ])('%s', (_who, actor, codes) => {
    expect([may(actor, 'Pause'), may(actor, 'Unpause'), may(actor, 'Advance')]).toEqual(codes);
  });

  it('is no matter of who asks in whose name, but for hurrying', () => {
    const lent = { lentBy: 'psn_ada' } as const;
    const olga = person('olga', operator);
    expect([may(olga, 'Pause', lent), may(olga, 'Advance', lent)]).toEqual([null, 'step_up_required']);
    const narrow = { scopes: ['build'] } as const;
    expect([may(olga, 'Pause', narrow), may(olga, 'Advance', narrow)]).toEqual([null, 'scope_missing']);
  });
});

describe('authority.counts', () => {
  it('counts a vote for the requirement it fills and for no other', () => {
    const [group, role] = [
      { from: 'group/security', count: 1 },
      { from: 'role/operator', count: 1 },
    ];
    const sam = person('sam', security);
    expect([authority.counts(sam, group, promotion), authority.counts(sam, role, promotion)]).toEqual([true, false]);
    expect(authority.counts(person('author', security), group, promotion)).toBe(false);
    const alone = person('solo', [{ role: 'approver' }]);
    expect(authority.counts(alone, { from: 'role/approver', count: 1 }, promotion)).toBe(true);
    expect(authority.counts(alone, { from: 'group/undefined', count: 1 }, promotion)).toBe(false);
  });
});

describe('actionsOn', () => {
  const gate = { name: 'approval', status: 'waiting', attempt: 1, evidenceDigest: digest, decisions: [] };
  const at = (decisions: readonly { person: string; voided: null }[]) =>
    ({
      ...promotion,
      outcome: null,
      undo: null,
      productionAt: null,
      candidate: { manifest: { artifact: digest } },
      gates: [{ ...gate, decisions }],
    }) as unknown as PromotionState;
  const approveOf = (state: PromotionState, who: PersonState) =>
    actionsOn({
      ...{ actor: who, promotion: state, authority, lentBy: null, token: null, now: 0, people: {} },
      ...{ door: { channel: 'rest', freshAt: null }, lanes: { staging: null, production: null } },
    } as unknown as PromotionScene).find((action) => action.rel === 'approve');

  it('offers a vote to who may cast it, and says why to who may not', () => {
    expect(approveOf(at([]), person('sam', security))).toMatchObject({ allowed: true, code: null });
    expect(approveOf(at([]), person('author', security))).toMatchObject({ allowed: false, code: 'own_work' });
    expect(approveOf(at([]), person('bea', [{ role: 'builder' }]))).toMatchObject({
      allowed: false,
      code: 'not_permitted',
      whoCan: ['group/security', 'role/operator'],
    });
  });

  it('offers no second vote on the same attempt', () => {
    expect(approveOf(at([{ person: 'psn_sam', voided: null }]), person('sam', security))).toMatchObject({
      allowed: false,
      code: 'already_decided',
    });
  });
});

describe('reading', () => {
  it('is for everybody with a role, and orders are for edges alone', () => {
    expect([mayRead(person('a', [{ role: 'auditor' }])), mayRead(person('n', []))]).toEqual([true, false]);
    const edge = person('e', [{ role: 'edge' }], 'service');
    expect([mayRead(edge), mayRead(edge, 'edge'), mayRead(person('a', [{ role: 'operator' }]), 'edge')]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('what somebody without the right is told', () => {
  it.each<[Command, string]>([
    [{ kind: 'ResumeLane', lane: 'lane_1' }, 'expected somebody who may let new versions go live again'],
    [{ kind: 'Rollback', promotion: 'prm_1' }, 'expected somebody who may take a version back from users'],
    [vote, 'expected somebody who may vote at this gate'],
  ])('is in words of people', (command, words) => {
    expect(authorise({ actor: person('nil', []), command, promotion })?.message).toBe(words);
  });
});

describe('the matrix', () => {
  it('is the committed one', async () => {
    expect(commandMatrix()).toBe(await readFile(new URL('../commands.matrix.txt', import.meta.url), 'utf8'));
  });
});
