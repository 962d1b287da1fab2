import { openProgress } from './progress.ts';

function output(isTTY: boolean) {
  const written: string[] = [];
  return { written, output: { isTTY, columns: 30, write: (text: string) => written.push(text) } };
}

test('elsewhere than on a terminal each change is one plain line with its time', () => {
  const { written, output: plain } = output(false);
  let nowMs = 1_000;
  const progress = openProgress(plain, () => nowMs);
  progress.now('scan');
  progress.now('scan');
  nowMs = 2_500;
  progress.say('approved');
  progress.now('approved');
  progress.done();
  expect(written).toEqual(['   0.0 s  scan\n', '   1.5 s  approved\n']);
});

test('on a terminal one line changes, fits, and is taken away', () => {
  const { written, output: terminal } = output(true);
  const progress = openProgress(terminal, () => 0);
  progress.now('a long sentence about a canary');
  progress.done();
  expect(written[0]?.length).toBeLessThan(30);
  expect(written.at(-1)).toBe('\r\u001b[2K');
});
