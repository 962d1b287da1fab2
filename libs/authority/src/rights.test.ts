import type { Binding, PersonState, PromotionState } from '@proviso/domain';
import { rightsOf } from './ability.ts';
import { authorise, explain, mayRead, mightBeAllowed, whoCan } from './authority.ts';
import { bindingWords } from './words.ts';

const person = (bindings: readonly Binding[], over: Partial<PersonState> = {}): PersonState => ({
  ...{ id: 'psn_1', kind: 'human', disabled: false, bindings, tokens: [] },
  ...over,
});
const security: Binding = { role: 'approver', group: 'security' };
const promotion = {
  ...{ id: 'prm_1', prototype: 'pro_1', exclusions: [{ person: 'psn_author', why: 'author' }] },
  policy: {
    ...{ name: 'p', environment: 'production', evidenceAgeMaxMs: 1 },
    gates: [
      {
        ...{ gate: 'approval', expiresMs: 1 },
        requirements: ['group/security', 'role/operator', 'group/security'].map((from) => ({ from, count: 1 })),
      },
    ],
  },
} as unknown as PromotionState;

describe('rights', () => {
  it('are built once for the same bindings, also when their state was read again', () => {
    const rights = rightsOf(person([security]));
    expect(rightsOf(person([security]))).toBe(rights);
    expect(rightsOf(person([{ ...security }], { tokens: [] }))).toBe(rights);
    expect(rightsOf(person([{ group: 'security', role: 'approver' }]))).toBe(rights);
  });

  it.each<[string, readonly Binding[]]>([
    ['one more', [security, { role: 'auditor' }]],
    ['one less', []],
    ['another role', [{ role: 'auditor' }]],
    ['another group', [{ ...security, group: 'legal' }]],
    ['a narrower one', [{ ...security, prototype: 'pro_1' }]],
    ['a field that nobody knows yet', [{ ...security, season: 5 } as Binding]],
    ['another value of it', [{ ...security, environment: 'staging' }]],
  ])('are built anew for other bindings: %s', (_what, bindings) => {
    const rights = rightsOf(person([security]));
    const changed = rightsOf(person(bindings));
    expect(changed).not.toBe(rights);
    expect(rightsOf(person(bindings))).toBe(changed);
  });

  it('are kept for the principals of a busy deployment, the oldest dropped first', () => {
    const at = (index: number) => person([security], { id: `psn_many${index}` });
    const first = rightsOf(at(0));
    for (let index = 1; index < 5_000; index += 1) rightsOf(at(index));
    const newest = rightsOf(at(4_999));
    expect(rightsOf(at(0))).toBe(first);
    rightsOf(at(5_000));
    expect(rightsOf(at(4_999))).toBe(newest);
    expect(rightsOf(at(0))).not.toBe(first);
  });
});

describe('what is asked', () => {
  it('is told in order with the binding that grants and the requirement that it fills', () => {
    const told = explain({ actor: person([security, { role: 'operator' }]), command: { kind: 'Decide' }, promotion });
    expect(told).toEqual([
      { rule: 'enabled', answer: 'yes', words: 'you are an active person', refusal: null },
      { rule: 'ability/Decide', answer: 'yes', words: 'you are an operator', refusal: null },
      {
        ...{ rule: 'requirement/group/security+role/operator', answer: 'yes', refusal: null },
        words: 'this gate asks for group/security and role/operator',
      },
      { rule: 'separation', answer: 'yes', words: 'you had no part in it', refusal: null },
    ]);
  });

  it('ends at the first no, which is told whole', () => {
    const refusal = { code: 'person_disabled', message: 'expected an active person', rule: 'enabled' };
    const actor = person([security], { disabled: true });
    expect(explain({ actor, command: { kind: 'Decide' }, promotion })).toEqual([
      { rule: 'enabled', answer: 'no', words: 'expected an active person', refusal },
    ]);
    expect(mightBeAllowed({ actor, command: { kind: 'Decide' } })).toEqual(refusal);
  });

  it('of a machine ends where its human was shut out, under a name of its own', () => {
    const actor = person([{ role: 'builder' }], { kind: 'service', actsFor: 'psn_2' });
    const ask = (disabled: boolean) =>
      explain({ actor, behind: [person([], { id: 'psn_2', disabled })], command: { kind: 'RegisterPrototype' } });
    expect(ask(false).map(({ rule, answer }) => [rule, answer])).toEqual([
      ['enabled', 'yes'],
      ['ability/RegisterPrototype', 'yes'],
    ]);
    expect(ask(true).map(({ rule, refusal }) => [rule, refusal?.code])).toEqual([['answerer', 'nobody_answers']]);
  });

  it('with a lent token ends where its lender was shut out, who knows it and would go on by it', () => {
    const lender = person([], { id: 'psn_3', disabled: true });
    const command = { kind: 'HoldLane' } as const;
    const actor = person([{ role: 'operator' }]);
    expect(authorise({ actor, command, lentBy: lender.id, behind: [lender] })).toEqual({
      ...{ code: 'nobody_answers', rule: 'lender' },
      message: 'expected a token whose lender is active, got one who was shut out',
    });
  });

  it('of a command that is no vote is nothing about gates', () => {
    const told = explain({ actor: person([{ role: 'operator' }]), command: { kind: 'HoldLane' }, promotion });
    expect(told.map(({ rule, words }) => [rule, words])).toEqual([
      ['enabled', 'you are an active person'],
      ['ability/HoldLane', 'you are an operator'],
    ]);
  });

  it('names what is one’s own affair, and what the token is narrowed to', () => {
    const actor = person([{ role: 'administrator' }]);
    const command = { kind: 'EndSessions', person: 'psn_1' } as const;
    expect(explain({ actor, command, scopes: ['administer'] }).map(({ rule, words }) => [rule, words])).toEqual([
      ['enabled', 'you are an active person'],
      ['own_affair', 'it is about yourself'],
      ['token', 'your token may do this (EndSessions)'],
    ]);
    expect(authorise({ actor, command, scopes: ['read'] })).toEqual({
      ...{ code: 'scope_missing', rule: 'token/administer' },
      message: 'expected a token with the scope administer, got one with read',
    });
  });

  it('of a vote without the promotion is refused: a row that was not loaded asks nobody', () => {
    for (const without of [{}, { promotion: null }])
      expect(authorise({ actor: person([security]), command: { kind: 'Decide' }, ...without })).toEqual({
        ...{ code: 'not_permitted', message: 'expected somebody who may vote at this gate', rule: 'requirement' },
        whoCan: ['role/approver', 'role/operator'],
      });
  });

  it('of a vote by a person of another requirement says whom the gate asks for, each once', () => {
    const actor = person([{ role: 'approver', group: 'legal' }]);
    expect(authorise({ actor, command: { kind: 'Decide' }, promotion })).toMatchObject({
      ...{ rule: 'requirement', whoCan: ['group/security', 'role/operator'] },
    });
  });
});

