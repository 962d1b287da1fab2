/** A cell that is longer than this is shortened: a table that wraps is no table. */
const CELL_LENGTH_MAX = 90;

/** Rows under headings, aligned by spaces, without lines: easy on the eye and for grep. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(plain))];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))));
  return cells
    .map((row) =>
      widths
        .map((wide, column) => pad(row[column] ?? '', wide))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values one below the other. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const wide = Math.max(0, ...pairs.map(([name]) => width(name)));
  return pairs.map(([name, value]) => `${pad(name, wide)}  ${plainLine(value)}`.trimEnd()).join('\n');
}

/** Text from outside without control characters, so that no answer can move the cursor or change a colour. */
export function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

function plain(text: string): string {
  const line = plainLine(text);
  return width(line) <= CELL_LENGTH_MAX ? line : `${[...line].slice(0, CELL_LENGTH_MAX - 1).join('')}…`;
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, wide: number): string {
  return text + ' '.repeat(Math.max(0, wide - width(text)));
}

/** A digest or hash short enough to read aloud. */
export function short(digest: string | null | undefined): string {
  return digest ? digest.replace(/^sha256:/, '').slice(0, 12) : '–';
}
