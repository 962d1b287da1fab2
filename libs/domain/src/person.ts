import type { Digest, Id, PersonId, PrototypeId } from './id.ts';
import { type Refusal, refusal } from './refusal.ts';

/** More roles than anybody can oversee; every entry of a person repeats them, and an entry has a largest size. */
export const bindingsMax = 100;

/** What kind of principal acts. Only humans count toward a quorum. */
export const principalKinds = ['human', 'service', 'agent'] as const;
/** One of them. */
export type PrincipalKind = (typeof principalKinds)[number];

/** What a binding lets its holder do; the meaning of each lives in the authority room. */
export const roles = [
  'builder',
  'approver',
  'operator',
  'policy-owner',
  'auditor',
  'administrator',
  'worker',
  'edge',
  'keeper',
  'founder',
] as const;
/** One of them; `worker`, `edge`, `keeper` and `founder` are for services only. */
export type Role = (typeof roles)[number];

/** One grant: a role, for an approver also a group, and how far it reaches. */
export interface Binding {
  readonly role: Role;
  readonly group?: string;
  /** Absent: the whole workspace. */
  readonly prototype?: PrototypeId;
  readonly environment?: string;
  /** Whose right to vote this is, when it was given on; it counts as long as they hold it, and until then. */
  readonly from?: PersonId;
  readonly until?: number;
}

/** A token as stored: only its hash, so that the database never holds a credential. */
export interface TokenRecord {
  readonly id: Id<'tok'>;
  readonly hash: Digest;
  readonly expiresAt: number;
  /** The human behind its issue; absent when the deployment itself issued it, at its founding. */
  readonly issuedBy?: PersonId;
}

/** A principal's stored state. Names and addresses live in the vault, never here. */
export interface PersonState {
  readonly id: PersonId;
  readonly kind: PrincipalKind;
  /** The human an agent or a bot acts for; that human is then excluded like an author. */
  readonly actsFor?: PersonId;
  readonly disabled: boolean;
  readonly bindings: readonly Binding[];
  readonly tokens: readonly TokenRecord[];
}

/** What may happen to a principal. */
export type PersonEvent =
  | {
      readonly kind: 'person_added';
      readonly v: 1;
      readonly person: PersonId;
      readonly principal: PrincipalKind;
      readonly actsFor?: PersonId;
    }
  | { readonly kind: 'role_granted'; readonly v: 1; readonly binding: Binding }
  | { readonly kind: 'role_revoked'; readonly v: 1; readonly binding: Binding }
  | { readonly kind: 'right_delegated'; readonly v: 1; readonly binding: Binding }
  | { readonly kind: 'delegation_ended'; readonly v: 1; readonly from: PersonId }
  | { readonly kind: 'token_issued'; readonly v: 1; readonly token: TokenRecord }
  | { readonly kind: 'token_revoked'; readonly v: 1; readonly token: Id<'tok'> }
  | { readonly kind: 'person_disabled'; readonly v: 1 };

/** What may be asked about a principal. */
export type PersonCommand =
  | {
      readonly kind: 'AddPerson';
      readonly person: PersonId;
      readonly principal: PrincipalKind;
      readonly actsFor?: PersonId;
      readonly bindings: readonly Binding[];
    }
  | { readonly kind: 'GrantRole'; readonly person: PersonId; readonly binding: Binding }
  | { readonly kind: 'RevokeRole'; readonly person: PersonId; readonly binding: Binding }
  | { readonly kind: 'IssueToken'; readonly person: PersonId; readonly token: Omit<TokenRecord, 'issuedBy'> }
  | { readonly kind: 'RevokeToken'; readonly person: PersonId; readonly token: Id<'tok'> }
  | { readonly kind: 'DisablePerson'; readonly person: PersonId };

