import ts from 'typescript';
import { type Finding, lineAt, type Source, visit } from './source.ts';

/** Tests run when nobody looks: one that is switched off or alone is a hole nobody sees. */
export function testForm(source: Source): Finding[] {
  if (!source.isTest) return [];
  const findings: Finding[] = [];
  visit(source, (node) => {
    if (!ts.isCallExpression(node)) return;
    const callee = node.expression.getText(source.tree);
    const line = lineAt(source, node.getStart(source.tree));
    const add = (rule: string, message: string) => findings.push({ path: source.path, line, rule, message });
    if (/^(x(it|test|describe)|f(it|describe))$|^(it|test|describe)\b.*\.(only|skip|todo)\b/.test(callee)) {
      add('skipped-test', `expected every test to run, got ${callee}`);
    }
    if (/^jest\.(mock|spyOn|unstable_mockModule)$|\.toHaveBeenCalled(Times|With)?$/.test(callee)) {
      add('mock', `expected a fake that speaks the real protocol, got ${callee}`);
    }
    if (callee === 'expect' && /^\(?(true|1)\)?$/.test(node.arguments[0]?.getText(source.tree) ?? '')) {
      add('empty-test', 'expected something that can fail, got expect(true)');
    }
  });
  return findings;
}

/** `any` turns the compiler off for all that it touches. */
export function noAny(source: Source): Finding[] {
  const findings: Finding[] = [];
  visit(source, (node) => {
    if (node.kind !== ts.SyntaxKind.AnyKeyword) return;
    const line = lineAt(source, node.getStart(source.tree));
    findings.push({ path: source.path, line, rule: 'any', message: 'expected a type or unknown, got any' });
  });
  return findings;
}

/** An app's config.ts parses the environment and its main.ts hands it over; beside them only tests and tools read it. */
const ENVIRONMENT_READERS = /^(apps\/[^/]+\/src\/(config|main)\.ts$|e2e\/|bench\/|tools\/|deploy\/|libs\/testkit\/)/;

/** The environment is a hidden argument: it is parsed once, at the edge. */
export function environment(source: Source): Finding[] {
  if (source.isTest || ENVIRONMENT_READERS.test(source.path)) return [];
  const findings: Finding[] = [];
  visit(source, (node) => {
    if (!ts.isPropertyAccessExpression(node) || node.getText(source.tree) !== 'process.env') return;
    const line = lineAt(source, node.getStart(source.tree));
    findings.push({ path: source.path, line, rule: 'environment', message: "expected an app's config.ts to read it" });
  });
  return findings;
}

/** Nothing in the product knows the examples: neither their folder nor, as a word by itself, one of their names. */
export function knowsExamples(names: readonly string[]): (source: Source) => Finding[] {
  return (source) => {
    if (!/^(apps|libs)\//.test(source.path)) return [];
    const folder = ['examples', ''].join('/');
    const findings = source.lines.flatMap((text, at) => (text.includes(folder) ? [at + 1] : []));
    visit(source, (node) => {
      if (!ts.isStringLiteralLike(node) || !names.includes(node.text)) return;
      findings.push(lineAt(source, node.getStart(source.tree)));
    });
    return findings.map((line) => ({
      path: source.path,
      line,
      rule: 'knows-examples',
      message: 'expected the product not to know its examples',
    }));
  };
}
