import { type PromotionStanding, promotionStates } from '@proviso/domain';
import { commitStanding, reportMax } from './commit-standing.ts';
import { promoted } from './promoted.contract.ts';

const ends: readonly PromotionStanding[] = ['rejected', 'expired', 'superseded', 'cancelled', 'rolled_back', 'demoted'];

describe('where a commit stands for a deploy job', () => {
  it('is no yes as long as nobody has promoted it', () => {
    for (const need of ['approved', 'live'] as const) expect(commitStanding([], need).verdict).toBeNull();
  });

  it.each(promotionStates.map((standing) => [standing]))('when %s', (standing) => {
    const isEnd = ends.includes(standing);
    const atOnce = isEnd ? 'rejected' : standing === 'live' ? 'approved' : null;
    expect(commitStanding([promoted(standing)], 'live').verdict).toBe(atOnce);
    expect(commitStanding([promoted(standing)], 'approved').verdict).toBe(atOnce);
    expect(commitStanding([promoted(standing, { asked: 'passed' })], 'live').verdict).toBe(atOnce);
    expect(commitStanding([promoted(standing, { asked: 'waiting' })], 'approved').verdict).toBe(atOnce);
    const whenPassed = isEnd ? 'rejected' : 'approved';
    expect(commitStanding([promoted(standing, { asked: 'passed' })], 'approved').verdict).toBe(whenPassed);
  });

  it('is told by the newest promotion of each prototype, and a yes takes all of them', () => {
    const again = [promoted('live', { number: 2 }), promoted('rejected', { number: 1 })];
    expect(commitStanding(again, 'live').verdict).toBe('approved');
    expect(commitStanding(again.toReversed(), 'live').verdict).toBe('approved');
    const beside = promoted('waiting_for_human', { number: 3, prototype: 'billing' });
    expect(commitStanding([...again, beside], 'live').verdict).toBeNull();
    const refused = promoted('rejected', { number: 4, prototype: 'billing' });
    expect(commitStanding([...again, beside, refused], 'live').verdict).toBe('rejected');
  });

  it('has one mark for the same standings, whatever the time makes of their words', () => {
    const [one, other] = ['Expires in 3 h.', 'Expires in 2 h.'].map((headline) =>
      commitStanding([promoted('waiting_for_human', { headline })], 'live'),
    );
    expect(one?.mark).toBe(other?.mark);
    expect(commitStanding([promoted('canary')], 'live').mark).not.toBe(one?.mark);
    expect(commitStanding([], 'live').mark).not.toBe(one?.mark);
  });

  it('fits into a report, with a stranger’s words inert', () => {
    const page = `https://proviso.example/decide/${'x'.repeat(90)}`;
    const evil = '@everyone [PASSED](https://evil.example) `code` <img src=x> \u202e'.repeat(40);
    const many = Array.from({ length: 9 }, (_, number) =>
      promoted('blocked', {
        ...{ number, prototype: `p${number}-${'y'.repeat(80)}`, version: evil, headline: evil },
        links: { page, preview: null },
      }),
    );
    const { words } = commitStanding(many, 'live');
    expect(words.length).toBeLessThanOrEqual(reportMax);
    expect(words).toContain('and 7 more');
    // Outside of code there is nothing but our own words and links.
    const outside = words.replaceAll(/`[^`]*`/g, '').replaceAll(/\[look\]\(https:\/\/proviso\.example[^)]*\)/g, '');
    expect(outside.replaceAll(/\s+/g, ' ').trim()).toBe('and 7 more');
    expect(words).not.toContain('\u202e');
  });
});
