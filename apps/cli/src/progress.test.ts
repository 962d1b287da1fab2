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

test('on a terminal a picture is drawn over its own lines, and what is said stays above it', () => {
  const { written, output: terminal } = output(true);
  const progress = openProgress({ ...terminal, rows: 4 }, () => 0);
  progress.screen?.draw(['one', 'two', `\u001b[31m${'x'.repeat(29)}\u001b[39m`, 'does not fit']);
  progress.screen?.draw(['three', 'four']);
  progress.say('rolled back');
  progress.done();
  expect(written.join('')).toBe(
    [
      `one\ntwo\n\u001b[31m${'x'.repeat(29)}\u001b[39m`,
      '\r\u001b[2A\u001b[0J',
      'three\nfour',
      '\r\u001b[1A\u001b[0J',
      '   0.0 s  rolled back\n',
      'three\nfour',
      '\r\u001b[1A\u001b[0J',
    ].join(''),
  );
});

test('a line of a picture that would wrap is cut', () => {
  const { written, output: terminal } = output(true);
  openProgress(terminal, () => 0).screen?.draw(['x'.repeat(30)]);
  expect(written).toEqual([`${'x'.repeat(28)}…`]);
});

test('elsewhere than on a terminal there is nothing to draw on', () => {
  expect(openProgress(output(false).output, () => 0).screen).toBeUndefined();
});
