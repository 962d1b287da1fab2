import {
  type Binding,
  type PersonState,
  type PromotionState,
  type Requirement,
  exclusionReasons,
} from '@proviso/domain';
import fc from 'fast-check';
import { verbsOf } from './ability.ts';
import type { Subject } from './authority.ts';

/** Few of each, so that random rows meet: most of a million different names would only ever give a no. */
const prototypes = ['pro_1', 'pro_2'] as const;
const environments = ['production', 'staging'] as const;
const groups = ['security', 'product'] as const;
const ids = ['psn_1', 'psn_2', 'psn_3'] as const;
const roleNames = Object.keys(verbsOf) as Binding['role'][];
const verbs = [...new Set(Object.values(verbsOf).flat())].filter((verb) => verb !== 'read' && verb !== 'run_edge');

const binding = fc.record(
  {
    role: fc.constantFrom(...roleNames, 'approver', 'approver', 'operator'),
    group: fc.constantFrom(...groups),
    prototype: fc.constantFrom(...prototypes),
    environment: fc.constantFrom(...environments),
  },
  { requiredKeys: ['role'] },
) satisfies fc.Arbitrary<Binding>;

/** Anybody: any kind, any bindings, now and then shut out. */
export const anyPerson: fc.Arbitrary<PersonState> = fc.record({
  id: fc.constantFrom(...ids),
  kind: fc.constantFrom('human', 'human', 'human', 'service', 'agent'),
  disabled: fc.constantFrom(false, false, false, false, true),
  bindings: fc.array(binding, { maxLength: 3 }),
  tokens: fc.constant([]),
});

const requirement: fc.Arbitrary<Requirement> = fc.record({
  from: fc.constantFrom('group/security', 'group/product', 'role/operator', 'role/builder'),
  count: fc.constant(1),
});

/** A promotion as far as rights look at it. */
export const anyPromotion: fc.Arbitrary<PromotionState> = fc
  .record({
    prototype: fc.constantFrom(...prototypes),
    environment: fc.constantFrom(...environments),
    requirements: fc.array(requirement, { minLength: 1, maxLength: 3 }),
    exclusions: fc.array(fc.record({ person: fc.constantFrom(...ids), why: fc.constantFrom(...exclusionReasons) }), {
      maxLength: 2,
    }),
  })
  .map(({ prototype, environment, requirements, exclusions }) => {
    const waivers =
      requirements[0] === undefined
        ? {}
        : { waivers: { from: requirements[0].from, daysMax: 1 }, breakGlass: { from: 'group/security' } };
    const gates = [{ gate: 'approval', requirements, expiresMs: 1, ...waivers }];
    return { id: 'prm_1', prototype, exclusions, policy: { name: 'p', environment, evidenceAgeMaxMs: 1, gates } };
  }) as unknown as fc.Arbitrary<PromotionState>;

/** Any question to the authority; every second one is a vote, since nothing else is asked as much of. */
export const anySubject: fc.Arbitrary<Subject> = fc.record({
  actor: anyPerson,
  behind: fc.array(anyPerson, { maxLength: 2 }),
  command: fc.record({ kind: fc.oneof(fc.constant('Decide' as const), fc.constantFrom(...verbs)) }),
  promotion: fc.option(anyPromotion, { nil: null, freq: 6 }),
  prototype: fc.option(fc.constantFrom(...prototypes), { nil: null }),
  environment: fc.option(fc.constantFrom(...environments), { nil: null }),
  lentBy: fc.option(fc.constantFrom(...ids), { nil: null, freq: 1 }),
});
