import { fitting, quoted } from './step-outcome.ts';

const reason = (code: string, length: number) => ({ code, message: 'x'.repeat(length) });

describe('reasons on their way into an entry', () => {
  it('stay as they are when they fit', () => {
    const few = [reason('a', 10), reason('b', 20)];
    expect(fitting(few)).toBe(few);
  });

  it('are cut to what an entry holds, and say how many more there are', () => {
    const kept = fitting(Array.from({ length: 200 }, (_, index) => reason(`r${index}`, 2_000)));
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(45_000);
    expect(kept[0]?.code).toBe('r0');
    expect(kept.at(-1)).toEqual({
      code: 'more_reasons',
      message: `${200 - kept.length + 1} more are listed in the evidence`,
    });
  });

  it('never hold one that is larger than an entry by itself', () => {
    expect(fitting([reason('vast', 70_000), reason('small', 5)]).map(({ code }) => code)).toEqual(['more_reasons']);
  });
});

describe('last words', () => {
  it('are told without what the environment held and without addresses', () => {
    const words = quoted('cannot reach Wolframite-4471 as ana@example.org', ['Wolframite-4471']);
    expect(words).toBe('its last words: "cannot reach [secret removed] as [address removed]"');
  });
});
