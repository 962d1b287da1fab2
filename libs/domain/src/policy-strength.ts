import { optionalApprovalFields } from './approval-strength.ts';
import { optionalCanaryFields } from './canary-strength.ts';
import { type Demand, demandWords, leavesOf, waysOf } from './demand.ts';
import {
  type ChangeType,
  type GateName,
  type GateRule,
  type Policy,
  type Tier,
  changeTypes,
  gateNames,
  ruleOf,
} from './policy.ts';
import { atTier } from './policy-tier.ts';
import { durationText } from './shape.ts';
import { compareWatches } from './watch-strength.ts';

/** What an edit does to a policy: what cannot be compared counts as weaker, so that nobody weakens one by rearranging it. */
export const strengths = ['weaker', 'neutral', 'stronger'] as const;
/** One of them. */
export type Strength = (typeof strengths)[number];

/** One edited field with both values as they would be read. */
export interface PolicyEdit {
  /** As in the document, such as `approval.expires` or `tiers.internal.gates`. */
  readonly field: string;
  readonly from: string;
  readonly to: string;
  readonly strength: Strength;
}

/** How one field is compared and said. */
export interface Judged<Value> {
  readonly name: string;
  readonly judge: (from: Value, to: Value) => Strength;
  readonly say: (value: Value) => string;
}

type RuleOf<Name extends GateName> = Extract<GateRule, { gate: Name }>;
type FieldsOf<Rule> = { readonly [Field in Exclude<keyof Rule, 'gate'>]-?: Judged<Rule[Field]> };

const higher = (from: number, to: number): Strength => (to > from ? 'stronger' : to < from ? 'weaker' : 'neutral');
const lower = (from: number, to: number): Strength => higher(to, from);
const free = (): Strength => 'neutral';

const figure = (name: string, judge: Judged<number>['judge']): Judged<number> => ({ name, judge, say: String });
const span = (name: string, judge: Judged<number>['judge']): Judged<number> => ({ name, judge, say: durationText });
// A crash is tried again and is no answer, so patience with crashes lets nothing through.
const attemptsMax = figure('attemptsMax', free);

/**
 * Which way each field of each gate points: a closed table, so that a field without a row does not compile and a test
 * finds it in the shape of the document.
 */
export const gateFields: { readonly [Name in GateName]: FieldsOf<RuleOf<Name>> } = {
  readiness: { attemptsMax },
  build: { attemptsMax },
  scan: { attemptsMax },
  staging: { attemptsMax },
  evaluation: { attemptsMax, bar: figure('bar', higher), repeats: figure('repeats', higher) },
  approval: {
    requirements: { name: 'requirements', judge: compareDemands, say: sayDemands },
    expiresMs: span('expires', lower),
    ...optionalApprovalFields,
  },
  canary: {
    attemptsMax,
    // A ramp with all the old shares and more of them shows less to fewer people at each step.
    weights: { name: 'weights', judge: (from, to) => compareSets(from, to), say: (list) => list.join(', ') },
    lookMs: span('look', lower),
    dwellMs: span('dwell', higher),
    deadlineMs: span('deadline', lower),
    // How often a healthy release may be rolled back: who allows less of that lets more through.
    alpha: figure('alpha', higher),
    beta: figure('beta', lower),
    rateRatioMax: figure('rateRatioMax', lower),
    ...optionalCanaryFields,
  },
};

/** Which way each field of the policy itself points; `apart` are judged field by field below. */
export const policyFields: { readonly [Field in keyof Policy]-?: Judged<Policy[Field]> | 'apart' } = {
  name: { name: 'policy', judge: free, say: String },
  environment: { name: 'environment', judge: (from, to) => (from === to ? 'neutral' : 'weaker'), say: String },
  evidenceAgeMaxMs: span('evidenceAgeMax', lower),
  gates: 'apart',
  extends: {
    name: 'extends',
    judge: (from, to) => (from === to ? 'neutral' : from === undefined ? 'stronger' : 'weaker'),
    say: (name) => name ?? 'nothing',
  },
  baseline: {
    name: 'baseline',
    judge: (from, to) => (from === to ? 'neutral' : to === true ? 'stronger' : 'weaker'),
    say: (value) => String(value ?? false),
  },
  freeze: { name: 'freeze', judge: compareFreezes, say: sayFreezes },
  tiers: 'apart',
  changes: 'apart',
  watch: 'apart',
};

/** Every field in which two versions differ, each judged; empty when they decide alike. */
export function comparePolicies(from: Policy, to: Policy): readonly PolicyEdit[] {
  const own = Object.entries(policyFields).flatMap(([field, row]) =>
    row === 'apart' ? [] : edited(row as Judged<unknown>, valueAt(from, field), valueAt(to, field)),
  );
  const gates = compareGates(from, to);
  const watch = compareWatches(from.watch, to.watch);
  return [...own, ...gates, ...compareTiers(from, to, gates), ...compareChanges(from, to), ...watch];
}

/** What several edits do together: one that weakens is not made good by others. */
export function strengthOf(edits: readonly PolicyEdit[]): Strength {
  return (
    strengths.find((strength) => strength !== 'neutral' && edits.some((edit) => edit.strength === strength)) ??
    'neutral'
  );
}

function edited(row: Judged<unknown>, from: unknown, to: unknown, prefix = ''): readonly PolicyEdit[] {
  const [before, after] = [row.say(from), row.say(to)];
  if (before === after) return [];
  return [{ field: `${prefix}${row.name}`, from: before, to: after, strength: row.judge(from, to) }];
}

function valueAt(holder: object, field: string): unknown {
  return Reflect.get(holder, field);
}

