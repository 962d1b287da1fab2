import { Trouble } from './trouble.ts';

/** As much as the API takes in one body. */
const lettersMax = 1_048_576;

/** One message a line, as the protocol has it on standard input. A line without an end is not gathered for ever. */
export async function* messageLines(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lettersMax) throw new Trouble(`expected a message of at most ${lettersMax} letters, got more`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
