import type { LaneId, PersonId } from './id.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Where the value of a secret lies, on the machine of the edge. A vault has its place in the form and is refused so far. */
export type SecretReference =
  | { readonly from: 'environment'; readonly name: string }
  /** Below the folder that the edge's operator has set aside for secrets. */
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'vault'; readonly path: string };

/** A plain value: whoever may read the lane reads it. */
export interface Variable {
  readonly value: string;
  readonly by: PersonId;
  readonly at: number;
}

/** A secret of a lane: its name and where the value lies. Invariant: no value is ever in here. */
export interface BoundSecret {
  readonly reference: SecretReference;
  readonly by: PersonId;
  /** Since when the value counts that now lies there: bound, or rotated since. */
  readonly at: number;
}

/** What a lane gives to its releases beside their own contract. */
export interface Configuration {
  /** Grows with each change; a release that was started with an older one is started anew. */
  readonly revision: number;
  readonly variables: Readonly<Record<string, Variable>>;
  readonly secrets: Readonly<Record<string, BoundSecret>>;
}

/** What may happen to it. */
export type ConfigurationEvent =
  | {
      readonly kind: 'variable_set';
      readonly v: 1;
      readonly name: string;
      readonly value: string;
      readonly by: PersonId;
    }
  | { readonly kind: 'variable_unset'; readonly v: 1; readonly name: string; readonly by: PersonId }
  | {
      readonly kind: 'secret_bound';
      readonly v: 1;
      readonly name: string;
      readonly reference: SecretReference;
      readonly by: PersonId;
    }
  | { readonly kind: 'secret_unbound'; readonly v: 1; readonly name: string; readonly by: PersonId }
  | { readonly kind: 'secret_rotated'; readonly v: 1; readonly name: string; readonly by: PersonId };

/** What may be asked about it. */
export type ConfigurationCommand =
  | { readonly kind: 'SetVariable'; readonly lane: LaneId; readonly name: string; readonly value: string }
  | { readonly kind: 'UnsetVariable'; readonly lane: LaneId; readonly name: string }
  | {
      readonly kind: 'BindSecret';
      readonly lane: LaneId;
      readonly name: string;
      readonly reference: SecretReference;
    }
  | { readonly kind: 'UnbindSecret'; readonly lane: LaneId; readonly name: string }
  /** Another value lies at the same place now: releases are started anew, and nothing is promoted. */
  | { readonly kind: 'RotateSecret'; readonly lane: LaneId; readonly name: string };

/** More than any prototype names in its contract. */
const namesMax = 50;
/** All values together; the whole configuration goes to the edges with each answer. */
const lettersMax = 32_000;

/** A lane that nobody has configured. */
export const emptyConfiguration: Configuration = { revision: 0, variables: {}, secrets: {} };

/** The event kinds that change a configuration and never traffic. */
export function isConfigurationEvent(event: { readonly kind: string }): event is ConfigurationEvent {
  return configurationEvents.has(event.kind);
}

const configurationEvents: ReadonlySet<string> = new Set<ConfigurationEvent['kind']>([
  'variable_set',
  'variable_unset',
  'secret_bound',
  'secret_unbound',
  'secret_rotated',
]);

/** Folds one event into a configuration. */
export function evolveConfiguration(state: Configuration, event: ConfigurationEvent, at: number): Configuration {
  const revision = state.revision + 1;
  const { name, by } = event;
  switch (event.kind) {
    case 'variable_set':
      return { ...state, revision, variables: { ...state.variables, [name]: { value: event.value, by, at } } };
    case 'variable_unset':
      return { ...state, revision, variables: without(state.variables, name) };
    case 'secret_bound':
      return { ...state, revision, secrets: { ...state.secrets, [name]: { reference: event.reference, by, at } } };
    case 'secret_unbound':
      return { ...state, revision, secrets: without(state.secrets, name) };
    case 'secret_rotated': {
      const secret = state.secrets[name];
      return secret === undefined
        ? state
        : { ...state, revision, secrets: { ...state.secrets, [name]: { ...secret, by, at } } };
    }
  }
}

/** Decides a change. What changes nothing is no event, so that a repeated call starts no release anew. */
export function decideConfiguration(
  state: Configuration,
  command: ConfigurationCommand,
  by: PersonId,
): readonly ConfigurationEvent[] | Refusal {
  const { name } = command;
  const told = { v: 1, name, by } as const;
  switch (command.kind) {
    case 'SetVariable':
      if (state.variables[name]?.value === command.value) return [];
      return (
        cannotAdd(state, command) ??
        cannotHold(state, command) ?? [{ kind: 'variable_set', ...told, value: command.value }]
      );
    case 'UnsetVariable':
      return Object.hasOwn(state.variables, name) ? [{ kind: 'variable_unset', ...told }] : [];
    case 'BindSecret':
      if (command.reference.from === 'vault')
        return refusal(
          'not_configured',
          'expected a reference to the environment or to a file: no vault is configured',
        );
      if (sameReference(state.secrets[name]?.reference, command.reference)) return [];
      return cannotAdd(state, command) ?? [{ kind: 'secret_bound', ...told, reference: command.reference }];
    case 'UnbindSecret':
      return Object.hasOwn(state.secrets, name) ? [{ kind: 'secret_unbound', ...told }] : [];
    case 'RotateSecret':
      if (Object.hasOwn(state.secrets, name)) return [{ kind: 'secret_rotated', ...told }];
      return refusal('not_found', `expected a secret that is bound in this lane, got ${name}`);
  }
}

/** The names of those that a lane has no value for. */
export function missingSecrets(state: Configuration, required: readonly string[]): readonly string[] {
  return required.filter((name) => !Object.hasOwn(state.secrets, name));
}

/** The start of a process sets these itself; a lane's would be without effect, or stop it from starting. */
const reservedNames: readonly string[] = ['PATH', 'HOME', 'HOST', 'TMPDIR', 'PORT'];

function cannotAdd({ variables, secrets }: Configuration, { kind, name }: ConfigurationCommand): Refusal | null {
  if (reservedNames.includes(name) || name.startsWith('PROVISO_'))
    return refusal('reserved_name', `expected a name of the prototype's own, got ${name}`);
  const [own, other, what] = kind === 'BindSecret' ? [secrets, variables, 'variable'] : [variables, secrets, 'secret'];
  if (Object.hasOwn(other, name)) return refusal('exists', `${name} is a ${what} of this lane: take it away first`);
  if (!Object.hasOwn(own, name) && Object.keys(own).length >= namesMax)
    return refusal('too_many', `expected at most ${namesMax} names`);
  return null;
}

function cannotHold(
  { variables }: Configuration,
  { name, value }: Extract<ConfigurationCommand, { kind: 'SetVariable' }>,
): Refusal | null {
  const values = Object.values(without(variables, name)).map((variable) => variable.value);
  const letters = values.reduce((sum, each) => sum + each.length, value.length);
  return letters <= lettersMax
    ? null
    : refusal('too_large', `expected at most ${lettersMax} letters in all variables, got ${letters}`);
}

function sameReference(one: SecretReference | undefined, other: SecretReference): boolean {
  return one?.from === other.from && placeOf(one) === placeOf(other);
}

function placeOf(reference: SecretReference): string {
  return reference.from === 'environment' ? reference.name : reference.path;
}

function without<Value>(from: Readonly<Record<string, Value>>, name: string): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name));
}