function compareGates(from: Policy, to: Policy): readonly PolicyEdit[] {
  const edits = gateNames.flatMap((name) => compareRules(name, ruleOf(from, name), ruleOf(to, name)));
  const orderOf = (one: Policy, other: Policy) =>
    one.gates
      .map((rule) => rule.gate)
      .filter((name) => ruleOf(other, name) !== undefined)
      .join(', ');
  const [before, after] = [orderOf(from, to), orderOf(to, from)];
  // People look at what ran before them; in another order they may look at less.
  return before === after ? edits : [...edits, { field: 'gates', from: before, to: after, strength: 'weaker' }];
}

function compareRules(name: GateName, from: GateRule | undefined, to: GateRule | undefined): readonly PolicyEdit[] {
  if (from === undefined && to === undefined) return [];
  if (from === undefined) return [{ field: name, from: 'not asked', to: 'asked', strength: 'stronger' }];
  if (to === undefined) return [{ field: name, from: 'asked', to: 'not asked', strength: 'weaker' }];
  // Weights that were planned on both sides say nothing that their budgets do not.
  const planned = [from, to].every((rule) => rule.gate === 'canary' && rule.ramp !== undefined);
  return Object.entries(gateFields[name]).flatMap(([field, row]) =>
    planned && field === 'weights'
      ? []
      : edited(row as Judged<unknown>, valueAt(from, field), valueAt(to, field), `${name}.`),
  );
}

/** A tier that one side lacks is that side without a tier; what every prototype gets anyway is not told again. */
function compareTiers(from: Policy, to: Policy, common: readonly PolicyEdit[]): readonly PolicyEdit[] {
  const tiersOf = (policy: Policy): Readonly<Record<string, Tier>> => policy.tiers ?? {};
  const names = [...new Set([...Object.keys(tiersOf(from)), ...Object.keys(tiersOf(to))])].sort();
  const told = new Set(common.map((edit) => JSON.stringify(edit)));
  return names.flatMap((name) => {
    // Prototypes of a tier that only others have are refused: whatever that was before, it is no weaker now.
    if (to.tiers !== undefined && !(name in to.tiers))
      return [{ field: `tiers.${name}`, from: 'known', to: 'unknown', strength: 'stronger' as const }];
    return compareGates(atTier(from, name), atTier(to, name))
      .filter((edit) => !told.has(JSON.stringify(edit)))
      .map((edit) => ({ ...edit, field: `tiers.${name}.${edit.field}` }));
  });
}

/** What a change lets a promotion leave out: less is stronger. */
function compareChanges(from: Policy, to: Policy): readonly PolicyEdit[] {
  const leftOut = (policy: Policy, type: ChangeType) => {
    const again = policy.changes?.[type];
    return again === undefined ? [] : policy.gates.map((rule) => rule.gate).filter((name) => !again.includes(name));
  };
  const say = (names: readonly GateName[]) => (names.length === 0 ? 'all gates again' : `without ${names.join(', ')}`);
  return changeTypes.flatMap((type) =>
    edited(
      {
        name: `changes.${type}`,
        judge: (before, after) => compareSets(after as readonly GateName[], before as readonly GateName[]),
        say: (names) => say(names as readonly GateName[]),
      },
      leftOut(from, type),
      leftOut(to, type),
    ),
  );
}

/** More of the same is stronger; anything else is weaker, unless nothing differs. */
function compareSets<Item>(from: readonly Item[], to: readonly Item[]): Strength {
  const kept = from.every((item) => to.includes(item));
  if (!kept) return 'weaker';
  return to.every((item) => from.includes(item)) ? 'neutral' : 'stronger';
}

/** Whoever takes a window away lets versions go live in it; also one that is over, since this room knows no clock. */
function compareFreezes(from: Policy['freeze'], to: Policy['freeze']): Strength {
  return compareSets((from ?? []).map(sayFreeze), (to ?? []).map(sayFreeze));
}

function sayFreezes(windows: Policy['freeze']): string {
  return (windows ?? []).map(sayFreeze).join('; ') || 'none';
}

function sayFreeze({ zone, from, until, every }: NonNullable<Policy['freeze']>[number]): string {
  return `${from} to ${until} ${zone}${every === undefined ? '' : ` ${every}`}`;
}

function sayDemands(demands: readonly Demand[]): string {
  return demandWords(demands, ({ from, count }) => `${count} of ${from}`);
}

/** The new demands are as strong when nobody can meet them without meeting the old ones as well. */
function compareDemands(from: readonly Demand[], to: readonly Demand[]): Strength {
  if (!implies(to, from)) return 'weaker';
  return implies(from, to) ? 'neutral' : 'stronger';
}

/**
 * True when whoever meets `one` meets `other`, in whatever groups people are: each way of the first holds a whole way of
 * the second. People of one group each show that nothing less is enough.
 */
function implies(one: readonly Demand[], other: readonly Demand[]): boolean {
  const needs = distinctNeeds(other);
  return distinctNeeds(one).every((have) =>
    needs.some((need) => [...need].every(([from, count]) => (have.get(from) ?? 0) >= count)),
  );
}

/** Each way as how many people of which group; ways that ask for the same are one. */
function distinctNeeds(demands: readonly Demand[]): readonly ReadonlyMap<string, number>[] {
  const leaves = leavesOf(demands);
  const byWords = new Map<string, ReadonlyMap<string, number>>();
  for (const way of waysOf(demands)) {
    const need = new Map<string, number>();
    for (const leaf of way) {
      const { from = '', count = 0 } = leaves[leaf] ?? {};
      need.set(from, (need.get(from) ?? 0) + count);
    }
    byWords.set(JSON.stringify([...need].sort()), need);
  }
  return [...byWords.values()];
}
