import {
  type GroupNode,
  type Of,
  type Shape,
  type ShapeNode,
  choice,
  durationPattern,
  durationText,
  unitMs,
} from './shape.ts';

/** Where a value sits in the document, from the root. */
export type ProblemPath = readonly (string | number)[];

/** What can be wrong with a value; `unknown_key` is at the key, `missing` at the parent. */
export type ProblemCode = 'missing' | 'unknown_key' | 'wrong_type' | 'out_of_range' | 'not_allowed' | 'too_many';

/** One mistake, in words that need no knowledge of the code. */
export interface ShapeProblem {
  readonly code: ProblemCode;
  readonly path: ProblemPath;
  readonly message: string;
  readonly expected: string;
  readonly got: string;
}

/** The typed value, or all problems up to `problemsMax`. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ShapeProblem[] };

/** Enough to mend a document in one go, few enough for a prompt. */
export const problemsMax = 50;
/** Reads a plain value. Never throws for any input; reads own properties only. */
export function read<S extends Shape<unknown>>(shape: S, node: unknown): ReadResult<Of<S>> {
  const problems: ShapeProblem[] = [];
  const value = visit(shape, node, { path: [], problems });
  return problems.length > 0
    ? { ok: false, problems: problems.slice(0, problemsMax) }
    : { ok: true, value: value as Of<S> };
}

interface Place {
  readonly path: ProblemPath;
  readonly problems: ShapeProblem[];
}

function visit(shape: ShapeNode, node: unknown, place: Place): unknown {
  switch (shape.kind) {
    case 'list': {
      if (!Array.isArray(node)) return refuse(shape, node, place, 'wrong_type');
      if (node.length < shape.min || node.length > shape.max) return refuse(shape, node, place, 'out_of_range');
      return node.map((item, index) => visit(shape.of, item, below(place, index)));
    }
    case 'record': {
      if (!isPlain(node)) return refuse(shape, node, place, 'wrong_type');
      if (Object.keys(node).length > shape.max) return refuse(shape, node, place, 'out_of_range');
      return Object.fromEntries(Object.entries(node).map(([key, item]) => visitEntry(shape, { key, item }, place)));
    }
    case 'group':
      return isPlain(node) ? visitGroup(shape, node, place) : refuse(shape, node, place, 'wrong_type');
    case 'one-of': {
      if (!isPlain(node)) return refuse(shape, node, place, 'wrong_type');
      const words = choice(Object.keys(shape.cases));
      if (!Object.hasOwn(node, shape.key)) return refuseMissing(shape.key, words, place);
      const word = visit(words, node[shape.key], below(place, shape.key));
      const found = typeof word === 'string' ? shape.cases[word] : undefined;
      return found && visitGroup({ ...found, required: { [shape.key]: words, ...found.required } }, node, place);
    }
    default: {
      const result = leafResult(shape, node);
      return 'value' in result ? result.value : refuse(shape, node, place, result.code);
    }
  }
}

function visitEntry(
  shape: Extract<ShapeNode, { kind: 'record' }>,
  entry: { readonly key: string; readonly item: unknown },
  place: Place,
): [string, unknown] {
  const pattern = shape.keyPattern ?? '';
  if (!new RegExp(pattern, 'u').test(entry.key)) {
    const expected = `a name that matches ${pattern}`;
    report(below(place, entry.key), 'unknown_key', { expected, got: shown(entry.key) });
  }
  return [entry.key, visit(shape.of, entry.item, below(place, entry.key))];
}

function visitGroup(shape: GroupNode, node: Readonly<Record<string, unknown>>, place: Place): unknown {
  const fields = Object.entries({ ...shape.required, ...shape.optional });
  const known = fields.map(([name]) => name);
  const unknown = Object.keys(node).filter((name) => !known.includes(name));
  for (const key of unknown.slice(0, problemsMax)) {
    const near = nearest(key, known);
    const expected = near === undefined ? `one of ${known.join(', ')}` : `${near}, or no such line`;
    report(below(place, key), 'unknown_key', { expected, got: shown(key) });
  }
  const values = fields.flatMap(([name, field]): [string, unknown][] => {
    if (Object.hasOwn(node, name)) return [[name, visit(field, node[name], below(place, name))]];
    if (field.preset !== undefined) return [[name, visit(field, field.preset, below(place, name))]];
    if (Object.hasOwn(shape.required, name)) refuseMissing(name, field, place);
    return [];
  });
  return Object.fromEntries(values);
}

type Leaf = Exclude<ShapeNode, { kind: 'list' | 'record' | 'group' | 'one-of' }>;

