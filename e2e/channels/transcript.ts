/** Told lines with everything replaced that is another at each run: times, figures of live traffic, digests and ids. */
export function steady(line: string): string {
  return (
    line
      // Where a sentence is cut depends on its figures.
      .replace(/: new \d(?:.*?(?= Users are on [^…]*$)|.*)/, ': <figures>')
      .replaceAll(/\b\d{1,2} [A-Z][a-z]{2} \d{2}:\d{2}\b/g, '<time>')
      .replaceAll(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{2}:\d{2}\b/g, '<time>')
      .replaceAll(/\b\d{2}:\d{2}\b/g, '<time>')
      .replaceAll(/\b[0-9a-f]{12}\b/g, '<digest>')
      .replaceAll(/https?:\/\/\S+/g, '<address>')
  );
}

/** A canary that ends ends its promotion: its own step is told only if somebody looks in between. */
export function withoutCanaryStep(lines: readonly string[]): readonly string[] {
  const isStep = (index: number): boolean =>
    lines[index]?.endsWith(', in the thread') === true && lines[index + 1]?.startsWith('  Canary: ') === true;
  return lines.filter((_, index) => !isStep(index) && !isStep(index - 1));
}
