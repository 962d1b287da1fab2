import type { Digest, Id, PersonId, PrototypeId } from './id.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type Scope, scopes, tokensMax } from './scope.ts';

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
  'porter',
  'workload',
] as const;
/** One of them; `worker`, `edge`, `keeper`, `founder`, `porter` and `workload` are for services only. */
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
  /** What it is narrowed to; absent, it may do whatever its person may. */
  readonly scopes?: readonly Scope[];
  /** Of a run of a CI system: it brings evidence about this commit, or promotes it, and no other. */
  readonly commit?: string;
  /** Of a run of a CI system: the mark of the account that has started it, by which its person may be known. */
  readonly starter?: Digest;
}

/** Who somebody is elsewhere: never an address, and the subject only as a digest under the deployment's key. */
export interface Identity {
  /** Who vouches for it: an OpenID provider's address, `slack:<team>` or `github`. */
  readonly issuer: string;
  readonly subject: Digest;
}

/** More accounts than anybody has; every entry of a person repeats nothing of them, but their state does. */
export const identitiesMax = 20;

/** A principal's stored state. Names and addresses live in the vault, never here. */
export interface PersonState {
  readonly id: PersonId;
  readonly kind: PrincipalKind;
  /** The human an agent acts for or who answers for a service; that human is then excluded like an author. */
  readonly actsFor?: PersonId;
  readonly disabled: boolean;
  /** All personal data was destroyed; what remains is an id that entries name. */
  readonly erased?: true;
  readonly bindings: readonly Binding[];
  readonly tokens: readonly TokenRecord[];
  /** Accounts elsewhere by which they are known; absent until the first is linked. */
  readonly identities?: readonly Identity[];
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
  | { readonly kind: 'identity_linked'; readonly v: 1; readonly identity: Identity }
  | { readonly kind: 'identity_unlinked'; readonly v: 1; readonly identity: Identity }
  /** Whoever is signed in as this person is signed out. */
  | { readonly kind: 'sessions_ended'; readonly v: 1 }
  | { readonly kind: 'person_disabled'; readonly v: 1 }
  | { readonly kind: 'person_erased'; readonly v: 1; readonly by: PersonId }
  /** Somebody was shown all that is held about a person. */
  | { readonly kind: 'personal_read'; readonly v: 1; readonly by: PersonId };

/** What may be asked about a principal. */
export type PersonCommand =
  | {
      readonly kind: 'AddPerson';
      readonly person: PersonId;
      readonly principal: PrincipalKind;
      readonly actsFor?: PersonId;
      readonly bindings: readonly Binding[];
      /** By which they signed in for the first time. */
      readonly identity?: Identity;
    }
  | { readonly kind: 'GrantRole'; readonly person: PersonId; readonly binding: Binding }
  | { readonly kind: 'RevokeRole'; readonly person: PersonId; readonly binding: Binding }
  | { readonly kind: 'IssueToken'; readonly person: PersonId; readonly token: Omit<TokenRecord, 'issuedBy'> }
  | { readonly kind: 'RevokeToken'; readonly person: PersonId; readonly token: Id<'tok'> }
  | { readonly kind: 'LinkIdentity'; readonly person: PersonId; readonly identity: Identity }
  | { readonly kind: 'UnlinkIdentity'; readonly person: PersonId; readonly identity: Identity }
  | { readonly kind: 'EndSessions'; readonly person: PersonId }
  /** A narrower one to oneself, whatever one's roles are. */
  | { readonly kind: 'IssueOwnToken'; readonly person: PersonId; readonly token: Omit<TokenRecord, 'issuedBy'> }
  | { readonly kind: 'DisablePerson'; readonly person: PersonId }
  | { readonly kind: 'ErasePerson'; readonly person: PersonId }
  | { readonly kind: 'ReadPersonal'; readonly person: PersonId };

/** Folds one event into a principal. */
export function evolvePerson(state: PersonState | null, event: PersonEvent, at: number): PersonState {
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
      // What has ended goes when something new comes, so that the list does not grow with the years.
      return { ...state, tokens: [...state.tokens.filter(({ expiresAt }) => expiresAt > at), event.token] };
    case 'token_revoked':
      return { ...state, tokens: state.tokens.filter((token) => token.id !== event.token) };
    case 'identity_linked':
      return { ...state, identities: [...identitiesOf(state), event.identity] };
    case 'identity_unlinked':
      return { ...state, identities: identitiesOf(state).filter((held) => !sameIdentity(held, event.identity)) };
    case 'sessions_ended':
      return state;
    // Identities stay: whoever was shut out and signs in again is known, and is nobody new.
    case 'person_disabled':
      return { ...state, disabled: true, tokens: [] };
    case 'person_erased':
      return { ...state, disabled: true, tokens: [], bindings: [], erased: true };
    case 'personal_read':
      return state;
  }
}

/** The accounts elsewhere by which somebody is known. */
export function identitiesOf(person: Pick<PersonState, 'identities'>): readonly Identity[] {
  return person.identities ?? [];
}

/** Who lent this person the token: whoever issued it can use it as well. Null when it is theirs alone. */
export function lenderOf(person: PersonState, token: TokenRecord): PersonId | null {
  return token.issuedBy === undefined || token.issuedBy === person.id ? null : token.issuedBy;
}

/** What a decision about a principal looks at beside the principal. */
export interface PersonFacts {
  /** Who asks, and when. */
  readonly actor: PersonId;
  readonly now: number;
  /** The human behind the command; null when the deployment itself asks. */
  readonly issuer: PersonId | null;
  /** Whom the identity of the command belongs to already, if anybody. */
  readonly holder: IdentityHolder | null;
}