describe('what is one’s own affair', () => {
  const about = (
    kind: 'IssueToken' | 'LinkIdentity' | 'EndSessions' | 'IssueOwnToken' | 'DisablePerson',
    whom: string,
  ) => ({ kind, person: whom }) as { kind: typeof kind; person: 'psn_1' };

  it('needs no role, but a token of one’s own, and a page where it gives a new way in', () => {
    const actor = person([]);
    const may = (subject: Partial<Parameters<typeof authorise>[0]> & { command: ReturnType<typeof about> }) =>
      authorise({ actor, ...subject })?.code ?? null;
    expect(may({ command: about('EndSessions', 'psn_1') })).toBeNull();
    expect(may({ command: about('EndSessions', 'psn_2') })).toBe('not_permitted');
    expect(may({ command: about('EndSessions', 'psn_1'), lentBy: 'psn_2' })).toBe('step_up_required');
    expect(may({ command: about('EndSessions', 'psn_2'), lentBy: 'psn_2' })).toBe('not_permitted');
    expect(may({ command: about('IssueToken', 'psn_1') })).toBe('not_permitted');
    expect(may({ command: about('IssueToken', 'psn_1'), door: { channel: 'rest' } })).toBe('not_permitted');
    expect(may({ command: about('IssueToken', 'psn_1'), door: { channel: 'page' } })).toBeNull();
    expect(may({ command: about('LinkIdentity', 'psn_1'), door: { channel: 'page' } })).toBeNull();
    expect(may({ command: about('DisablePerson', 'psn_1') })).toBe('not_permitted');
    expect(may({ command: about('IssueOwnToken', 'psn_1'), lentBy: 'psn_2' })).toBe('step_up_required');
  });
});

describe('who can do it instead', () => {
  it('is told by roles, of a vote by what the gate asks for', () => {
    expect(whoCan({ command: { kind: 'HoldLane' } })).toEqual(['role/operator']);
    expect(whoCan({ command: { kind: 'HoldLane' }, promotion })).toEqual(['role/operator']);
    expect(whoCan({ command: { kind: 'Decide' }, promotion })).toEqual(['group/security', 'role/operator']);
    expect(whoCan({ command: { kind: 'Decide' }, promotion: null })).toEqual(['role/approver', 'role/operator']);
    const unasked = { ...promotion, policy: { ...promotion.policy, gates: [] } };
    expect(whoCan({ command: { kind: 'Decide' }, promotion: unasked })).toEqual([]);
  });
});

describe('reading', () => {
  it('is not for whoever was shut out', () => {
    expect(mayRead(person([{ role: 'auditor' }], { disabled: true }))).toBe(false);
    expect(mayRead(person([{ role: 'edge' }], { disabled: true }), 'edge')).toBe(false);
  });
});

describe('a binding', () => {
  it.each<[Binding, string]>([
    [{ role: 'auditor' }, 'an auditor'],
    [{ role: 'edge' }, 'an edge'],
    [{ role: 'operator', environment: 'staging' }, 'an operator in staging'],
    [{ role: 'policy-owner' }, 'a policy owner'],
    [{ role: 'approver', group: 'security', prototype: 'pro_1' }, 'an approver of group/security for pro_1'],
  ])('is said as people say it: %j', (binding, words) => {
    expect(bindingWords(binding)).toBe(words);
  });
});
