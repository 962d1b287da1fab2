import type { PersonState, PromotionState } from '@proviso/domain';
import { newEnforcer, newModelFromString } from 'casbin';
import { type Case, asksFor, rolesFor } from './cases.ts';
import type { Peer } from './peer.ts';

/** Roles and what they may do as rows of a policy; what depends on the rows of a question as functions. */
const model = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = role, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && !r.sub.disabled && holds(r.sub, p.role, r.obj, r.act) && (r.act != 'Decide' || apart(r.sub, r.obj)) && (r.act != 'ResumeLane' || r.sub.kind != 'agent')
`;

interface Thing {
  readonly promotion: PromotionState;
  readonly asks: readonly string[];
  readonly lent: boolean;
}

/** casbin, called without promises as its documentation advises for speed. */
export async function prepareCasbin(cases: readonly Case[]): Promise<Peer> {
  const enforcer = await newEnforcer(newModelFromString(model));
  for (const [kind, roles] of Object.entries(rolesFor)) for (const role of roles) await enforcer.addPolicy(role, kind);
  await enforcer.addFunction('holds', holds);
  await enforcer.addFunction('apart', apart);
  return {
    name: 'casbin',
    questions: cases.map((one) => {
      const thing: Thing = { promotion: one.promotion, asks: asksFor(one), lent: one.lentBy !== null };
      return () => enforcer.enforceSync(one.actor, thing, one.command.kind);
    }),
  };
}

function holds(person: PersonState, role: string, { promotion, asks }: Thing, kind: string): boolean {
  return person.bindings.some(
    (held) =>
      held.role === role &&
      (held.prototype === undefined || held.prototype === promotion.prototype) &&
      (held.environment === undefined || held.environment === promotion.policy.environment) &&
      (kind !== 'Decide' || asks.includes(`role/${role}`) || asks.includes(`group/${held.group}`)),
  );
}

function apart(person: PersonState, { promotion, lent }: Thing): boolean {
  return person.kind === 'human' && !lent && !promotion.exclusions.some((one) => one.person === person.id);
}
