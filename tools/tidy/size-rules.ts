import ts from 'typescript';
import { type Finding, lineAt, type Source, visit } from './source.ts';

/** Above this a function is no longer read in one look; style.md's hard limit, with no exceptions. */
export const FUNCTION_LINES_MAX = 70;
/** The same for a file. */
export const FILE_LINES_MAX = 400;

/** A file that is too long to be about one thing. */
export function fileLength({ path, lines }: Source): Finding[] {
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  if (count <= FILE_LINES_MAX) return [];
  return [{ path, line: 1, rule: 'file-length', message: `expected at most ${FILE_LINES_MAX} lines, got ${count}` }];
}

/** A function that is too long; `describe` is a heading and not a function. */
export function functionLength(source: Source): Finding[] {
  const findings: Finding[] = [];
  visit(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isDescribe(node)) return;
    const first = lineAt(source, node.getStart(source.tree));
    const count = lineAt(source, node.getEnd()) - first + 1;
    if (count <= FUNCTION_LINES_MAX) return;
    const message = `expected at most ${FUNCTION_LINES_MAX} lines, got ${count}`;
    findings.push({ path: source.path, line: first, rule: 'function-length', message });
  });
  return findings;
}

function isDescribe(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}
