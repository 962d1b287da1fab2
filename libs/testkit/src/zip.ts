import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of a zip as a test wants it, hostile ones included: whatever is set is written as it is. */
export type ZipEntry = {
  readonly path: string | Uint8Array;
  readonly content?: Uint8Array;
  /** Unix file type and permissions; a plain file when absent. */
  readonly unixMode?: number;
  readonly deflated?: boolean;
  /** Sizes, checksum and flags that lie. */
  readonly sizeClaimedBytes?: number;
  readonly checksum?: number;
  readonly flags?: number;
  readonly method?: number;
  /** Points at the data of an earlier entry instead of writing its own: the way of overlapping bombs. */
  readonly sharesDataOf?: number;
};

/** Writes a zip in memory, entry by entry in the given order. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const written = entryParts(entry);
    const shared = entry.sharesDataOf === undefined ? undefined : offsets[entry.sharesDataOf];
    offsets.push(shared ?? offset);
    directory.push(directoryRecord(written, shared ?? offset, entry.unixMode ?? 0o100644));
    if (shared !== undefined) continue;
    parts.push(written.local, written.name, written.packed);
    offset += written.local.length + written.name.length + written.packed.length;
  }
  return Buffer.concat([...parts, ...directory, endRecord(entries.length, Buffer.concat(directory).length, offset)]);
}

const UTF8_FLAG = 0x800;

type EntryParts = {
  readonly name: Buffer;
  readonly packed: Buffer;
  readonly local: Buffer;
  /** The fields that the local header and the directory have in common. */
  readonly shared: Buffer;
};

function entryParts(entry: ZipEntry): EntryParts {
  const content = Buffer.from(entry.content ?? new Uint8Array());
  const packed = entry.deflated ? deflateRawSync(content) : content;
  const name = Buffer.from(entry.path);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(entry.flags ?? UTF8_FLAG, 2);
  shared.writeUInt16LE(entry.method ?? (entry.deflated ? 8 : 0), 4);
  shared.writeUInt32LE(entry.checksum ?? crc32(content), 10);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(entry.sizeClaimedBytes ?? content.length, 18);
  shared.writeUInt16LE(name.length, 22);
  const signature = Buffer.from('PK\x03\x04', 'latin1');
  return { name, packed, shared, local: Buffer.concat([signature, shared]) };
}

/** Version 3 in the upper byte of "made by" says that the mode is one of Unix. */
function directoryRecord(entry: EntryParts, offset: number, unixMode: number): Buffer {
  const head = Buffer.from('PK\x01\x02\x14\x03', 'latin1');
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE((unixMode << 16) >>> 0, 6);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([head, entry.shared, tail, entry.name]);
}

function endRecord(count: number, directoryBytes: number, directoryOffset: number): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count & 0xffff, 8);
  end.writeUInt16LE(count & 0xffff, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(directoryOffset, 16);
  return end;
}
