import { readFileSync } from 'node:fs';
import type { Look } from '@proviso/client';
import { canaryLine, canaryPicture, evidenceWords } from './canary-picture.ts';

const thresholds = { rollback: Math.log(100), advance: Math.log(20), suspicion: Math.log(2) };
const began = Date.UTC(2026, 10, 25, 14, 2);

/** A look so many minutes after the first. */
function lookAt(minute: number, over: Partial<Look> = {}): Look {
  const units = 40 * (minute + 1);
  return {
    number: minute + 1,
    at: new Date(began + minute * 60_000).toISOString(),
    weight: minute < 6 ? 10 : minute < 12 ? 20 : 50,
    samples: { canary: { units, failed: minute >> 2 }, stable: { units: units * 4, failed: minute } },
    evidence: { against: -0.1 * minute, advance: 0.18 * minute, by: 'stable' },
    metrics: [{ metric: 'errors', against: -0.1 * minute, samples: { canary: units, stable: units * 4 } }],
    ...{ move: 'hold', verdict: 'hold', reason: 'collecting' },
    words: 'there is not enough traffic yet to decide: new 1 of 40 failed',
    ...over,
  };
}

const minutes = Array.from({ length: 21 }, (_, minute) => minute);
const healthy = minutes.map((minute) => lookAt(minute));
/** Worse and worse, with a gap in the middle in which nobody looked. */
const worse = minutes
  .filter((minute) => minute < 8 || minute > 12)
  .map((minute) => lookAt(minute, { evidence: { against: 0.24 * minute, advance: -0.2 * minute, by: 'stable' } }));
const alone = [
  lookAt(0, {
    samples: { canary: { units: 9, failed: 0 }, stable: { units: 0, failed: 0 } },
    evidence: { against: null, advance: 0.2, by: 'objective' },
    metrics: [
      { metric: 'errors', against: -0.1, samples: { canary: 9, stable: 0 } },
      { metric: 'latency', against: 0.3, samples: { canary: 9, stable: 0 } },
    ],
  }),
];

const drawn = (points: readonly Look[], columns: number) =>
  canaryPicture({ points, thresholds }, { columns, color: false });

describe('the picture of a canary', () => {
  it('shows share, samples and evidence over time, as a person would check it', () => {
    const pictures = [drawn(healthy, 72), drawn(worse, 56), drawn(alone, 40)];
    const golden = readFileSync(new URL('./canary-picture.golden.txt', import.meta.url), 'utf8');
    expect(`${pictures.map((lines) => lines.join('\n')).join('\n\n')}\n`).toBe(golden);
  });

  it.each([40, 41, 57, 80, 200])('fits %d columns and leaves the last one free', (columns) => {
    for (const points of [healthy, worse, alone])
      for (const line of drawn(points, columns)) expect([line, [...line].length < columns]).toEqual([line, true]);
  });

  it('is not drawn where no curve could be told from another, or before the first look', () => {
    expect([drawn(healthy, 39), drawn([], 80)]).toEqual([[], []]);
  });

  it.each([
    ['against', 'roll back', thresholds.rollback, 'x'],
    ['advance', 'advance', thresholds.advance, 'o'],
  ] as const)(
    'puts evidence %s on the line of its threshold only when it has crossed it',
    (side, name, threshold, glyph) => {
      const rowsAt = (log: number) => {
        const evidence = { against: -9, advance: -9, by: 'stable' as const, [side]: log };
        const points = [lookAt(0), lookAt(20, { evidence })];
        const chart = drawn(points, 72).filter((line) => /^.{6}[|+]/.test(line));
        return [chart.findIndex((line) => line.includes(name)), chart.findIndex((line) => line.endsWith(glyph))];
      };
      const [line, just] = rowsAt(threshold);
      expect(just).toBe(line);
      const [again, notYet] = rowsAt(threshold - 1e-9);
      expect(notYet).toBe((again ?? 0) + 1);
    },
  );

  it('says in colours what its shapes say, and takes no more room for it', () => {
    const plain = drawn(healthy, 72);
    const coloured = canaryPicture({ points: healthy, thresholds }, { columns: 72, color: true });
    expect(coloured.join('\n')).toContain('\u001b[31mx\u001b[39m');
    expect(coloured.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual(plain);
  });

  it('draws thousands of looks as it draws a few', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({ ...lookAt(index % 21), number: index }));
    expect(drawn(many, 80)).toHaveLength(drawn(healthy, 80).length);
  });
});

it('a look is told in one line where nothing can be redrawn', () => {
  expect(canaryLine(lookAt(4), thresholds)).toBe(
    '10 %: new 1 of 200 failed, before 4 of 800 failed; worse 0.67 of 100, safe 2.1 of 20; there is not enough traffic yet to decide',
  );
});

it.each([
  [null, 'unknown'],
  [0, '1'],
  [Math.log(0.314), '0.31'],
  [Math.log(3_140), '3100'],
  [Math.log(1e12), '10^12'],
  [Math.log(1e-7), '10^-7'],
])('evidence of ln %p is said as %s', (log, words) => {
  expect(evidenceWords(log)).toBe(words);
});
