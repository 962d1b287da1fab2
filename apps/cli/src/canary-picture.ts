import type { Look, Looks } from '@proviso/client';

/** A series with what its evidence is measured by. */
export interface CanarySeries {
  readonly points: readonly Look[];
  readonly thresholds: NonNullable<Looks['thresholds']>;
}

/** Narrower than this no curve is told from another. */
const columnsMin = 40;

/** Even odds and the higher threshold lie on rows of their own; two rows are below even, one above the threshold. */
const rows = 9;
const even = 2;
const gutter = 6;

/**
 * A canary as a picture of text: its share, its samples and its evidence over time. The evidence stands on a log scale with
 * both thresholds drawn, and a point lies on a threshold's line or above it only when it has crossed it.
 */
export function canaryPicture(
  { points, thresholds }: CanarySeries,
  { columns, color }: { readonly columns: number; readonly color: boolean },
): readonly string[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || columns < columnsMin) return [];
  // One column is left free: a line that fills the last one wraps on some terminals.
  const wide = columns - gutter - 2;
  const shown = byColumn(points, wide);
  const scale = scaleOf(thresholds);
  const chart = Array.from({ length: rows }, (_, index) => {
    const row = rows - 1 - index;
    const cells = shown.map((point) => glyphAt(point, row, scale)).map((glyph) => painted(glyph, color));
    return `${labelOf(row, scale).padStart(gutter)}${lineOf(cells, row, scale)}`.trimEnd();
  });
  return [
    `${'share'.padEnd(gutter)} ${last.weight} %`,
    `${'new'.padEnd(gutter)} ${unitsWords(last.samples.canary)}`,
    ...(last.samples.stable.units === 0 ? [] : [`${'before'.padEnd(gutter)} ${unitsWords(last.samples.stable)}`]),
    '',
    `${painted('x', color)} worse ${evidenceWords(last.evidence.against)}, ${painted('o', color)} safe ${evidenceWords(last.evidence.advance)} (log scale)`,
    ...chart,
    `${'share'.padStart(gutter)} ${shown.map((point) => (point === undefined ? ' ' : barOf(point.weight))).join('')}`.trimEnd(),
    timesOf(first, last, wide),
    ...metricsOf(last, columns),
  ];
}

/** One look as a line, where nothing can be redrawn. */
export function canaryLine(point: Look, thresholds: CanarySeries['thresholds']): string {
  const { weight, samples, evidence, words } = point;
  const before = samples.stable.units === 0 ? '' : `, before ${unitsWords(samples.stable)}`;
  const worse = `worse ${evidenceWords(evidence.against)} of ${evidenceWords(thresholds.rollback)}`;
  const safe = `safe ${evidenceWords(evidence.advance)} of ${evidenceWords(thresholds.advance)}`;
  const [finding = ''] = words.split(':');
  return `${weight} %: new ${unitsWords(samples.canary)}${before}; ${worse}, ${safe}; ${finding}`;
}

/** Evidence as a person reads it: how many times as likely, from ln E. */
export function evidenceWords(log: number | null): string {
  if (log === null) return 'unknown';
  const tens = log / Math.LN10;
  if (Math.abs(tens) >= 4) return `10^${Math.round(tens)}`;
  return String(Number(Math.exp(log).toPrecision(2)));
}

/** Where what lies; thresholds have rows of their own. */
interface Scale {
  readonly step: number;
  readonly rollback: { readonly log: number; readonly row: number };
  readonly advance: { readonly log: number; readonly row: number };
}

function scaleOf({ rollback, advance }: CanarySeries['thresholds']): Scale {
  const step = Math.max(rollback, advance) / (rows - 2 - even);
  const at = (log: number) => ({ log, row: even + Math.round(log / step) });
  return { step, rollback: at(rollback), advance: at(advance) };
}

function rowOf(log: number, { step }: Scale, threshold: Scale['rollback']): number {
  const row = Math.min(rows - 1, Math.max(0, even + Math.round(log / step)));
  return log >= threshold.log ? Math.max(row, threshold.row) : Math.min(row, threshold.row - 1);
}

/** The last look of each stretch of time; a stretch without one stays empty, so that a gap is seen. */
function byColumn(points: readonly Look[], wide: number): readonly (Look | undefined)[] {
  const [from, to] = [Date.parse(points[0]?.at ?? ''), Date.parse(points.at(-1)?.at ?? '')];
  const shown: (Look | undefined)[] = Array.from({ length: wide }, () => undefined);
  for (const point of points) {
    const part = to === from ? 0 : (Date.parse(point.at) - from) / (to - from);
    shown[Math.min(wide - 1, Math.max(0, Math.floor(part * wide)))] = point;
  }
  return shown;
}

type Glyph = 'x' | 'o' | '*' | ' ';

function glyphAt(point: Look | undefined, row: number, scale: Scale): Glyph {
  if (point === undefined) return ' ';
  const { against, advance } = point.evidence;
  const worse = against !== null && rowOf(against, scale, scale.rollback) === row;
  const safe = advance !== null && rowOf(advance, scale, scale.advance) === row;
  return worse && safe ? '*' : worse ? 'x' : safe ? 'o' : ' ';
}

/** Shapes say it all; colours only say it again. */
function painted(glyph: Glyph, color: boolean): string {
  if (!color || glyph === ' ') return glyph;
  const code = { x: 31, o: 32, '*': 33 }[glyph];
  return `\x1b[${code}m${glyph}\x1b[39m`;
}

function lineOf(cells: readonly string[], row: number, { rollback, advance }: Scale): string {
  const names = [...(row === rollback.row ? ['roll back'] : []), ...(row === advance.row ? ['advance'] : [])];
  if (names.length === 0) return `|${cells.join('')}`;
  // The name begins the line: the newest looks are at its end.
  const name = ` ${names.join(', ')} `;
  const drawn = cells.map((cell, column) => (cell === ' ' ? (name[column - 1] ?? '-') : cell));
  return `+${drawn.join('')}`;
}

function labelOf(row: number, { step, rollback, advance }: Scale): string {
  if (row === rollback.row) return evidenceWords(rollback.log);
  if (row === advance.row) return evidenceWords(advance.log);
  if (row === even) return '1';
  return row === 0 ? `<=${evidenceWords(-even * step)}` : '';
}

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

function barOf(weight: number): string {
  return weight <= 0 ? ' ' : (bars[Math.min(7, Math.floor((weight * 8) / 100))] ?? '█');
}

function timesOf(first: Look, last: Look, wide: number): string {
  const [from, to] = [clockOf(first.at), `${clockOf(last.at)} UTC`];
  return `${' '.repeat(gutter + 1)}${from}${to.padStart(wide - from.length)}`;
}

function clockOf(at: string): string {
  return at.slice(11, 19);
}

function unitsWords({ units, failed }: Look['samples']['canary']): string {
  return `${failed} of ${units} failed`;
}

/** Told only where something is judged beside errors. */
function metricsOf({ metrics }: Look, columns: number): readonly string[] {
  if (metrics.length < 2) return [];
  const told = metrics.map(({ metric, against }) => `${metric} ${evidenceWords(against)}`).join(', ');
  const line = `worse by metric: ${told}`;
  return [line.length < columns ? line : `${line.slice(0, columns - 2)}…`];
}
