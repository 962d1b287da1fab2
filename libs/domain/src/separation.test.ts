import type { PersonId } from './id.ts';
import type { PersonState } from './person.ts';
import {
  exclusionReasons,
  exclusionsOf,
  exclusionsOfEvidence,
  hasOrphan,
  type Involved,
  separate,
  separateLent,
} from './separation.ts';
import type { ExternalEvidence } from './workload.ts';

const person = (id: string, over: Partial<PersonState> = {}): PersonState => ({
  ...{ id: `psn_${id}`, kind: 'human', disabled: false, bindings: [], tokens: [] },
  ...over,
});

const involved: Involved = {
  ...{ requester: 'psn_requester', owner: 'psn_owner', authors: ['psn_author'], uploader: 'psn_uploader' },
  ...{ pushers: ['psn_pusher'], starters: ['psn_starter'] },
  ...{ bringers: ['psn_bringer'], policyAuthor: 'psn_policy', lenders: ['psn_lender'] },
};

const everybody: Readonly<Record<string, PersonState>> = Object.fromEntries(
  [
    ...['requester', 'starter', 'owner', 'author', 'pusher', 'uploader', 'bringer', 'policy', 'lender', 'human'],
    'other',
  ].map((id) => [`psn_${id}`, person(id)]),
);

describe('who is kept from deciding', () => {
  it('is everybody who had a part, each for the first reason that there is', () => {
    expect(exclusionsOf(involved, everybody)).toEqual([
      { person: 'psn_requester', why: 'requester' },
      { person: 'psn_starter', why: 'requester' },
      { person: 'psn_uploader', why: 'uploader' },
      { person: 'psn_bringer', why: 'uploader' },
      { person: 'psn_author', why: 'author' },
      { person: 'psn_pusher', why: 'pusher' },
      { person: 'psn_policy', why: 'policy_author' },
      { person: 'psn_lender', why: 'lender' },
    ]);
    const alone = { ...involved, requester: 'psn_one', uploader: 'psn_one', authors: ['psn_one'] } as const;
    const others = { bringers: [], pushers: ['psn_one'], starters: [], policyAuthor: 'psn_one', lenders: [] } as const;
    expect(exclusionsOf({ ...alone, ...others }, everybody)).toEqual([{ person: 'psn_one', why: 'requester' }]);
  });

  it.each([
    ['asked for it', { owner: 'psn_requester' }, 'requester'],
    ['uploaded it', { owner: 'psn_uploader' }, 'uploader'],
    ['wrote some of it', { owner: 'psn_author' }, 'author'],
    ['pushed what somebody else wrote', { owner: 'psn_pusher' }, 'pusher'],
    ['started the run that asked for it', { owner: 'psn_starter' }, 'requester'],
  ] as const)('is an owner who %s, and not one who only answers for it', (_what, over, why) => {
    const owner: PersonId = over.owner;
    expect(exclusionsOf({ ...involved, ...over }, everybody)).toContainEqual({ person: owner, why });
    expect(exclusionsOf(involved, everybody).map(({ person: id }) => id)).not.toContain('psn_owner');
  });

  it('is an owner for whom an agent has built, told as such where nothing else tells it', () => {
    const agent = person('agent', { kind: 'agent', actsFor: 'psn_human' });
    const people = { ...everybody, psn_agent: agent };
    expect(exclusionsOf({ ...involved, owner: 'psn_agent', uploader: 'psn_agent' }, people)).toEqual(
      expect.arrayContaining([
        { person: 'psn_agent', why: 'uploader' },
        { person: 'psn_human', why: 'uploader' },
      ]),
    );
  });

  it.each([
    ['requester', 'requester'],
    ['uploader', 'uploader'],
    ['policyAuthor', 'policy_author'],
  ] as const)('is the human behind an agent that was %s, with the agent', (part, why) => {
    const people = { ...everybody, psn_agent: person('agent', { kind: 'agent', actsFor: 'psn_human' }) };
    const found = exclusionsOf({ ...involved, [part]: 'psn_agent' }, people);
    expect(found).toEqual(
      expect.arrayContaining([
        { person: 'psn_agent', why },
        { person: 'psn_human', why },
      ]),
    );
    expect(found.map(({ person: id }) => id)).not.toContain('psn_other');
  });

  it('is also somebody whom nobody knows any more', () => {
    expect(exclusionsOf(involved, {})).toEqual(exclusionsOf(involved, everybody));
  });
});

