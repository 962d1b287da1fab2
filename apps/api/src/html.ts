/** A piece of a page whose letters are safe to send: made by `html` alone, which escapes all that it is given. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | null | false | readonly Html[];

/**
 * Writes a piece of a page. Names, reasons and files are strangers' words: whatever is not itself a piece is escaped, in
 * text and in quoted attributes alike.
 */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: pieces.map((piece, index) => `${piece}${textOf(parts[index] ?? null)}`).join('') };
}

function textOf(part: Part): string {
  if (part === null || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  if ('html' in part) return part.html;
  return part.map(({ html: text }) => text).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Marks that turn the direction of writing could make a refused file look approved; they are shown as what they are. */
function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? '')
    .replaceAll(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, '\u{fffd}');
}
