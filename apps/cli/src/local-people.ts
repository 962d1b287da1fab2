import type { Binding, PrincipalKind } from '@proviso/domain';

/** A principal of a local deployment. */
export interface LocalPerson {
  readonly key: string;
  readonly name: string;
  readonly principal: PrincipalKind;
  readonly bindings: readonly Binding[];
}

/**
 * Whom a local deployment begins with. Several humans, because nobody may approve their own work: with one alone
 * nothing could go live. The first is who speaks when nobody else is named.
 */
export const localPeople: readonly LocalPerson[] = [
  {
    key: 'bea',
    name: 'Bea Builder',
    principal: 'human',
    // She may approve, only never her own work: what then stops her is the separation of duties, not a missing role.
    bindings: [{ role: 'builder' }, { role: 'approver', group: 'security' }],
  },
  { key: 'sam', name: 'Sam Security', principal: 'human', bindings: [{ role: 'approver', group: 'security' }] },
  { key: 'paul', name: 'Paul Product', principal: 'human', bindings: [{ role: 'approver', group: 'product' }] },
  { key: 'olga', name: 'Olga Operator', principal: 'human', bindings: [{ role: 'operator' }] },
  {
    key: 'pia',
    name: 'Pia Policy',
    principal: 'human',
    // Whoever wrote a policy has no vote under it, so this is nobody who should approve.
    bindings: [{ role: 'policy-owner' }, { role: 'administrator' }],
  },
];

/** In whose name the edge asks for its lanes. */
export const edgePerson: LocalPerson = {
  key: 'edge',
  name: 'Local edge',
  principal: 'service',
  bindings: [{ role: 'edge' }],
};
