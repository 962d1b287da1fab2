import { PassThrough } from 'node:stream';
import { openAsking } from './asking.ts';
import { explain } from './trouble.ts';

function terminal(isTTY: boolean) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  return { input, output, ask: openAsking({ input, output }, new AbortController().signal) };
}

const questions = [
  { words: 'Who?', offered: 'Ada' },
  { words: 'How many?', offered: '100' },
];

test('nobody is asked where no person sits', () => {
  expect(terminal(false).ask).toBeNull();
});

test('answers that were pasted at once are taken in turn, and an empty one takes what is offered', async () => {
  const { input, output, ask } = terminal(true);
  input.write('\n40\n');
  expect(await ask?.(questions)).toEqual(['Ada', '40']);
  expect(String(output.read())).toContain('How many? [100] ');
});

test('a person who leaves in the middle ends the command as interrupted', async () => {
  const { input, ask } = terminal(true);
  input.end('Grace\n');
  const ended = await ask?.(questions).catch((error: unknown) => explain(error).exitCode);
  expect(ended).toBe(130);
});