/** Folds one event into a principal. */
export function evolvePerson(state: PersonState | null, event: PersonEvent): PersonState {
  if (event.kind === 'person_added') {
    const base = { id: event.person, kind: event.principal, disabled: false, bindings: [], tokens: [] };
    return event.actsFor === undefined ? base : { ...base, actsFor: event.actsFor };
  }
  if (state === null) throw new Error(`invariant broken: ${event.kind} on a person that was never added`);
  switch (event.kind) {
    case 'role_granted':
      return { ...state, bindings: [...state.bindings, event.binding] };
    case 'right_delegated': {
      const others = state.bindings.filter(({ from }) => from !== event.binding.from);
      return { ...state, bindings: [...others, event.binding] };
    }
    case 'delegation_ended':
      return { ...state, bindings: state.bindings.filter(({ from }) => from !== event.from) };
    case 'role_revoked':
      return { ...state, bindings: state.bindings.filter((held) => !sameBinding(held, event.binding)) };
    case 'token_issued':
      return { ...state, tokens: [...state.tokens, event.token] };
    case 'token_revoked':
      return { ...state, tokens: state.tokens.filter((token) => token.id !== event.token) };
    case 'person_disabled':
      return { ...state, disabled: true, tokens: [] };
  }
}

/** Who lent this person the token: whoever issued it can use it as well. Null when it is theirs alone. */
export function lenderOf(person: PersonState, token: TokenRecord): PersonId | null {
  return token.issuedBy === undefined || token.issuedBy === person.id ? null : token.issuedBy;
}

/** Decides a command about a principal; `issuer` is the human behind it, null when the deployment itself asks. */
export function decidePerson(
  state: PersonState | null,
  command: PersonCommand,
  issuer: PersonId | null,
): readonly PersonEvent[] | Refusal {
  if (command.kind === 'AddPerson') return added(state, command);
  if (state === null) return refusal('not_found', 'expected a known person');
  switch (command.kind) {
    case 'GrantRole':
      if (state.bindings.some((held) => sameBinding(held, command.binding)))
        return refusal('exists', 'this role is granted already');
      if (state.bindings.length >= bindingsMax) return tooMany(state.bindings.length + 1);
      return [{ kind: 'role_granted', v: 1, binding: command.binding }];
    case 'RevokeRole':
      if (!state.bindings.some((held) => sameBinding(held, command.binding)))
        return refusal('not_found', 'this role is not granted');
      return [{ kind: 'role_revoked', v: 1, binding: command.binding }];
    case 'IssueToken':
      if (state.disabled) return refusal('person_disabled', 'a disabled person gets no token');
      return [
        { kind: 'token_issued', v: 1, token: { ...command.token, ...(issuer !== null && { issuedBy: issuer }) } },
      ];
    case 'RevokeToken':
      if (!state.tokens.some((token) => token.id === command.token))
        return refusal('not_found', 'expected a known token');
      return [{ kind: 'token_revoked', v: 1, token: command.token }];
    case 'DisablePerson':
      return state.disabled
        ? refusal('exists', 'this person is disabled already')
        : [{ kind: 'person_disabled', v: 1 }];
  }
}

function added(
  state: PersonState | null,
  command: Extract<PersonCommand, { kind: 'AddPerson' }>,
): readonly PersonEvent[] | Refusal {
  if (state !== null) return refusal('exists', 'this person exists already');
  if (command.bindings.length > bindingsMax) return tooMany(command.bindings.length);
  const base = { kind: 'person_added', v: 1, person: command.person, principal: command.principal } as const;
  const first: PersonEvent = command.actsFor === undefined ? base : { ...base, actsFor: command.actsFor };
  return [first, ...command.bindings.map((binding): PersonEvent => ({ kind: 'role_granted', v: 1, binding }))];
}

function tooMany(count: number): Refusal {
  return refusal('too_many', `expected at most ${bindingsMax} roles of one person, got ${count}`);
}

function sameBinding(a: Binding, b: Binding): boolean {
  return (
    a.role === b.role &&
    a.from === b.from &&
    a.group === b.group &&
    a.prototype === b.prototype &&
    a.environment === b.environment
  );
}
