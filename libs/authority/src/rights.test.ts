import type { Binding, Command, PersonState, PromotionState, Scene } from '@proviso/domain';
import { rightsOf } from './ability.ts';
import {
  authorise,
  authority,
  explain,
  mayRead,
  mightBeAllowed,
  readOutOfScope,
  subjectOf,
  votesInStead,
  whoCan,
} from './authority.ts';
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

  it('are built anew when one binding of several is another', () => {
    const rights = rightsOf(person([security, { role: 'auditor' }]));
    expect(rightsOf(person([security, { role: 'operator' }]))).not.toBe(rights);
  });

  it('are kept for the principals of a busy deployment, the one whose last change is oldest dropped first', () => {
    const at = (index: number, bindings = [security]) => person(bindings, { id: `psn_many${index}` });
    rightsOf(at(0));
    const oldest = rightsOf(at(1));
    for (let index = 2; index < 5_000; index += 1) rightsOf(at(index));
    const [newest, changed] = [rightsOf(at(4_999)), rightsOf(at(0, []))];
    expect(rightsOf(at(1))).toBe(oldest);
    rightsOf(at(5_000));
    expect([rightsOf(at(4_999)) === newest, rightsOf(at(0, [])) === changed]).toEqual([true, true]);
    expect(rightsOf(at(1))).not.toBe(oldest);
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
    expect(ask(true).at(-1)?.words).toBe(
      'expected an active human who answers for this machine, got one who was shut out',
    );
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
    // With another's token it is no affair of one's own, though the role still gives the right.
    expect(explain({ actor, command, lentBy: 'psn_2' }).map(({ rule }) => rule)).toEqual([
      ...['enabled', 'ability/EndSessions'],
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
    expect(authorise({ actor, command: about('IssueOwnToken', 'psn_1'), lentBy: 'psn_2' })?.message).toBe(
      'expected a token of your own for this, got one that another person issued',
    );
  });
});

describe('the question behind a command', () => {
  const lane = (environment: string, prototype: string) => ({ environment, prototype });
  const actor = person([], { kind: 'service', actsFor: 'psn_3' });
  const human = person([], { id: 'psn_3' });
  const asked = (kind: 'HoldLane' | 'Cancel', over: object = {}) => {
    const lanes = { staging: null, production: null };
    const known = {
      actor,
      promotion: null,
      prototype: null,
      lanes,
      people: { psn_3: human },
      lentBy: null,
      token: null,
    };
    const command = kind === 'HoldLane' ? { kind, lane: 'lane_1' } : { kind, promotion: 'prm_1' };
    return subjectOf({ ...known, ...over } as unknown as Scene, command as Command);
  };
  const both = { staging: lane('staging', 'pro_s'), production: lane('production', 'pro_p') };

  it('is asked where the lane is that it is about, and of no environment when it is about none', () => {
    expect(asked('HoldLane', { lanes: both }).environment).toBe('production');
    expect(asked('HoldLane', { lanes: { ...both, production: null } }).environment).toBe('staging');
    expect(asked('HoldLane').environment).toBeNull();
    expect(asked('Cancel', { lanes: both }).environment).toBeNull();
  });

  it('is asked of the prototype that was loaded, or of the one whose lane it is', () => {
    expect(asked('HoldLane', { lanes: both, prototype: { id: 'pro_1' } }).prototype).toBe('pro_1');
    expect(asked('HoldLane', { lanes: both }).prototype).toBe('pro_p');
    expect(asked('HoldLane', { lanes: { ...both, production: null } }).prototype).toBe('pro_s');
    expect(asked('HoldLane').prototype).toBeNull();
  });

  it('names who is behind the actor, and what their token is narrowed to', () => {
    expect(asked('Cancel')).toMatchObject({ actor, behind: [human], scopes: null, lentBy: null });
    expect(asked('Cancel', { token: { scopes: ['read'] }, lentBy: 'psn_9' })).toMatchObject({
      ...{ scopes: ['read'], lentBy: 'psn_9' },
    });
    expect(asked('Cancel', { token: {} }).scopes).toBeNull();
  });
});

describe('what two or three different people must do', () => {
  const actor = person([{ role: 'operator' }]);

  it.each(['Delegate', 'AskWaiver', 'AskBreakGlass', 'ReviewBreakGlass'] as const)(
    'is not done with a token that another person issued: %s',
    (kind) => {
      expect(authorise({ actor, command: { kind }, promotion })).toBeNull();
      expect(authorise({ actor, command: { kind }, promotion, lentBy: 'psn_2' })).toMatchObject({
        code: 'step_up_required',
      });
    },
  );

  it('is for the group that the policy names for it, and for nobody where it names none', () => {
    const rule = { gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 1 } as const;
    const under = (more: object) => ({ ...promotion, policy: { ...promotion.policy, gates: [{ ...rule, ...more }] } });
    const lead = person([{ role: 'approver', group: 'leads' }]);
    const named = under({ waivers: { from: 'group/leads', daysMax: 1 }, breakGlass: { from: 'group/leads' } });
    for (const kind of ['ApproveWaiver', 'ApproveBreakGlass'] as const) {
      expect(authorise({ actor: lead, command: { kind }, promotion: named })).toBeNull();
      expect(authorise({ actor: person([security]), command: { kind }, promotion: named })).toMatchObject({
        ...{ code: 'not_permitted', rule: 'requirement', whoCan: ['group/leads'] },
      });
      for (const silent of [under({}), { ...promotion, policy: { ...promotion.policy, gates: [] } }])
        expect(authorise({ actor: lead, command: { kind }, promotion: silent })).toMatchObject({
          ...{ code: 'not_permitted', rule: 'requirement', whoCan: [] },
        });
    }
  });
});

