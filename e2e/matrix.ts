import { killPoints } from './kill-point.ts';
import type { Victim } from './strike.ts';

/** One kill as the matrix counts it. */
export interface Cell {
  readonly point: string;
  readonly victim: Victim;
  readonly ok: boolean;
}

/** The columns in the order they are printed. */
export const victims: readonly Victim[] = ['api', 'worker', 'edge', 'temporal', 'postgres', 'connection'];

const pointWidth = 24;
const cellWidth = 12;

/** Points down, victims across, `ok / done` in each cell; a dot where nothing was done. */
export function matrixText(cells: readonly Cell[]): string {
  const head = ['killed at'.padEnd(pointWidth), ...victims.map((victim) => victim.padStart(cellWidth))].join('');
  const rows = killPoints.map((point) => {
    const counts = victims.map((victim) => {
      const here = cells.filter((cell) => cell.point === point && cell.victim === victim);
      const text = here.length === 0 ? '·' : `${here.filter(({ ok }) => ok).length} / ${here.length}`;
      return text.padStart(cellWidth);
    });
    return [point.padEnd(pointWidth), ...counts].join('');
  });
  return [head, ...rows].join('\n');
}
