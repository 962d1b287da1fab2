import { AbilityBuilder, createMongoAbility, subject as asSubject } from '@casl/ability';
import type { Binding, Command, PersonState, PromotionState } from '@proviso/domain';
import { authorise, mightBeAllowed } from './index.ts';

/**
 * Each trap of the library is set off once in its usual form, so that a new version that behaves otherwise is seen, and
 * then shown not to be in our way. docs/adr/0009 lists them.
 */

const bare = (define: (rules: AbilityBuilder<ReturnType<typeof createMongoAbility>>) => void) => {
  const rules = new AbilityBuilder(createMongoAbility);
  define(rules);
  return rules.build();
};

const human = (bindings: readonly Binding[]): PersonState => ({
  ...{ id: 'psn_1', kind: 'human', disabled: false, bindings, tokens: [] },
});

const promotion = {
  ...{ id: 'prm_1', prototype: 'pro_1', exclusions: [{ person: 'psn_1', why: 'author' }] },
  policy: {
    ...{ name: 'p', environment: 'production', evidenceAgeMaxMs: 1 },
    gates: [{ gate: 'approval', requirements: [{ from: 'group/security', count: 1 }], expiresMs: 1 }],
  },
} as unknown as PromotionState;

const vote = { kind: 'Decide' } as const;
const security: Binding = { role: 'approver', group: 'security' };

describe('a question about a kind of thing is answered yes by any conditional rule', () => {
  it('in the library', () => {
    const ability = bare(({ can }) => can('approve', 'Gate', { id: 'only this one' }));
    expect(ability.can('approve', 'Gate')).toBe(true);
  });

  it('so what is asked that way may refuse and never grants: the thing itself is asked about under the lock', () => {
    const elsewhere = human([{ ...security, prototype: 'pro_2' }]);
    expect(mightBeAllowed({ actor: elsewhere, command: vote })).toBeNull();
    expect(authorise({ actor: elsewhere, command: vote, promotion })?.rule).toBe('ability/Decide');
    expect(authorise({ actor: human([security]), command: vote })?.rule).toBe('requirement');
  });
});

describe('a prohibition is silent where its field was not loaded', () => {
  it('in the library', () => {
    const ability = bare(({ can, cannot }) => {
      can('approve', 'Gate');
      cannot('approve', 'Gate', { author: 'psn_1' });
    });
    expect(ability.can('approve', asSubject('Gate', { author: 'psn_1' }))).toBe(false);
    expect(ability.can('approve', asSubject('Gate', {}))).toBe(true);
  });

  it('so there are no prohibitions in abilities, and what was not loaded matches no narrower grant', () => {
    const narrow = human([{ role: 'operator', prototype: 'pro_1', environment: 'production' }]);
    const command = { kind: 'ResumeLane' } as const;
    const where = { prototype: 'pro_1', environment: 'production' } as const;
    expect(authorise({ actor: narrow, command, ...where })).toBeNull();
    expect(authorise({ actor: narrow, command, prototype: 'pro_1' })?.code).toBe('not_permitted');
    expect(authorise({ actor: narrow, command, environment: 'production' })?.code).toBe('not_permitted');
    expect(authorise({ actor: narrow, command })?.code).toBe('not_permitted');
  });
});

describe('a later grant outweighs an earlier prohibition', () => {
  it('in the library', () => {
    const ability = bare(({ can, cannot }) => {
      cannot('approve', 'Gate', { author: 'psn_1' });
      can('approve', 'Gate');
    });
    expect(ability.can('approve', asSubject('Gate', { author: 'psn_1' }))).toBe(true);
  });

  it('so separation of duties is asked outside and last, whatever was granted and in which order', () => {
    const every: readonly Binding[] = [security, { role: 'administrator' }, { role: 'operator' }, security];
    for (const bindings of [every, every.toReversed()])
      expect(authorise({ actor: human(bindings), command: vote, promotion })?.code).toBe('own_work');
  });
});

describe('a condition that is undefined matches what has no such field', () => {
  it('in the library', () => {
    const ability = bare(({ can }) => can('read', 'Prototype', { workspaceId: undefined }));
    expect(ability.can('read', asSubject('Prototype', {}))).toBe(true);
  });

  it('so a fact that is not known is null, and no binding narrowed to a place is met by it', () => {
    const actor = human([{ role: 'operator', prototype: 'pro_1' }]);
    for (const prototype of [undefined, null])
      expect(
        authorise({ actor, command: { kind: 'ResumeLane' }, ...(prototype === undefined ? {} : { prototype }) })?.code,
      ).toBe('not_permitted');
  });
});

describe('a body can name its own kind of thing', () => {
  it('in the library', () => {
    const ability = bare(({ can }) => can('approve', 'Draft'));
    const body: object = JSON.parse('{"__caslSubjectType__":"Draft"}');
    expect(ability.can('approve', body)).toBe(true);
  });

  it('so no body is ever asked about, and what a command brings along names nothing', () => {
    const body = JSON.parse(
      '{"kind":"ResumeLane","lane":"lane_1","noun":"x","__caslSubjectType__":"thing"}',
    ) as Command;
    const actor = human([{ role: 'operator', prototype: 'pro_1' }]);
    expect(authorise({ actor, command: body })?.code).toBe('not_permitted');
  });
});

describe('a condition can be a pattern that takes seconds', () => {
  it('so conditions are compared and never interpreted: a pattern is a name that nothing has', () => {
    const pattern = { $regex: '^(a+)+$' } as unknown as 'pro_1';
    const actor = human([{ role: 'operator', prototype: pattern }]);
    const prototype = `pro_${'a'.repeat(64)}!`;
    expect(authorise({ actor, command: { kind: 'ResumeLane' }, prototype })?.code).toBe('not_permitted');
  });
});
