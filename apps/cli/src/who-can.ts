/** Who may do something, in words: `group/security` is a name for machines. */
export function whoWords(whoCan: readonly string[]): string {
  return whoCan
    .map((who) => who.split('/'))
    .filter(([kind, name]) => kind !== 'role' || !machineRoles.has(name ?? ''))
    .map(([kind, name]) =>
      name === undefined ? kind : kind === 'role' ? `a person with the role ${name}` : `${kind} ${name}`,
    )
    .join(' or ');
}

/** Roles that only Proviso's own processes have; naming them helps no person. */
const machineRoles: ReadonlySet<string> = new Set(['worker', 'edge']);
