import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A child's output on disk. Two files of this size each at most: enough for days of a quiet deployment. */
const BYTES_MAX = 5 * 1024 * 1024;
/** Longer lines are floods or dumps; their beginning says what they are. */
const LINE_LENGTH_MAX = 8_000;

/** Where the lines of one child go. */
export interface LogFile {
  readonly path: string;
  write(line: string): void;
  close(): void;
}

/** Appends to the file and turns it over once when it is full, so that a flood cannot fill the disk. */
export function openLog(path: string): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let file = openSync(path, 'a', 0o600);
  let sizeBytes = statSync(path).size;
  let closed = false;
  return {
    path,
    write: (line) => {
      // A child's last words may arrive after its log was closed; nobody waits for them any more.
      if (closed) return;
      const bytes = Buffer.from(`${line.slice(0, LINE_LENGTH_MAX)}\n`);
      if (sizeBytes + bytes.byteLength > BYTES_MAX) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, 'a', 0o600);
        sizeBytes = 0;
      }
      writeSync(file, bytes);
      sizeBytes += bytes.byteLength;
    },
    close: () => {
      if (!closed) closeSync(file);
      closed = true;
    },
  };
}
