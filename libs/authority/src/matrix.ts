import { type PrincipalKind, principalKinds, roles } from '@proviso/domain';
import { ownAffairs, verbsOf } from './ability.ts';
import { scopeMatrix } from './scope.ts';

/**
 * Role × command as text that a person can read and diff. Separation of duties is not in it: it depends on the row and
 * is asked last, for every kind of principal.
 */
export function commandMatrix(): string {
  const verbs = [...new Set(Object.values(verbsOf).flat())].sort();
  const width = Math.max(...verbs.map((verb) => verb.length));
  const head = `${''.padEnd(width)}  ${roles.map((role) => role.padEnd(15)).join('')}`.trimEnd();
  const rows = verbs.map((verb) =>
    `${verb.padEnd(width)}  ${roles.map((role) => (verbsOf[role].includes(verb) ? 'yes' : '-').padEnd(15)).join('')}`.trimEnd(),
  );
  const kinds = principalKinds.map(
    (kind) => `a vote by ${withArticle(kind)} ${kind === 'human' ? 'counts, unless excluded' : 'never counts'}`,
  );
  const own = [
    `anybody, about themselves: ${ownAffairs.anywhere.join(', ')}`,
    `anybody, about themselves, at a page: ${ownAffairs.page.join(', ')}`,
  ];
  return [head, ...rows, '', ...own, '', ...kinds, '', 'Scopes of tokens, by verb', '', scopeMatrix(), ''].join('\n');
}

function withArticle(kind: PrincipalKind): string {
  return kind === 'agent' ? 'an agent' : `a ${kind}`;
}
