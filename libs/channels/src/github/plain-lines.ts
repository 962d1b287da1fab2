import { type Bulletin, isAsking } from '../bulletin.ts';
import { type GitHubCheck, githubMessage } from './message.ts';

/**
 * What whoever is asked would read on the check run of a commit, for a place without GitHub; null while nobody is asked.
 * Documents are left out: they are many.
 */
export function githubAsking(bulletin: Bulletin): readonly string[] | null {
  if (!isAsking(bulletin.ask)) return null;
  const brief = { ...bulletin, checks: bulletin.checks.map((check) => ({ ...check, evidence: [] })) };
  const copy = { key: `${bulletin.promotion}/check`, token: '', address: null, postingSince: null };
  const message = githubMessage(copy, brief);
  return message?.kind === 'check' ? checkLines(message) : null;
}

/** What of a check run is read. */
type ReadCheck = Pick<GitHubCheck, 'name' | 'title' | 'summary'> & {
  readonly actions: readonly { readonly label: string }[];
};

/** A check run as lines for a terminal: its name and title, its text, and what can be pressed in brackets. */
export function checkLines({ name, title, summary, actions }: ReadCheck): readonly string[] {
  const pressable = actions.map(({ label }) => `[${label}]`).join(' ');
  return [`${name}: ${title}`, ...markdownLines(summary), ...(pressable === '' ? [] : [pressable])];
}

/** Markdown of ours as lines for a terminal: links with their addresses, and nothing of what only marks it up or is not seen. */
export function markdownLines(body: string): readonly string[] {
  const parts = body.replaceAll(/^<!--.*-->$/gm, '').split(/^```.*$/m);
  // Every other part stands between fences: there a word is what it is.
  const lines = parts.flatMap((part, index) => part.split('\n').map((line) => (index % 2 === 1 ? line : plain(line))));
  return lines.filter((line) => line !== '');
}

function plain(line: string): string {
  return line.replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, '$1 $2').replaceAll(/\*\*|`/g, '');
}
