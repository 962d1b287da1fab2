import type { Binding } from '@proviso/domain';
import {
  type AuthorizationAnswer,
  type EntityJson,
  isAuthorized,
  preparsePolicySet,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs';
import { type AskedKind, type Case, asksFor, rolesFor } from './cases.ts';
import type { Peer } from './peer.ts';

/**
 * Cedar asks no question of each member of a set, so what a binding says is one text (`group/security pro_1 *`), and the
 * resource brings every text that would do. Both are made before the clock starts.
 */
const policies = [
  ...Object.keys(rolesFor).map(
    (kind) =>
      `permit(principal, action == Action::"${kind}", resource) when { principal.holds.containsAny(resource.${kind}) };`,
  ),
  'forbid(principal, action, resource) when { principal.disabled };',
  'forbid(principal, action == Action::"Decide", resource) unless { principal.kind == "human" };',
  'forbid(principal, action == Action::"Decide", resource) when { resource.excluded.contains(principal.id) };',
  'forbid(principal, action == Action::"Decide", resource) when { context.lent };',
  'forbid(principal, action == Action::"ResumeLane", resource) when { principal.kind == "agent" };',
].join('\n');

/** Cedar as its package offers it: policies, entities and the question in one call. */
export async function prepareCedar(cases: readonly Case[]): Promise<Peer> {
  return {
    name: 'Cedar wasm',
    questions: cases.map((one) => {
      const call = { ...callOf(one), policies: { staticPolicies: policies } };
      return () => isAllowed(isAuthorized(call));
    }),
  };
}

/** Cedar with the policies parsed once and kept inside. */
export async function prepareCedarParsed(cases: readonly Case[]): Promise<Peer> {
  const preparsedPolicySetId = 'proviso';
  preparsePolicySet(preparsedPolicySetId, { staticPolicies: policies });
  return {
    name: 'Cedar wasm, policies parsed before',
    questions: cases.map((one) => {
      const call = { ...callOf(one), preparsedPolicySetId };
      return () => isAllowed(statefulIsAuthorized(call));
    }),
  };
}

function isAllowed(answer: AuthorizationAnswer): boolean {
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  return answer.response.decision === 'allow';
}

function callOf(one: Case) {
  const entities = [principalOf(one), resourceOf(one)];
  return {
    ...{ principal: { type: 'Person', id: one.actor.id }, action: { type: 'Action', id: one.command.kind } },
    ...{ resource: { type: 'Promotion', id: one.promotion.id }, context: { lent: one.lentBy !== null }, entities },
  };
}

function principalOf({ actor: { id, kind, disabled, bindings } }: Case): EntityJson {
  const holds = bindings.flatMap((held) => namesOf(held).map((name) => at(name, held)));
  return { uid: { type: 'Person', id }, attrs: { id, kind, disabled, holds }, parents: [] };
}

function namesOf({ role, group }: Binding): readonly string[] {
  return role === 'approver' && group !== undefined ? [`role/${role}`, `group/${group}`] : [`role/${role}`];
}

function at(name: string, { prototype, environment }: Pick<Binding, 'prototype' | 'environment'>): string {
  return `${name} ${prototype ?? '*'} ${environment ?? '*'}`;
}

function resourceOf(one: Case): EntityJson {
  const { id, prototype, policy, exclusions } = one.promotion;
  const reaching = (name: string) =>
    [{}, { prototype }, { environment: policy.environment }, { prototype, environment: policy.environment }].map(
      (reach) => at(name, reach),
    );
  const doing = (kind: AskedKind) => {
    const names = kind === 'Decide' ? asksFor(one) : rolesFor[kind].map((role) => `role/${role}`);
    return [kind, names.flatMap(reaching)] as const;
  };
  const kinds = Object.fromEntries((Object.keys(rolesFor) as AskedKind[]).map(doing));
  const excluded = exclusions.map(({ person }) => person);
  return { uid: { type: 'Promotion', id }, attrs: { ...kinds, excluded }, parents: [] };
}
