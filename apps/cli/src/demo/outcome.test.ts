import { type DemoOutcome, differences } from './outcome.ts';
import type { DemoVersion } from './script.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

function ended(version: string, more: Partial<DemoOutcome>): DemoOutcome {
  return {
    ...{ prototype: 'my-app', version, promotion: `prm_${version}`, outcome: 'live', stoppedAt: null, weight: 100 },
    ...{ liveDigest: digest('1'), artifactDigest: digest('1'), blockers: [], workflowEvents: 10, ...more },
  };
}

const versions: readonly DemoVersion[] = [
  { folder: 'one', outcome: 'live' },
  { folder: 'two', outcome: 'blocked', stoppedAt: 'scan' },
  { folder: 'three', outcome: 'rolled_back', liveAfter: 'one' },
];
const asExpected: readonly DemoOutcome[] = [
  ended('one', {}),
  ended('two', { outcome: 'blocked', stoppedAt: 'scan', weight: 0, artifactDigest: digest('2') }),
  ended('three', { outcome: 'rolled_back', stoppedAt: 'canary', weight: 0, artifactDigest: digest('3') }),
];

test('a demo that ended as its script says has no differences', () => {
  expect(differences(versions, asExpected)).toEqual([]);
});

test.each([
  { index: 0, more: { outcome: 'rolled_back' }, words: 'one: expected outcome live, got rolled_back' },
  { index: 0, more: { liveDigest: null }, words: 'one: expected live digest' },
  { index: 1, more: { stoppedAt: 'evaluation' }, words: 'two: expected to stop at scan, got evaluation' },
  { index: 2, more: { weight: 10 }, words: 'three: expected weight 0, got 10' },
  { index: 2, more: { liveDigest: digest('3') }, words: 'three: expected live digest' },
])('$words …', ({ index, more, words }) => {
  const changed = asExpected.map((outcome, at) => (at === index ? { ...outcome, ...more } : outcome));
  expect(differences(versions, changed).join('\n')).toContain(words);
});

test('a version that never ran is a difference', () => {
  expect(differences(versions, asExpected.slice(0, 2))).toEqual(['three: expected rolled_back, got nothing']);
});
