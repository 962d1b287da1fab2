/** What stands where a line stood. */
const LINE_MARK = '[a line with a secret of the lane was withheld]';
const BLANK = '*'.charCodeAt(0);
/** Lines of a longer value, such as a key in several lines, are looked for one by one when they are this long. */
const LINE_LENGTH_MIN = 8;

/** How values may look in what a release says: as they are, line by line, inside JSON, inside an address, encoded. */
export function formsOf(values: readonly string[]): readonly string[] {
  const forms = values.flatMap((value) => [
    value,
    ...value.split(/\r?\n/),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
  ]);
  // The longest first: what is part of another must not leave its rest behind.
  return [...new Set(forms)].filter((form) => form.length >= LINE_LENGTH_MIN).sort((a, b) => b.length - a.length);
}

/** The text without the lines in which one of the forms stands. */
export function withoutLines(text: string, forms: readonly string[]): string {
  if (forms.length === 0 || !forms.some((form) => text.includes(form))) return text;
  // A form with line breaks in it covers lines that do not show it one by one.
  const whole = forms
    .filter((form) => form.includes('\n'))
    .reduce((rest, form) => rest.replaceAll(form, LINE_MARK), text);
  const lines = whole.split('\n').map((line) => (forms.some((form) => line.includes(form)) ? LINE_MARK : line));
  return lines.join('\n');
}

/** Overwrites each form with as many stars, in place: lengths that were announced stay true. */
export function blank(bytes: Buffer, forms: readonly Buffer[]): void {
  for (const form of forms) {
    for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + form.length))
      bytes.fill(BLANK, at, at + form.length);
  }
}
