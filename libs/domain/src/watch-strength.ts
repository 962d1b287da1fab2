import type { Judged, PolicyEdit, Strength } from './policy-strength.ts';
import { durationText } from './shape.ts';
import { type WatchAction, type WatchCheck, type WatchRule, watchChecks } from './watch-rule.ts';

type FieldsOf<Check extends WatchCheck> = {
  readonly [Field in keyof NonNullable<WatchRule[Check]>]-?: Judged<NonNullable<WatchRule[Check]>[Field]>;
};

const higher = (from: number, to: number): Strength => (to > from ? 'stronger' : to < from ? 'weaker' : 'neutral');
const lower = (from: number, to: number): Strength => higher(to, from);
const figure = (name: string, judge: Judged<number>['judge']): Judged<number> => ({ name, judge, say: String });

/** How much each order takes from the release: whether its users get the one before under one word or another is the same. */
const weightOf: Readonly<Record<WatchAction, number>> = { note: 0, hold: 1, demote: 2, rollback: 2 };
const order: Judged<WatchAction> = {
  name: 'do',
  judge: (from, to) => higher(weightOf[from], weightOf[to]),
  say: String,
};

/** Which way each field of each check points: a closed table, as that of the gates. */
export const watchFields: { readonly [Check in WatchCheck]: FieldsOf<Check> } = {
  owner: { do: order },
  review: { do: order, afterMs: { name: 'after', judge: lower, say: durationText } },
  cost: { do: order, capPerDay: figure('capPerDay', lower) },
  errorBudget: { do: order, burnMax: figure('burnMax', lower) },
  scan: { do: order },
  evaluation: { do: order, below: figure('below', higher) },
  drift: { do: order, psiMax: figure('psiMax', lower) },
};

/** Every field of the watch in which two versions differ: what is looked at more, or more often, is stronger. */
export function compareWatches(from: WatchRule | undefined, to: WatchRule | undefined): readonly PolicyEdit[] {
  const often = from !== undefined && to !== undefined ? everyEdit(from.everyMs, to.everyMs) : [];
  return [...often, ...watchChecks.flatMap((check) => checkEdits(check, from?.[check], to?.[check]))];
}

function everyEdit(from: number, to: number): readonly PolicyEdit[] {
  if (from === to) return [];
  return [{ field: 'watch.every', from: durationText(from), to: durationText(to), strength: lower(from, to) }];
}

function checkEdits(check: WatchCheck, from: object | undefined, to: object | undefined): readonly PolicyEdit[] {
  if (from === undefined && to === undefined) return [];
  const field = `watch.${check}`;
  if (from === undefined) return [{ field, from: 'not watched', to: 'watched', strength: 'stronger' }];
  if (to === undefined) return [{ field, from: 'watched', to: 'not watched', strength: 'weaker' }];
  return Object.entries(watchFields[check]).flatMap(([name, row]) => {
    const { name: said, judge, say } = row as Judged<unknown>;
    const [before, after]: readonly unknown[] = [Reflect.get(from, name), Reflect.get(to, name)];
    if (before === after) return [];
    return [{ field: `${field}.${said}`, from: say(before), to: say(after), strength: judge(before, after) }];
  });
}
