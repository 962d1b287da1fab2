import {
  type Subject,
  authorise,
  commandMatrix,
  isDelegableVerb,
  isSeparatedVerb,
  isVotersVerb,
  mayRead,
} from '@proviso/authority';
import {
  type Binding,
  type Command,
  type PersonState,
  type PrincipalKind,
  type Role,
  principalKinds,
  roles,
  separate,
} from '@proviso/domain';
import { doorActions } from './door-actions.ts';
import { type Route, isForVoters } from './route.ts';
import { routes } from './routes.ts';

/** Whose thing a route is about. `own` is what the asker built, asked for or is; `workspace` a colleague's. */
export type Whose = 'own' | 'workspace' | 'other' | '-';

/** By what somebody may do things: a role, or only a right to vote that another gave to them. */
export type Holding = Role | 'delegate';

const holdings: readonly Holding[] = [...roles, 'delegate'];

/** One row: what each role gets at one route, for these kinds of principal and for this one's things. */
export interface MatrixRow {
  readonly route: Route;
  readonly kind: PrincipalKind | 'any';
  readonly whose: Whose;
  readonly cells: Readonly<Record<Holding, string>>;
}

/** Every row. Kinds of principal share one where nothing differs between them. */
export function matrixRows(): readonly MatrixRow[] {
  return routes.flatMap((route) =>
    whoseOf(route).flatMap((whose) => {
      const rows = principalKinds.map(
        (kind): MatrixRow => ({ route, kind, whose, cells: cellsOf(route, kind, whose) }),
      );
      const [first] = rows;
      const isSame = rows.every(({ cells }) => JSON.stringify(cells) === JSON.stringify(first?.cells));
      return isSame && first !== undefined ? [{ ...first, kind: 'any' as const }] : rows;
    }),
  );
}

/**
 * Route × role × whose thing it is × kind of principal, as text that a person reads and diffs. Computed from the table
 * of routes and the authority, so it changes exactly when somebody may do more or less than before.
 */
export function authorityMatrix(): string {
  const width = Math.max(...routes.map((route) => `${route.method} ${route.path}`.length));
  const head = `${''.padEnd(width)}  ${'who'.padEnd(9)}${'whose'.padEnd(10)}${holdings.map((holding) => holding.padEnd(14)).join('')}nobody`;
  const rows = matrixRows().map(({ route, kind, whose, cells }) => {
    const answers = holdings.map((holding) => cells[holding].padEnd(14)).join('');
    const name = `${route.method} ${route.path}`.padEnd(width);
    return `${name}  ${kind.padEnd(9)}${whose.padEnd(10)}${answers}${nobody(route)}`;
  });
  const notes = [
    'yes: answered; the row, its state and its digests may still refuse. 403: not allowed. 404: does not exist here.',
    'vote: where the gate asks for this role or for a group of this person, else 403.',
    'delegate: has no role, and for a time another’s right to vote: vote is what that reaches, else 403.',
    'own/403: own work is never decided or hurried by its requester, author, uploader or policy author, nor by who issued a token for it.',
  ];
  const doors = Object.entries(doorActions).map(
    ([door, actions]) => `${door}: ${actions.join(' ') || 'not built yet'}`,
  );
  const parts = [...notes, '', head, ...rows, '', 'Commands by role', '', commandMatrix().trimEnd()];
  return `${[...parts, '', 'Routes behind the actions of other doors', '', ...doors].join('\n')}\n`;
}

/** Whoever is not signed in is shown the way to sign in by a page, and told no by everything else. */
function nobody({ access }: Route): string {
  if (access.kind === 'public') return 'yes';
  return access.kind === 'page' ? 'login' : '401';
}

/** Only what names one thing has an owner. */
function whoseOf(route: Route): readonly Whose[] {
  return route.path.includes('/:') ? ['own', 'workspace', 'other'] : ['-'];
}

function cellsOf(route: Route, kind: PrincipalKind, whose: Whose): MatrixRow['cells'] {
  return Object.fromEntries(
    holdings.map((holding) => [holding, statusFor(route, holderOf(holding, kind), whose)]),
  ) as MatrixRow['cells'];
}

function statusFor(route: Route, person: PersonState, whose: Whose): string {
  const { access } = route;
  switch (access.kind) {
    case 'public':
      return 'yes';
    case 'self':
      // One's own and nothing else: what a colleague has is not there.
      return whose === 'own' || whose === '-' ? 'yes' : '404';
    case 'page': {
      // Only people have a browser in which they could be signed in.
      if (person.kind !== 'human') return '403';
      const { commands, needs } = access;
      const shown = statusFor({ ...route, access: { ...access, kind: needs } }, person, whose);
      return commands === undefined || shown === '403'
        ? shown
        : afterCommands(commands, person, whose, { channel: 'page' });
    }
    case 'read':
      if (mayRead(person)) return thing(whose);
      return isForVoters(access) && isDelegate(person) && (whose === 'workspace' || whose === '-') ? 'vote' : '403';
    case 'agent':
      return person.kind === 'agent' && mayRead(person) ? thing(whose) : '403';
    case 'edge':
      return mayRead(person, 'edge') ? thing(whose) : '403';
    case 'command':
      return afterCommands(access.commands, person, whose);
  }
}

function afterCommands(
  commands: Extract<Route['access'], { kind: 'command' }>['commands'],
  person: PersonState,
  whose: Whose,
  door: Subject['door'] = null,
): string {
  // Some things need no role about oneself: there the one who is asked about is who asks.
  const about = whose === 'own' || whose === '-' ? person.id : 'psn_another';
  const refusals = commands.map((kind) => mayAsk(person, { kind, person: about }, door));
  const votes = commands.some(isVotersVerb);
  const separated = commands.some(isSeparatedVerb);
  // No row is loaded here, so what depends on one is a no under the name of that rule.
  const given = isDelegate(person) ? commands.filter(isDelegableVerb) : [];
  const open = [
    ...(votes ? ['requirement'] : []),
    ...(separated ? ['separation'] : []),
    ...given.map((kind) => `ability/${kind}`),
  ];
  const allowed = refusals.every((no) => no === null || open.includes(no.rule ?? ''));
  if (!allowed || (separated && separate(person, []) !== null)) return whose === 'other' ? '403/404' : '403';
  if (!separated || whose === 'other') return thing(whose);
  if (whose === 'own') return 'own/403';
  return votes ? 'vote' : 'yes';
}

function thing(one: Whose): string {
  return one === 'other' ? '404' : 'yes';
}

/** The body that a route makes out of its path, as far as the authority looks at it. */
function mayAsk(
  actor: PersonState,
  command: { readonly kind: Command['kind']; readonly person: PersonState['id'] },
  door: Subject['door'] = null,
) {
  return authorise({ actor, command, door });
}

function holderOf(holding: Holding, kind: PrincipalKind): PersonState {
  const digits = String(holdings.indexOf(holding)).padStart(32, 'a');
  const binding: Binding =
    holding === 'delegate'
      ? { role: 'approver', from: 'psn_another', until: Number.MAX_SAFE_INTEGER }
      : { role: holding };
  return { id: `psn_${digits}`, kind, disabled: false, bindings: [binding], tokens: [] };
}

/** Only a human votes in the stead of another. */
function isDelegate({ kind, bindings }: PersonState): boolean {
  return kind === 'human' && bindings.some(({ from }) => from !== undefined);
}
