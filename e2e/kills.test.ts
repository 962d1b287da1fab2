import { copySource } from './source-copy.ts';
import { plantedBugs } from './planted-bug.ts';
import { matrixText } from './matrix.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playedAlone } from './played.ts';
import { projectRoot } from './project-root.ts';

/** Alone it takes a minute; other tests may keep both cores busy meanwhile. */
const quickMsMax = 480_000;

interface Played {
  readonly passed: boolean;
  readonly struck: readonly { readonly missed: string | null; readonly blow: { point: string; victim: string } }[];
  readonly findings: readonly object[];
  readonly lost: readonly { readonly stage: string; readonly right: boolean }[];
  readonly planted: readonly { readonly bug: string; readonly caught: boolean }[];
  readonly stable: {
    readonly asked: number;
    readonly failed: readonly object[];
    readonly downtimes: readonly object[];
  };
  readonly last: { readonly entries: number; readonly promotions: number; readonly acknowledged: number };
}

it(
  'comes to the right end whatever is killed at whichever point, and without Temporal’s database',
  async () => {
    const { code, played, said } = await playedAlone<Played>('kills', ['--quick']);
    const missed = played.struck.filter(({ missed }) => missed !== null);
    expect({ missed, findings: played.findings, stableFailed: played.stable.failed }).toEqual({
      ...{ missed: [], findings: [], stableFailed: [] },
    });
    expect(new Set(played.struck.map(({ blow }) => blow.point)).size).toBe(9);
    expect(new Set(played.struck.map(({ blow }) => blow.victim)).size).toBe(6);
    expect(played.lost.filter(({ right }) => !right)).toEqual([]);
    expect(played.lost.length).toBeGreaterThan(0);
    expect(played.planted).toEqual([expect.objectContaining({ bug: 'no row lock', caught: true })]);
    // Without anything to check, nothing would be found either.
    expect(played.last.promotions).toBeGreaterThanOrEqual(4);
    expect(played.last.acknowledged).toBeGreaterThan(10);
    expect(played.stable.asked).toBeGreaterThan(0);
    expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
  },
  quickMsMax,
);

it('plants every bug into a copy of the sources as they are today', () => {
  for (const { patches } of plantedBugs) {
    const folder = mkdtempSync(join(tmpdir(), 'proviso-plant-'));
    expect(() => copySource(projectRoot, folder, patches)).not.toThrow();
    rmSync(folder, { recursive: true, force: true });
  }
});

it('refuses to plant a bug whose place it does not find', () => {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-plant-'));
  const patch = { path: 'package.json', from: 'a text that is nowhere', to: '' };
  expect(() => copySource(projectRoot, folder, [patch])).toThrow('expected the text to patch once in package.json');
  rmSync(folder, { recursive: true, force: true });
});

it('prints a matrix of points and victims that counts what went right', () => {
  const text = matrixText([
    { point: 'after lock', victim: 'api', ok: true },
    { point: 'after lock', victim: 'api', ok: false },
    { point: 'during rollback', victim: 'connection', ok: true },
  ]);
  expect(text.split('\n')[1]).toMatch(/^after lock\s+1 \/ 2(\s+·){5}$/);
  expect(text.split('\n').at(-1)).toMatch(/^during rollback(\s+·){5}\s+1 \/ 1$/);
});
