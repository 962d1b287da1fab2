import { type Of, type ProblemCode, type ProblemPath, type Shape, type ShapeProblem, read } from '@proviso/domain';
import { type Document, LineCounter, type Pair, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';

/** What can be wrong with a document: its bytes, its syntax, or a value against its shape. */
export type YamlProblemCode = ProblemCode | 'too_large' | 'not_text' | 'syntax' | 'not_supported';

/** One mistake at its place; line and column count from 1. */
export interface YamlProblem {
  readonly code: YamlProblemCode;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** The typed value, or where and what to mend. */
export type YamlResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] };

/** A document for people is far smaller; the bound keeps parsing hostile text short. */
export const yamlBytesMax = 256 * 1024;

/** Syntax errors repeat themselves; more than this many help nobody. */
const syntaxProblemsMax = 10;

/**
 * Reads one YAML 1.2 document against a shape. What makes YAML dangerous or ambiguous is refused with its place:
 * aliases, own tags, a second document, the same key twice, keys that are not words. Never throws for any input. `sense`
 * tells what is wrong with the value as a whole, which a shape cannot say.
 */
export function readYaml<S extends Shape<unknown>>(
  source: string | Uint8Array,
  shape: S,
  sense: (value: Of<S>) => readonly ShapeProblem[] = () => [],
): YamlResult<Of<S>> {
  const bytes = typeof source === 'string' ? Buffer.from(source) : source;
  if (bytes.byteLength > yamlBytesMax) {
    return refusedWhole('too_large', `expected at most ${yamlBytesMax} bytes, got ${bytes.byteLength}`);
  }
  const text = decoded(bytes);
  if (text === null) return refusedWhole('not_text', 'expected UTF-8 text, got other bytes');
  try {
    return readText(text, { shape, sense });
  } catch (error) {
    // The parser recurses; only a document that is built to do so runs it out of stack.
    if (error instanceof RangeError) return refusedWhole('not_supported', 'expected fewer levels, got too many');
    throw error;
  }
}

function readText<S extends Shape<unknown>>(
  text: string,
  { shape, sense }: { readonly shape: S; readonly sense: (value: Of<S>) => readonly ShapeProblem[] },
): YamlResult<Of<S>> {
  const lineCounter = new LineCounter();
  // The parser's own search for the same key twice takes quadratic time, seconds for a hostile file; ours is linear.
  const options = { version: '1.2', schema: 'core', strict: true, uniqueKeys: false, prettyErrors: false } as const;
  const document = parseDocument(text, { ...options, lineCounter, logLevel: 'error' });
  const problems = documentProblems(document, lineCounter);
  if (problems.length > 0) return { ok: false, problems };
  const result = read(shape, document.toJS({ maxAliasCount: 0 }));
  const found = result.ok ? sense(result.value) : result.problems;
  if (result.ok && found.length === 0) return result;
  return {
    ok: false,
    problems: found.map(({ code, path, message }) => {
      return { code, message, ...placeOf(lineCounter, offsetOf(document, path, code)) };
    }),
  };
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function documentProblems(document: Document, lines: LineCounter): readonly YamlProblem[] {
  // A warning is an unknown tag or directive: its meaning would be a guess, so it counts as an error.
  const syntax = [...document.errors, ...document.warnings].slice(0, syntaxProblemsMax).map((error) => ({
    code: 'syntax' as const,
    message: `expected plain YAML, got ${error.message}`,
    ...placeOf(lines, error.pos[0]),
  }));
  if (syntax.length > 0) return syntax;
  const unsupported: YamlProblem[] = [];
  const refuse = (node: unknown, got: string): void => {
    unsupported.push({
      code: 'not_supported',
      message: `expected plain values, got ${got}`,
      ...placeOf(lines, startOf(node) ?? 0),
    });
  };
  visit(document, {
    Alias: (_, node) => refuse(node, 'an alias'),
    Map: (_, node) => {
      const seen = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key) || typeof key.value !== 'string') refuse(key, 'a key that is not a word');
        else if (seen.size === seen.add(key.value).size) refuse(key, 'the same key twice');
      }
    },
  });
  return unsupported.slice(0, syntaxProblemsMax);
}

/** The deepest place of the path that exists: at a scalar its value, at a group its key, so that the line can be found. */
function offsetOf(document: Document, path: ProblemPath, code: ProblemCode): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    }
  }
  return code !== 'unknown_key' && isScalar(node) && node.value !== null ? (startOf(node) ?? offset) : offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function placeOf(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function refusedWhole(
  code: YamlProblemCode,
  message: string,
): { readonly ok: false; readonly problems: YamlProblem[] } {
  return { ok: false, problems: [{ code, message, line: 1, column: 1 }] };
}
