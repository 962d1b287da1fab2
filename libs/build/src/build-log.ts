import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { excerpt, redact } from '@proviso/gates';

/** What a build said, fit to be kept and shown: without secrets, and the middle of a long one left out. */
export interface BuildLog {
  readonly text: string;
  readonly sizeBytes: number;
  readonly complete: boolean;
}

/** What a person reads of a log: how it began and how it ended. Each half stays below what is searched for secrets. */
const halfBytesMax = 48 * 1024;
const linesShown = 5;

/** Reads a log that a stranger's program wrote. Secrets go before anything of it is kept. */
export async function readLog(path: string): Promise<BuildLog> {
  const { size } = await stat(path);
  if (size <= halfBytesMax * 2) return logOf([await part(path, 0, size)], size);
  const [head, tail] = [await part(path, 0, halfBytesMax), await part(path, size - halfBytesMax, size)];
  // Cut at lines, or half a secret could stand at an edge where no pattern knows it.
  const begin = head.slice(0, head.lastIndexOf('\n') + 1);
  const end = tail.slice(tail.indexOf('\n') + 1);
  return logOf([begin, end], size);
}

/** Many logs as one document, each under its heading. */
export function joinedLogs(logs: readonly { readonly title: string; readonly log: BuildLog }[]): string {
  return logs.map(({ title, log }) => `== ${title}\n${log.text}`).join('\n');
}

/** The last lines that say something, for a reason. */
export function lastWords({ text }: BuildLog): string {
  // Where in a library it broke says less than what broke.
  const lines = text.split('\n').filter((line) => /[\p{L}\p{N}]/u.test(line) && !/^\s+at |^Node\.js v/.test(line));
  const last = lines.slice(-linesShown).map((line) => excerpt(line));
  return last.length === 0 ? 'it said nothing' : `its last words: "${last.join(' | ')}"`;
}

function logOf(parts: readonly string[], sizeBytes: number): BuildLog {
  const left = sizeBytes - parts.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  const text = parts.map(clean).join(`\n[${left} bytes left out]\n`);
  return { text, sizeBytes, complete: parts.length === 1 };
}

/** Colours and other orders to a terminal are no words; a carriage return is how progress is drawn over itself. */
function clean(text: string): string {
  const plain = text.replaceAll(escapes, '').replaceAll(/\r\n?/g, '\n').replaceAll(controls, '\uFFFD');
  return redact(plain).toWellFormed();
}

const escapes = /\u001B(?:\[[0-9;?]{0,20}[ -/]{0,4}[@-~]|\][^\u0007\u001B]{0,300}(?:\u0007|\u001B\\)|[@-_])/g;
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/g;

async function part(path: string, start: number, end: number): Promise<string> {
  if (end <= start) return '';
  const chunks: Uint8Array[] = [];
  for await (const chunk of createReadStream(path, { start, end: end - 1 })) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}