describe('an agent of nobody', () => {
  const orphan = { ...everybody, psn_orphan: person('orphan', { kind: 'agent' }) };

  it.each([
    ['requester', { requester: 'psn_orphan' }],
    ['owner', { owner: 'psn_orphan' }],
    ['uploader', { uploader: 'psn_orphan' }],
    ['policy author', { policyAuthor: 'psn_orphan' }],
    ['author', { authors: ['psn_author', 'psn_orphan'] }],
    ['bringer of evidence', { bringers: ['psn_orphan'] }],
  ] as const)('is found as %s', (_part, over) => {
    expect(hasOrphan({ ...involved, ...over }, orphan)).toBe(true);
  });

  it('is not an agent that acts for somebody, nor a human, nor somebody unknown; a service must have somebody as well', () => {
    const led = { ...everybody, psn_agent: person('agent', { kind: 'agent', actsFor: 'psn_human' }) };
    const service = { ...everybody, psn_bot: person('bot', { kind: 'service' }) };
    const owned = { ...everybody, psn_bot: person('bot', { kind: 'service', actsFor: 'psn_human' }) };
    expect(hasOrphan({ ...involved, requester: 'psn_agent' }, led)).toBe(false);
    expect(hasOrphan({ ...involved, requester: 'psn_bot' }, service)).toBe(true);
    expect(hasOrphan({ ...involved, requester: 'psn_bot' }, owned)).toBe(false);
    expect(hasOrphan(involved, everybody)).toBe(false);
    expect(hasOrphan(involved, {})).toBe(false);
  });
});

describe('whoever brings evidence from outside', () => {
  const evidence = {} as ExternalEvidence;

  it('is kept from deciding, with the human behind them and whoever lent them the token', () => {
    const bot = person('bot', { kind: 'service', actsFor: 'psn_human' });
    expect(exclusionsOfEvidence(evidence, person('other'))).toEqual([{ person: 'psn_other', why: 'uploader' }]);
    expect(exclusionsOfEvidence({ ...evidence, lentBy: 'psn_lender' }, bot)).toEqual([
      { person: 'psn_bot', why: 'uploader' },
      { person: 'psn_human', why: 'uploader' },
      { person: 'psn_lender', why: 'lender' },
    ]);
  });
});

describe('a vote', () => {
  it('is a human’s own', () => {
    for (const kind of ['service', 'agent'] as const)
      expect(separate(person('other', { kind }), [])).toEqual({
        ...{ code: 'not_permitted', message: 'only a human decides at a gate', rule: 'humans_only' },
      });
    expect(separate(person('other'), [])).toBeNull();
  });

  it('is not that of somebody who was shut out', () => {
    expect(separate(person('other', { disabled: true }), [])).toEqual({
      ...{ code: 'person_disabled', message: 'a disabled person does not decide', rule: 'enabled' },
    });
  });

  it.each([
    ['requester', 'you asked for this promotion'],
    ['author', 'you wrote part of this candidate'],
    ['pusher', 'you pushed this commit'],
    ['uploader', 'you uploaded this candidate or evidence for it'],
    ['policy_author', 'you wrote the policy that this promotion is decided by'],
    ['lender', 'you issued a token that part of this was done with'],
  ] as const)('is not that of its %s, who is told why', (why, words) => {
    const exclusions = [{ person: 'psn_somebody', why: 'author' } as const, { person: 'psn_own', why } as const];
    expect(separate(person('own'), exclusions)).toEqual({
      ...{ code: 'own_work', message: `${words}, so somebody else must decide`, rule: `separation/${why}` },
    });
    expect(separate(person('other'), exclusions)).toBeNull();
    expect(exclusionReasons).toContain(why);
  });

  it('is not given with a token that another person issued', () => {
    expect(separateLent(null)).toBeNull();
    expect(separateLent('psn_other', 'for this')).toEqual({
      code: 'step_up_required',
      message: 'expected a token of your own for this, got one that another person issued',
      rule: 'separation/lent_token',
    });
    expect(separateLent('psn_other')).toEqual({
      code: 'step_up_required',
      message: 'expected a token of your own to decide with, got one that another person issued',
      rule: 'separation/lent_token',
    });
  });
});
