import { parseAllDocuments } from 'yaml';

/**
 * What is wrong with an action or a workflow. An expression in a script is filled in before the shell reads it, so that
 * whoever names a branch writes the script; and what is not pinned by a commit can be another program tomorrow.
 */
export function complaintsAbout(text: string): readonly string[] {
  const found: string[] = [];
  for (const document of parseAllDocuments(text)) look(document.toJS(), found);
  for (const [line] of text.matchAll(/^.*\buses:.*$/gm))
    if (!/uses: (\.\/[\w./-]+|[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d[\w.]*)$/.test(line.trim().replace(/^- /, '')))
      found.push(`expected a whole commit and its version, got ${line.trim()}`);
  return found;
}

function look(value: unknown, found: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'run' && typeof inner === 'string' && inner.includes('${{'))
      found.push(`expected a script without expressions, got ${inner}`);
    look(inner, found);
  }
}