function leafResult(shape: Leaf, node: unknown): { readonly value: unknown } | { readonly code: ProblemCode } {
  switch (shape.kind) {
    case 'text': {
      if (typeof node !== 'string') return { code: 'wrong_type' };
      const length = [...node].length;
      if (length < shape.min || length > shape.max) return { code: 'out_of_range' };
      const allowed = node.isWellFormed() && !node.includes('\0') && new RegExp(shape.pattern ?? '', 'u').test(node);
      return allowed ? { value: node } : { code: 'not_allowed' };
    }
    case 'integer':
    case 'number': {
      const countable = shape.kind === 'integer' ? Number.isSafeInteger(node) : Number.isFinite(node);
      if (typeof node !== 'number' || !countable) return { code: 'wrong_type' };
      const atBound = shape.exclusive === true && (node === shape.min || node === shape.max);
      return node < shape.min || node > shape.max || atBound ? { code: 'out_of_range' } : { value: node };
    }
    case 'flag':
      return typeof node === 'boolean' ? { value: node } : { code: 'wrong_type' };
    case 'choice':
      if (typeof node !== 'string') return { code: 'wrong_type' };
      return shape.choices.includes(node) ? { value: node } : { code: 'not_allowed' };
    case 'duration': {
      const match = typeof node === 'string' ? new RegExp(durationPattern, 'u').exec(node) : null;
      if (match === null) return { code: 'wrong_type' };
      const spanMs = Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
      return spanMs >= shape.minMs && spanMs <= shape.maxMs ? { value: spanMs } : { code: 'out_of_range' };
    }
  }
}

function refuse(shape: ShapeNode, node: unknown, place: Place, code: ProblemCode): undefined {
  const near = shape.kind === 'choice' && typeof node === 'string' ? nearest(node, shape.choices) : undefined;
  const expected = near === undefined ? expectation(shape) : `${expectation(shape)} (did you mean ${near}?)`;
  report(place, code, { expected, got: shown(node) });
}

function refuseMissing(name: string, shape: ShapeNode, place: Place): undefined {
  const purpose = shape.about === undefined ? '' : ` (${shape.about})`;
  report(below(place, name), 'missing', { expected: `${expectation(shape)}${purpose}`, got: 'nothing' });
}

function report(place: Place, code: ProblemCode, words: { readonly expected: string; readonly got: string }): void {
  const where = place.path.length === 0 ? 'the document' : pathText(place.path);
  const message = `${where}: expected ${words.expected}, got ${words.got}`;
  place.problems.push({ code, path: place.path, message, ...words });
}

function below(place: Place, step: string | number): Place {
  return { path: [...place.path, step], problems: place.problems };
}

function pathText(path: ProblemPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${step}`))
    .join('');
}

function isPlain(node: unknown): node is Readonly<Record<string, unknown>> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function expectation(shape: ShapeNode): string {
  switch (shape.kind) {
    case 'text':
      return `text of ${shape.min} to ${shape.max} characters${shape.pattern ? `: ${shape.meaning ?? shape.pattern}` : ''}`;
    case 'integer':
      return `a whole number${betweenText(shape)}`;
    case 'number':
      return `a number${betweenText(shape)}`;
    case 'flag':
      return 'true or false';
    case 'choice':
      return `one of ${shape.choices.join(', ')}`;
    case 'duration':
      return `a time between ${durationText(shape.minMs)} and ${durationText(shape.maxMs)} such as 30s, 5m or 7d`;
    case 'list':
      return `a list of ${shape.min} to ${shape.max} items`;
    case 'record':
      return `names with values, at most ${shape.max}`;
    case 'group':
      return `a group with ${Object.keys({ ...shape.required, ...shape.optional }).join(', ')}`;
    case 'one-of':
      return `a group whose ${shape.key} is one of ${Object.keys(shape.cases).join(', ')}`;
  }
}

function betweenText(bounds: { readonly min: number; readonly max: number; readonly exclusive?: true }): string {
  if (bounds.exclusive === true) return ` above ${bounds.min} and below ${bounds.max}`;
  const low = bounds.min > Number.MIN_SAFE_INTEGER;
  const high = bounds.max < Number.MAX_SAFE_INTEGER;
  if (low && high) return ` from ${bounds.min} to ${bounds.max}`;
  return low ? ` of at least ${bounds.min}` : high ? ` of at most ${bounds.max}` : '';
}

function shown(node: unknown): string {
  if (node === undefined || node === null) return 'nothing';
  if (Array.isArray(node)) return `a list of ${node.length}`;
  if (typeof node === 'object') return 'a group';
  // A wrong value is quoted in part only: documents are shown in prompts, and long text there helps nobody.
  if (typeof node === 'string') return JSON.stringify(node.length > 40 ? `${node.slice(0, 37)}...` : node);
  return typeof node === 'number' || typeof node === 'boolean' ? `${node}` : 'something else';
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((name) => ({ name, distance: mistakes(word.slice(0, 60), name) }));
  const best = ranked.sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

/** Letters in the wrong order are one slip of the fingers. */
function mistakes(word: string, name: string): number {
  return [...word].sort().join('') === [...name].sort().join('') ? 1 : editDistance(word, name);
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
