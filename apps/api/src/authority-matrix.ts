import { commandMatrix, isVotersVerb, mayRead, mightBeAllowed } from '@proviso/authority';
import { type Command, type PersonState, type Role, roles } from '@proviso/domain';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

/**
 * Route × role × whose thing it is, as text that a person reads and diffs. `own` is what the asker built or asked for,
 * `workspace` what a colleague did, `other` another workspace's. Computed from the table and the authority, so it
 * changes exactly when somebody may do more or less than before.
 */
export function authorityMatrix(): string {
  const width = Math.max(...routes.map((route) => `${route.method} ${route.path}`.length));
  const head = `${''.padEnd(width)}  ${'whose'.padEnd(10)}${roles.map((role) => role.padEnd(14)).join('')}nobody`;
  const rows = routes.flatMap((route) =>
    whose(route).map((one) => {
      const cells = roles.map((role) => statusFor(route, role, one).padEnd(14)).join('');
      return `${`${route.method} ${route.path}`.padEnd(width)}  ${one.padEnd(10)}${cells}${nobody(route)}`;
    }),
  );
  const notes = [
    'yes: answered; the row, its state and its digests may still refuse. 403: not allowed. 404: does not exist here.',
    'vote: where the gate asks for this role or for a group of this person, else 403.',
    'own/403: own work is never decided by its requester, owner who built it, author, uploader or policy author, nor by who issued a token for it.',
  ];
  return `${[...notes, '', head, ...rows, '', 'Commands by role', '', commandMatrix()].join('\n').trimEnd()}\n`;
}

/** Whoever is not signed in is shown the way to sign in by a page, and told no by everything else. */
function nobody({ access }: Route): string {
  if (access.kind === 'public') return 'yes';
  return access.kind === 'page' ? 'login' : '401';
}

type Whose = 'own' | 'workspace' | 'other' | '-';

/** Only what names one thing has an owner. */
function whose(route: Route): readonly Whose[] {
  return route.path.includes('/:') ? ['own', 'workspace', 'other'] : ['-'];
}

function statusFor(route: Route, role: Role, one: Whose): string {
  const person = holderOf(role);
  const { access } = route;
  switch (access.kind) {
    case 'public':
    case 'self':
      return 'yes';
    case 'page':
      return access.commands === undefined
        ? statusFor({ ...route, access: { kind: access.needs } }, role, one)
        : statusFor({ ...route, access: { kind: 'command', commands: access.commands } }, role, one);
    case 'read':
      return mayRead(person) ? thing(one) : '403';
    case 'edge':
      return mayRead(person, 'edge') ? thing(one) : '403';
    case 'command': {
      // Some things need no role about oneself: there the one who is asked about is who asks.
      const about = one === 'own' || one === '-' ? person.id : 'psn_another';
      const allowed = access.commands.every(
        (kind) => mightBeAllowed({ actor: person, command: { kind, person: about } as Command }) === null,
      );
      if (!allowed) return one === 'other' ? '403/404' : '403';
      if (!access.commands.some(isVotersVerb) || one === 'other') return thing(one);
      return one === 'own' ? 'own/403' : 'vote';
    }
  }
}

function thing(one: Whose): string {
  return one === 'other' ? '404' : 'yes';
}

function holderOf(role: Role): PersonState {
  const digits = String(roles.indexOf(role)).padStart(32, 'a');
  return { id: `psn_${digits}`, kind: 'human', disabled: false, bindings: [{ role }], tokens: [] };
}
