import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';

/** The output of a release, in a file so that neither side dies with the other, and bounded so that nothing fills up. */
export interface OutputLog {
  /** Truncates the file when it has grown too large, keeping the tail; true when it grew like a flood. */
  readonly trim: (nowMs: number) => boolean;
  /** The last lines, at most `lengthMax` characters. */
  readonly tail: (lengthMax: number) => string;
}

/** Above this the file is cut back to nothing: what is kept is the ring below. */
const FILE_BYTES_MAX = 1024 * 1024;
/** How much of the output is remembered. */
const RING_BYTES = 64 * 1024;
/** A bucket of this size that leaks at the rate below: what overflows it is a flood, fast or lasting. */
const FLOOD_BYTES = 32 * 1024 * 1024;
/** Nobody reads two megabytes of lines a second; a busy but honest release stays far below. */
const LEAK_BYTES_PER_MS = 2_000;
/** The process itself can write no file beyond this (in blocks of 512 bytes), so a flood ends even while no edge runs. */
export const FILE_BLOCKS_MAX = 131_072;

/** Reads and trims the log at a path, of which only what is tellable is told; the writer appends, so truncating under it is safe. */
export function openOutputLog(path: string, tellable: (text: string) => string = (text) => text): OutputLog {
  let ring = '';
  let lastBytes = 0;
  let lastMs: number | null = null;
  let bucketBytes = 0;
  return {
    trim: (nowMs) => {
      const { sizeBytes, text } = readTail(path, RING_BYTES);
      // A file that became smaller is that of a new start.
      const grownBytes = sizeBytes < lastBytes ? sizeBytes : sizeBytes - lastBytes;
      const leakedBytes = (nowMs - (lastMs ?? nowMs)) * LEAK_BYTES_PER_MS;
      bucketBytes = Math.max(0, bucketBytes - leakedBytes) + grownBytes;
      lastMs = nowMs;
      lastBytes = sizeBytes;
      if (sizeBytes > FILE_BYTES_MAX) {
        ring = text;
        truncate(path);
        lastBytes = 0;
      }
      const flooded = bucketBytes > FLOOD_BYTES;
      if (flooded) bucketBytes = 0;
      return flooded;
    },
    tail: (lengthMax) => {
      const { sizeBytes, text } = readTail(path, RING_BYTES);
      const whole = `${ring}${text}`;
      // Withheld before it is cut: half a secret would be recognised by nobody. A line that is cut already is left out.
      const isCut = ring !== '' || sizeBytes > RING_BYTES;
      const lines = isCut && tellable(whole) !== whole ? whole.slice(whole.indexOf('\n') + 1) : whole;
      return tellable(lines).slice(-lengthMax).trim();
    },
  };
}

function readTail(path: string, bytesMax: number): { sizeBytes: number; text: string } {
  const file = openQuietly(path, 'r');
  if (file === null) return { sizeBytes: 0, text: '' };
  try {
    const sizeBytes = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(bytesMax, sizeBytes));
    const count = readSync(file, buffer, 0, buffer.length, sizeBytes - buffer.length);
    return { sizeBytes, text: buffer.toString('utf8', 0, count) };
  } finally {
    closeSync(file);
  }
}

function truncate(path: string): void {
  const file = openQuietly(path, 'r+');
  if (file === null) return;
  ftruncateSync(file, 0);
  closeSync(file);
}

function openQuietly(path: string, flags: 'r' | 'r+'): number | null {
  try {
    return openSync(path, flags);
  } catch {
    // Never started, or already removed.
    return null;
  }
}
