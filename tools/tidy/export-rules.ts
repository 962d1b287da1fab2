import ts from 'typescript';
import { type Finding, lineAt, type Source } from './source.ts';

/** Tools that load a file by its default export: nothing of ours imports these. */
const DEFAULT_WANTED = /(\.config\.(ts|mjs)|\/jest-(setup|teardown|environment)\.(ts|mjs))$/;

/** `export *`, default exports, and index files: what a room offers is a list of names one can read. */
export function exportForm(source: Source): Finding[] {
  const findings: Finding[] = [];
  const add = (node: ts.Node, rule: string, message: string) =>
    findings.push({ path: source.path, line: lineAt(source, node.getStart(source.tree)), rule, message });
  for (const statement of source.tree.statements) {
    if (ts.isExportDeclaration(statement) && !(statement.exportClause && ts.isNamedExports(statement.exportClause))) {
      add(statement, 'export-star', 'expected the names one by one, got export *');
    }
    if (isDefaultExport(statement) && !DEFAULT_WANTED.test(source.path)) {
      add(statement, 'default-export', 'expected a named export, got a default one');
    }
  }
  return [...findings, ...indexForm(source)];
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
    return statement.exportClause.elements.some(({ name }) => name.text === 'default');
  }
  return hasModifier(statement, ts.SyntaxKind.DefaultKeyword);
}

function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === kind);
}

function indexForm(source: Source): Finding[] {
  if (!/(^|\/)index\.ts$/.test(source.path)) return [];
  const { path } = source;
  if (!/^libs\/[^/]+\/src\/index\.ts$/.test(path)) {
    return [{ path, line: 1, rule: 'index-place', message: "expected index.ts at a lib's src root only" }];
  }
  const stray = source.tree.statements.find((statement) => !ts.isExportDeclaration(statement));
  if (!stray) return [];
  const line = lineAt(source, stray.getStart(source.tree));
  return [{ path, line, rule: 'index-form', message: 'expected a list of exported names and nothing else' }];
}

/** Every exported name says why it is there. */
export function exportComment(source: Source): Finding[] {
  if (source.isTest || /\.config\.(ts|mjs)$/.test(source.path)) return [];
  return source.tree.statements
    .filter((statement) => hasModifier(statement, ts.SyntaxKind.ExportKeyword))
    .filter((statement) => !isLaterOverload(source, statement))
    .filter((statement) => !ts.getLeadingCommentRanges(source.text, statement.getFullStart())?.length)
    .map((statement) => ({
      path: source.path,
      line: lineAt(source, statement.getStart(source.tree)),
      rule: 'export-comment',
      message: 'expected a comment on an exported name',
    }));
}

/** The comment stands on the first signature of an overloaded function. */
function isLaterOverload(source: Source, statement: ts.Statement): boolean {
  const before = source.tree.statements[source.tree.statements.indexOf(statement) - 1];
  if (!before || !ts.isFunctionDeclaration(before) || !ts.isFunctionDeclaration(statement)) return false;
  return before.body === undefined && before.name?.text === statement.name?.text;
}
