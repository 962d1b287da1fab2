import { projectRoot } from '../project-root.ts';
import { tableText } from './attack.ts';
import { attackedWays, hostile } from './hostile.ts';

/** Alone it takes twenty seconds; other tests may keep both cores busy meanwhile. */
const testMsMax = 240_000;

it.each(attackedWays)(
  'keeps a hostile build and release from everything that the same attacks reach bare, and leaves no survivor: by %s',
  async (way) => {
    const { attacks, lured, status } = await hostile({ projectRoot, way, quick: true, say: () => undefined });
    for (const phase of ['build', 'release'] as const) {
      const inside = attacks.filter((attack) => attack.phase === phase);
      expect(inside.length).toBeGreaterThan(25);
      expect(inside.filter(({ verdict }) => verdict !== 'kept away')).toEqual([]);
    }
    const real = attacks.filter(({ phase, real }) => phase === 'bare' && real);
    expect(real.length).toBeGreaterThan(20);
    expect(real.filter(({ verdict }) => verdict !== 'reached')).toEqual([]);
    // How quick it is belongs to the command, which has the machine for itself.
    expect({ lured, failed: status.failed }).toEqual({ lured: 0, failed: 0 });
    expect(status.asked).toBeGreaterThan(20);
  },
  testMsMax,
);

it('shows what was reached and what was not proven, so that neither reads as kept away', () => {
  const attack = (phase: 'bare' | 'release', outcome: string, verdict: 'reached' | 'unproven' | 'kept away') => ({
    ...{ label: 'the API', phase, outcome, verdict },
  });
  const shown = (outcome: string, verdict: 'reached' | 'unproven' | 'kept away') =>
    tableText([attack('bare', 'reached', 'reached'), attack('release', outcome, verdict)])
      .split('\n')
      .at(-1)
      ?.split(/ {2,}/);
  expect(shown('refused', 'kept away')).toEqual(['the API', 'reached', '–', '–', 'refused']);
  expect(shown('reached', 'reached')).toEqual(['the API', 'reached', '–', '–', '!reached']);
  expect(shown('no answer', 'unproven')).toEqual(['the API', 'reached', '–', '–', '?no answer']);
});
