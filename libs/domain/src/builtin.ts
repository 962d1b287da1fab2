import type { PersonId } from './id.ts';
import type { PersonState, Role } from './person.ts';

/**
 * Principals that exist without a row, because whoever holds the database's credentials could act as them anyway. No
 * token ever resolves to one: they act from inside the deployment only.
 */
export const builtinPrincipals = {
  /** Opens workspaces and adds their first people. */
  founder: builtin('0', 'founder'),
  /** Claims, looks and reports on behalf of workflows. Never decides. */
  worker: builtin('1', 'worker'),
  /** The background leaders: lets the clock speak. */
  keeper: builtin('2', 'keeper'),
  /** Adds who signs in for the first time. Gives nobody a role but the first administrators whom the operator names. */
  porter: builtin('3', 'porter'),
} as const;

/** The built-in principal of that id, if it is one. */
export function builtinOf(id: PersonId): PersonState | undefined {
  return Object.values(builtinPrincipals).find((principal) => principal.id === id);
}

function builtin(digit: string, role: Role): PersonState {
  return { id: `psn_${digit.padStart(32, '0')}`, kind: 'service', disabled: false, bindings: [{ role }], tokens: [] };
}
