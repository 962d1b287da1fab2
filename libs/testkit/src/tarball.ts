/** One entry of a tar as a test wants it, hostile ones included: nothing is checked. */
export type TarEntry = {
  readonly path: string;
  readonly content?: Uint8Array;
  readonly mode?: number;
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder, `6` pipe, `x` extension. */
  readonly type?: string;
  readonly linkPath?: string;
  /** A size in the header that is not the size of the content. */
  readonly sizeClaimedBytes?: number;
};

/** Writes a tar in memory; paths beyond 100 bytes or outside of ASCII get an extended header in front, as pax does. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(BLOCK_BYTES * 2)]);
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;

function entryBlocks(entry: TarEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? new Uint8Array());
  const name = Buffer.from(entry.path);
  const plain = name.length <= NAME_BYTES && /^[\x01-\x7f]*$/.test(entry.path);
  const extension = plain ? [] : entryBlocks({ path: 'pax', type: 'x', content: paxRecord('path', entry.path) });
  return [...extension, header(entry, name.subarray(0, NAME_BYTES), content.length), content, padding(content.length)];
}

function header(entry: TarEntry, name: Buffer, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  name.copy(block);
  block.write(octal(entry.mode ?? 0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(entry.sizeClaimedBytes ?? sizeBytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(entry.type ?? '0', 156);
  block.write(entry.linkPath ?? '', 157, NAME_BYTES);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** The length in front of a record counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (rest + String(length).length !== length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}
