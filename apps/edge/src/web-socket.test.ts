import { GOING_AWAY_FRAME, watchFrames } from './web-socket.ts';

const frames: readonly (readonly [string, readonly number[]])[] = [
  ['an empty ping', [0x89, 0]],
  ['a short text', [0x81, 3, 1, 2, 3]],
  ['a masked text', [0x81, 0x83, 9, 9, 9, 9, 1, 2, 3]],
  ['one of 16 bits of length', [0x82, 126, 1, 0, ...new Array<number>(256).fill(7)]],
  ['one of 64 bits of length', [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, ...new Array<number>(65_536).fill(7)]],
];

test.each(frames)('is between two frames behind %s only, however it is cut', (_name, bytes) => {
  const watch = watchFrames();
  const cuts = [1, 2, 3, bytes.length - 1];
  for (const cut of cuts) {
    watch.read(Uint8Array.from(bytes.slice(0, cut)));
    expect(watch.isBetween()).toBe(cut >= bytes.length);
    watch.read(Uint8Array.from(bytes.slice(cut)));
    expect([watch.isBetween(), watch.hasClosed()]).toEqual([true, false]);
  }
});

test('hears a goodbye, and ours is one', () => {
  const watch = watchFrames();
  watch.read(GOING_AWAY_FRAME);
  expect([watch.isBetween(), watch.hasClosed()]).toEqual([true, true]);
});
