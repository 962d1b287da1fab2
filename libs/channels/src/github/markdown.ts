import { inert } from '../inert.ts';

/**
 * Words that may be a stranger's, where GitHub reads Markdown. Inside of code nothing is a mention, a link, an image, an
 * issue or HTML, and there is one way out of it, which is a backtick.
 */
export function code(text: string, max?: number): string {
  const words = inert(text, max).replaceAll('`', "'");
  // An empty pair of backticks would be the beginning of another.
  return `\`${words === '' ? '–' : words}\``;
}

/** Several lines of such words; empty when there are none. */
export function codeLines(lines: readonly string[], max?: number): string {
  const words = lines.map((line) => inert(line, max).replaceAll('`', "'")).filter((line) => line !== '');
  return words.length === 0 ? '' : ['```text', ...words, '```'].join('\n');
}

/** An address of ours under words of ours. */
export function link(url: string, words: string): string {
  const address = new URL(url).href.replaceAll('(', '%28').replaceAll(')', '%29');
  return `[${words}](${address})`;
}
