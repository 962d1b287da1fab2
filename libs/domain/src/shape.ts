/**
 * One closed vocabulary that describes a YAML document once. From a shape come the typed value, the problems with their
 * paths, and the JSON Schema, so that the three cannot drift apart. The input is a plain value; the YAML adapter in
 * `gates` turns a path into a line and a column.
 */
export type Shape<T> = ShapeNode & { readonly [valueOf]?: T };

/** The value that a shape reads to. */
export type Of<S extends { readonly [valueOf]?: unknown }> = Exclude<S[typeof valueOf], undefined>;

declare const valueOf: unique symbol;

type Fields = Readonly<Record<string, Shape<unknown>>>;

/** The closed union behind every shape; `read` and `toJsonSchema` are total matches over its kind. */
export type ShapeNode = (
  | {
      readonly kind: 'text';
      readonly min: number;
      readonly max: number;
      readonly pattern?: string;
      readonly meaning?: string;
    }
  | {
      readonly kind: 'integer' | 'number';
      readonly min: number;
      readonly max: number;
      /** The bounds themselves are refused too. */
      readonly exclusive?: true;
    }
  | { readonly kind: 'flag' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'duration'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'list'; readonly of: Shape<unknown>; readonly min: number; readonly max: number }
  | { readonly kind: 'record'; readonly of: Shape<unknown>; readonly max: number; readonly keyPattern?: string }
  | GroupNode
  | { readonly kind: 'one-of'; readonly key: string; readonly cases: Readonly<Record<string, GroupNode>> }
) & { readonly about?: string; readonly preset?: unknown };

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** A shape of named fields. */
export interface GroupNode {
  readonly kind: 'group';
  readonly required: Fields;
  readonly optional: Fields;
}

type PresetKeys<O extends Fields> = { [K in keyof O]: O[K] extends { readonly preset: unknown } ? K : never }[keyof O];

type GroupValue<R extends Fields, O extends Fields> = { readonly [K in keyof R]: Of<R[K]> } & {
  readonly [K in PresetKeys<O>]: Of<O[K]>;
} & { readonly [K in Exclude<keyof O, PresetKeys<O>>]?: Of<O[K]> };

/** Longest text without a bound of its own; documents are for people. */
const textLengthMaxDefault = 2_000;
/** Most items of a list or record without a bound of its own: a larger one is data, not a document. */
const itemsMaxDefault = 1_000;
/** A longer wait than a leap year is a mistake in the unit. */
const durationMsMaxDefault = 366 * 86_400_000;
/** What each unit of a duration stands for. */
export const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** How a duration is written. */
export const durationPattern = '^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$';

/** Text of bounded length; `meaning` says the pattern in words. */
export function text(bounds: Bounds & { readonly pattern?: string; readonly meaning?: string } = {}): Shape<string> {
  return { kind: 'text', min: 0, max: textLengthMaxDefault, ...bounds };
}

/** A whole number within safe bounds. */
export function integer(bounds: Bounds = {}): Shape<number> {
  return { kind: 'integer', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, ...bounds };
}

/** A finite number; `exclusive` refuses the bounds themselves. */
export function number(bounds: Bounds & { readonly exclusive?: true } = {}): Shape<number> {
  return { kind: 'number', min: -Number.MAX_VALUE, max: Number.MAX_VALUE, ...bounds };
}

/** true or false; the words yes and no are text in YAML 1.2 and refused. */
export function flag(): Shape<boolean> {
  return { kind: 'flag' };
}

/** One word out of a closed list. */
export function choice<const C extends string>(choices: readonly C[]): Shape<C> {
  return { kind: 'choice', choices };
}

/** A time span such as `30s` or `7d`, read to milliseconds. */
export function duration(bounds: { readonly minMs?: number; readonly maxMs?: number } = {}): Shape<number> {
  return { kind: 'duration', minMs: 0, maxMs: durationMsMaxDefault, ...bounds };
}

/** A list of one kind of item. */
export function list<S extends Shape<unknown>>(of: S, bounds: Bounds = {}): Shape<readonly Of<S>[]> {
  return { kind: 'list', of, min: 0, max: itemsMaxDefault, ...bounds };
}

/** Free keys with one kind of value. */
export function record<S extends Shape<unknown>>(
  of: S,
  bounds: { readonly keyPattern?: string; readonly max?: number } = {},
): Shape<Readonly<Record<string, Of<S>>>> {
  return { kind: 'record', of, max: itemsMaxDefault, ...bounds };
}

/** Named fields; any other key is refused, so that a misspelt one cannot be silently without effect. */
export function group<const R extends Fields, const O extends Fields = Record<never, never>>(
  required: R,
  optional?: O,
): Shape<GroupValue<R, O>> & GroupNode {
  return { kind: 'group', required, optional: optional ?? {} };
}

/** One of several groups, told apart by the word under `key`. */
export function oneOf<const K extends string, const C extends Readonly<Record<string, Shape<unknown> & GroupNode>>>(
  key: K,
  cases: C,
): Shape<{ [N in keyof C]: { readonly [P in K]: N } & Of<C[N]> }[keyof C]> {
  return { kind: 'one-of', key, cases };
}

/** Gives an optional field the value it has when it is absent, written as it would stand in the document. */
export function preset<S extends Shape<unknown>>(shape: S, input: unknown): S & { readonly preset: unknown } {
  return { ...shape, preset: input };
}

/** Says what a field is for; editors show it through the JSON Schema, and problems say it when the field is missing. */
export function about<S extends Shape<unknown>>(shape: S, words: string): S {
  return { ...shape, about: words };
}

/** A span as it would be written: in the largest unit that divides it. */
export function durationText(spanMs: number): string {
  const unit = Object.keys(unitMs).findLast((name) => spanMs > 0 && spanMs % (unitMs[name] ?? 1) === 0) ?? 'ms';
  return `${spanMs / (unitMs[unit] ?? 1)}${unit}`;
}