describe('a vote in the stead of another', () => {
  const given: Binding = { role: 'approver', from: 'psn_2', until: 10 };
  const sam = person([security], { id: 'psn_2' });
  const ask = (command: 'Decide' | 'Cancel', over: Partial<Parameters<typeof explain>[0]> = {}) =>
    explain({ actor: person([given]), command: { kind: command }, promotion, stead: steadOf(sam), ...over });
  const steadOf = (...people: readonly PersonState[]) => ({
    people: Object.fromEntries(people.map((one) => [one.id, one])),
    now: 1,
  });

  it('is told as such, with the requirement that the other could fill', () => {
    expect(ask('Decide').map(({ rule, words }) => [rule, words])).toEqual([
      ['enabled', 'you are an active person'],
      ['ability/Decide', 'somebody gave you their right'],
      ['requirement/group/security', 'this gate asks for group/security'],
      ['separation', 'you had no part in it'],
    ]);
  });

  it.each<[string, Partial<Parameters<typeof explain>[0]>]>([
    [
      'who gave it had a part in this',
      { stead: steadOf({ ...sam, id: 'psn_author' }), actor: person([{ ...given, from: 'psn_author' }]) },
    ],
    ['who gave it is of another group', { stead: steadOf({ ...sam, bindings: [{ ...security, group: 'legal' }] }) }],
    ['its time is over', { stead: { ...steadOf(sam), now: 10 } }],
    ['it is asked before anything was loaded', { promotion: null }],
  ])('is none where %s', (_what, over) => {
    expect(ask('Decide', over).at(-1)).toMatchObject({ answer: 'no', refusal: { code: 'not_permitted' } });
    const asked = { actor: person([given]), promotion, stead: steadOf(sam), ...over };
    if (asked.promotion !== null) expect(votesInStead(asked.actor, asked.promotion, asked.stead)).toBe(false);
  });

  it('is no right of one’s own, wherever any approver is asked', () => {
    const gates = [{ gate: 'approval', requirements: [{ from: 'role/approver', count: 1 }], expiresMs: 1 }] as const;
    const anyApprover = { ...promotion, policy: { ...promotion.policy, gates } };
    const grouped = person([security], { id: 'psn_grouped' });
    expect(authorise({ actor: grouped, command: { kind: 'Decide' }, promotion: anyApprover })).toBeNull();
    expect(ask('Decide', { promotion: anyApprover }).at(-1)).toMatchObject({ answer: 'yes' });
    const over = { promotion: anyApprover, stead: { ...steadOf(sam), now: 10 } };
    expect(ask('Decide', over).at(-1)).toMatchObject({ rule: 'ability/Decide', answer: 'no' });
    const visitor = person([given], { id: 'psn_stranger' });
    expect(authority.counts(visitor, { from: 'role/approver', count: 1 }, anyApprover)).toBe(false);
  });

  it('lets nobody look around, and is not given on', () => {
    const actor = person([given], { id: 'psn_visitor' });
    expect([mayRead(actor), votesInStead(actor, promotion, steadOf(sam))]).toEqual([false, true]);
    const author = person([given], { id: 'psn_author' });
    const gone = { ...sam, disabled: true };
    expect([author, person([security])].map((one) => votesInStead(one, promotion, steadOf(sam)))).toEqual([
      false,
      false,
    ]);
    expect(votesInStead(actor, promotion, steadOf(gone))).toBe(false);
    expect(mightBeAllowed({ actor, command: { kind: 'Decide' } })).toBeNull();
    expect(mightBeAllowed({ actor, command: { kind: 'Delegate' } })).toMatchObject({ code: 'not_permitted' });
  });

  it('gives no other right of theirs', () => {
    expect(ask('Cancel', { stead: steadOf({ ...sam, bindings: [{ role: 'operator' }] }) }).at(-1)).toMatchObject({
      ...{ rule: 'ability/Cancel', answer: 'no' },
    });
  });
});

describe('a hand that brings something to more users sooner', () => {
  it('is refused where the promotion was not loaded: nobody is known to have had no part in it', () => {
    expect(authorise({ actor: person([{ role: 'operator' }]), command: { kind: 'Advance' } })).toMatchObject({
      ...{ code: 'not_permitted', rule: 'separation' },
    });
  });
});

describe('a narrow token', () => {
  it('reads where its scopes say so, a workspace or the orders of an edge', () => {
    expect([readOutOfScope(null), readOutOfScope(['read']), readOutOfScope(['edge'], 'edge')]).toEqual([
      ...[null, null, null],
    ]);
    expect(readOutOfScope(['edge'])).toMatchObject({ code: 'scope_missing', rule: 'token/read' });
    expect(readOutOfScope(['read'], 'edge')).toMatchObject({ code: 'scope_missing', rule: 'token/edge' });
  });

  it('does nothing that is for whole tokens, and says so', () => {
    expect(
      authorise({ actor: person([security]), command: { kind: 'Delegate' }, scopes: ['decide', 'read'] }),
    ).toMatchObject({
      ...{ code: 'scope_missing', rule: 'token/whole' },
      message: 'expected a token without scopes, got one with decide, read',
    });
  });

  it('says each scope that would do', () => {
    expect(
      authorise({ actor: person([{ role: 'operator' }]), command: { kind: 'Cancel' }, scopes: ['read'] })?.message,
    ).toBe('expected a token with the scope build or operate, got one with read');
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
