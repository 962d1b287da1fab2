import { basename } from 'node:path';
import ts from 'typescript';
import { type Finding, lineAt, type Source, visit } from './source.ts';

/** Words that name no thing: what lies under them is a missing noun. */
const HOMELESS = /^(utils?|helpers?|common|shared|misc|types|manager|base)$/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** Suffixes that a tool looks for; any other dot in a name is a second naming scheme. */
const SUFFIX = /(\.(controller|workflow|test|contract|config|generated|generate|d))+$/;

/** File and folder names: kebab-case nouns. */
export function fileName({ path }: Source): Finding[] {
  const findings: Finding[] = [];
  const add = (message: string) => findings.push({ path, line: 1, rule: 'file-name', message });
  const stem = basename(path)
    .replace(/\.(tsx?|mjs)$/, '')
    .replace(SUFFIX, '');
  if (!KEBAB.test(stem)) add(`expected a kebab-case name, got ${stem}`);
  const folders = path.split('/').slice(1, -1);
  const homeless = [...folders, stem, stem.split('-').at(-1) ?? ''].find((word) => HOMELESS.test(word));
  if (homeless) add(`expected a noun of the glossary, got ${homeless}`);
  return findings;
}

/** No `I` before an interface and no `Impl` after a class: the name is the thing. */
export function declarationName(source: Source): Finding[] {
  const findings: Finding[] = [];
  visit(source, (node) => {
    if (!(ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node))) return;
    const name = node.name?.text ?? '';
    if (!/^I[A-Z][a-z]|Impl$/.test(name)) return;
    const line = lineAt(source, node.getStart(source.tree));
    findings.push({ path: source.path, line, rule: 'declaration-name', message: `expected a plain noun, got ${name}` });
  });
  return findings;
}
