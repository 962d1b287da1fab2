import { type Subject } from '@proviso/authority';
import {
  type Binding,
  type Exclusion,
  type PersonState,
  type PrincipalKind,
  type PromotionState,
  exclusionReasons,
  leavesOf,
} from '@proviso/domain';

/** Everything that people are asked about at one promotion, and which roles may do it: all that the peers are given. */
export const rolesFor = {
  Decide: ['approver', 'operator'],
  Rerun: ['builder', 'operator'],
  Comment: ['builder', 'approver', 'operator', 'policy-owner', 'auditor', 'administrator'],
  Cancel: ['builder', 'operator'],
  Rollback: ['builder', 'operator'],
  ResumeLane: ['operator'],
} as const satisfies Readonly<Record<string, readonly Binding['role'][]>>;

/** One of them. */
export type AskedKind = keyof typeof rolesFor;

/** One question: may this person do this to this promotion? */
export interface Case extends Subject {
  readonly command: { readonly kind: AskedKind };
  readonly promotion: PromotionState;
  readonly lentBy: PersonState['id'] | null;
}

/** As many people and promotions as a busy workspace has at a time; cases are pairs of them. */
const PEOPLE = 500;
const PROMOTIONS = 200;
const kinds = Object.keys(rolesFor) as AskedKind[];
const principals: readonly PrincipalKind[] = ['human', 'human', 'human', 'human', 'human', 'human', 'service', 'agent'];
const roles = ['approver', 'approver', 'approver', 'operator', 'operator', 'builder', 'auditor'] as const;
const groups = ['security', 'product', 'legal', 'privacy'] as const;
const environments = ['production', 'staging'] as const;
const froms = ['group/security', 'group/product', 'group/legal', 'role/operator', 'role/approver'] as const;
const prototypes = Array.from({ length: 20 }, (_, index) => `pro_${index}` as const);

/** The same cases for the same seed: about as many are a yes as a no, and each rule decides some. */
export function casesOf(seed: number, count: number): readonly Case[] {
  const draw = drawing(seed);
  const people = Array.from({ length: PEOPLE }, (_, index) => personOf(draw, index));
  const promotions = Array.from({ length: PROMOTIONS }, (_, index) => promotionOf(draw, index));
  return Array.from({ length: count }, () => ({
    actor: draw.of(people),
    command: { kind: draw.chance(0.6) ? ('Decide' as const) : draw.of(kinds) },
    promotion: draw.of(promotions),
    lentBy: draw.chance(0.05) ? ('psn_1' as const) : null,
  }));
}

interface Drawing {
  readonly of: <Item>(items: readonly Item[]) => Item;
  readonly chance: (share: number) => boolean;
  readonly upTo: (max: number) => number;
}

/** A linear congruential generator (Numerical Recipes): the same everywhere, and good enough to mix cases. */
function drawing(seed: number): Drawing {
  let state = seed >>> 0;
  const share = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const upTo = (max: number) => Math.floor(share() * (max + 1));
  return {
    upTo,
    chance: (part) => share() < part,
    of: (items) => {
      const item = items[upTo(items.length - 1)];
      if (item === undefined) throw new Error('expected something to draw from, got nothing');
      return item;
    },
  };
}

function personOf(draw: Drawing, index: number): PersonState {
  const bindings = Array.from({ length: 1 + draw.upTo(2) }, (): Binding => {
    const role = draw.of(roles);
    return {
      role,
      ...(role === 'approver' && draw.chance(0.9) ? { group: draw.of(groups) } : {}),
      ...(draw.chance(0.2) ? { prototype: draw.of(prototypes) } : {}),
      ...(draw.chance(0.2) ? { environment: draw.of(environments) } : {}),
    };
  });
  return { id: `psn_${index}`, kind: draw.of(principals), disabled: draw.chance(0.05), bindings, tokens: [] };
}

function promotionOf(draw: Drawing, index: number): PromotionState {
  const requirements = Array.from({ length: 1 + draw.upTo(2) }, () => ({ from: draw.of(froms), count: 1 }));
  const exclusions = Array.from(
    { length: 2 + draw.upTo(4) },
    (): Exclusion => ({ person: `psn_${draw.upTo(PEOPLE - 1)}`, why: draw.of(exclusionReasons) }),
  );
  const gates = [{ gate: 'approval', requirements, expiresMs: 1 }];
  const policy = { name: 'p', environment: draw.of(environments), evidenceAgeMaxMs: 1, gates };
  // Rights look at nothing else of a promotion.
  return { id: `prm_${index}`, prototype: draw.of(prototypes), policy, exclusions } as unknown as PromotionState;
}

/** Whose votes the gate of a case asks for. */
export function asksFor({ promotion }: Case): readonly string[] {
  const rule = promotion.policy.gates.find(({ gate }) => gate === 'approval');
  return rule?.gate === 'approval' ? leavesOf(rule.requirements).map(({ from }) => from) : [];
}