/** The person whose identity it is; of another workspace nothing more is told. */
export type IdentityHolder = PersonId | 'elsewhere';

/** Decides a command about a principal. */
export function decidePerson(
  state: PersonState | null,
  command: PersonCommand,
  asking: PersonFacts,
): readonly PersonEvent[] | Refusal {
  if (command.kind === 'AddPerson') return added(state, command, asking.holder);
  if (state === null) return refusal('not_found', 'expected a known person');
  switch (command.kind) {
    case 'GrantRole':
      if (state.erased) return refusal('person_disabled', 'an erased person gets no role');
      if (state.bindings.some((held) => sameBinding(held, command.binding)))
        return refusal('exists', 'this role is granted already');
      if (state.bindings.length >= bindingsMax) return tooMany(state.bindings.length + 1);
      return [{ kind: 'role_granted', v: 1, binding: command.binding }];
    case 'RevokeRole':
      if (!state.bindings.some((held) => sameBinding(held, command.binding)))
        return refusal('not_found', 'this role is not granted');
      return [{ kind: 'role_revoked', v: 1, binding: command.binding }];
    case 'IssueToken':
    case 'IssueOwnToken':
      return issued(state, command, asking);
    case 'RevokeToken':
      if (!state.tokens.some((token) => token.id === command.token))
        return refusal('not_found', 'expected a known token');
      return [{ kind: 'token_revoked', v: 1, token: command.token }];
    case 'LinkIdentity':
      return linked(state, command.identity, asking.holder);
    case 'UnlinkIdentity':
      if (!identitiesOf(state).some((held) => sameIdentity(held, command.identity)))
        return refusal('not_found', 'expected a linked account');
      return [{ kind: 'identity_unlinked', v: 1, identity: command.identity }];
    case 'EndSessions':
      return [{ kind: 'sessions_ended', v: 1 }];
    case 'DisablePerson':
      return state.disabled
        ? refusal('exists', 'this person is disabled already')
        : [{ kind: 'person_disabled', v: 1 }];
    case 'ErasePerson':
      return state.erased
        ? refusal('exists', 'this person is erased already')
        : [
            ...identitiesOf(state).map((identity): PersonEvent => ({ kind: 'identity_unlinked', v: 1, identity })),
            { kind: 'person_erased', v: 1, by: asking.actor },
          ];
    case 'ReadPersonal':
      return [{ kind: 'personal_read', v: 1, by: asking.actor }];
  }
}

function added(
  state: PersonState | null,
  command: Extract<PersonCommand, { kind: 'AddPerson' }>,
  holder: IdentityHolder | null,
): readonly PersonEvent[] | Refusal {
  if (state !== null) return refusal('exists', 'this person exists already');
  if (command.bindings.length > bindingsMax) return tooMany(command.bindings.length);
  const base = { kind: 'person_added', v: 1, person: command.person, principal: command.principal } as const;
  const first: PersonEvent = command.actsFor === undefined ? base : { ...base, actsFor: command.actsFor };
  const granted = command.bindings.map((binding): PersonEvent => ({ kind: 'role_granted', v: 1, binding }));
  if (command.identity === undefined) return [first, ...granted];
  if (holder !== null) return takenElsewhere();
  return [first, { kind: 'identity_linked', v: 1, identity: command.identity }, ...granted];
}

/** One account belongs to one person at most, else a vote by it would be nobody's in particular. */
function linked(
  state: PersonState,
  identity: Identity,
  holder: IdentityHolder | null,
): readonly PersonEvent[] | Refusal {
  if (state.kind !== 'human') return refusal('not_permitted', 'only a human has accounts elsewhere');
  if (state.disabled) return refusal('person_disabled', 'a disabled person links no account');
  if (holder === state.id) return refusal('exists', 'this account is linked already');
  if (holder !== null) return takenElsewhere();
  if (identitiesOf(state).length >= identitiesMax)
    return refusal('too_many', `expected at most ${identitiesMax} linked accounts of one person`);
  return [{ kind: 'identity_linked', v: 1, identity }];
}

function takenElsewhere(): Refusal {
  return refusal('exists', 'this account is linked to another person');
}

/** A machine's token is always narrowed, unless the deployment itself issues it; so is one that leaves its own hands. */
function issued(
  state: PersonState,
  { kind, token }: Extract<PersonCommand, { kind: 'IssueToken' | 'IssueOwnToken' }>,
  { issuer, now }: PersonFacts,
): readonly PersonEvent[] | Refusal {
  if (state.disabled) return refusal('person_disabled', 'a disabled person gets no token');
  const narrowed = kind === 'IssueOwnToken' || (state.kind !== 'human' && issuer !== null);
  if (narrowed && token.scopes === undefined)
    return refusal('scopes_required', `expected one or more of ${scopes.join(', ')}, got none`);
  const standing = state.tokens.filter(({ expiresAt }) => expiresAt > now).length;
  if (standing >= tokensMax)
    return refusal('too_many', `expected at most ${tokensMax} tokens of one person: revoke one first`);
  const issuedBy = kind === 'IssueOwnToken' ? state.id : issuer;
  return [{ kind: 'token_issued', v: 1, token: { ...token, ...(issuedBy !== null && { issuedBy }) } }];
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

function sameIdentity(a: Identity, b: Identity): boolean {
  return a.issuer === b.issuer && a.subject === b.subject;
}
