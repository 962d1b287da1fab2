import { Header } from 'tar';
import { type ByteReader, byteReader } from './byte-reader.ts';
import { Refused } from './refusal.ts';
import { noContent, type SourceEntry } from './source-entry.ts';

/** Everything in a tar comes in blocks of this size. */
export const TAR_BLOCK_BYTES = 512;

/** An extended header holds a path, a link and some times; a larger one is an attack on our memory. */
const EXTENDED_HEADER_BYTES_MAX = 64 * 1024;

/** Tells whether a block is a tar header with a right checksum, or the empty block that ends a tar without entries. */
export function isTarHeader(block: Buffer): boolean {
  if (block.byteLength < TAR_BLOCK_BYTES) return false;
  return isEmptyBlock(block) || decodeHeader(block)?.cksumValid === true;
}

/**
 * Reads a tar entry by entry. Headers are decoded by the `tar` package; the framing is ours, because its parser decodes
 * an extended header chunk by chunk (a name cut inside a character is then silently lost) and skips damage that we
 * must refuse.
 */
export async function* tarEntries(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<SourceEntry> {
  try {
    const reader = byteReader(chunks);
    let extended: Extended = {};
    for (let first = true; ; first = false) {
      const block = await reader.read(TAR_BLOCK_BYTES);
      if (first && !isTarHeader(block))
        throw new Refused('not_an_archive', 'expected a tar inside, got something else');
      if (block.byteLength < TAR_BLOCK_BYTES) throw corrupt('the empty blocks that end a tar', 'a truncated archive');
      if (isEmptyBlock(block)) break;
      const header = headerOf(block, extended);
      if (isExtension(header)) {
        extended = { ...extended, ...(await readExtension(reader, header)) };
      } else {
        yield* oneEntry(reader, header, extended);
        extended = {};
      }
    }
    // What follows the end is not looked at, but a gzip stream proves its checksum only at its own end.
    while ((await reader.some(TAR_BLOCK_BYTES * 128)) !== undefined);
  } finally {
    await chunks.return(undefined);
  }
}

type Extended = { readonly path?: string; readonly size?: number };

async function* oneEntry(reader: ByteReader, header: Header, extended: Extended): AsyncGenerator<SourceEntry> {
  // The package puts the short header's folders in front of an extended path; the extended one is already whole.
  const path = extended.path ?? header.path ?? '';
  const sizeBytes = hasContent(header) ? (header.size ?? -1) : 0;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw corrupt('a size', 'a number that is none', path);
  const body = entryBody(reader, sizeBytes, path);
  const kind = kindOf(header, path);
  const executable = ((header.mode ?? 0) & 0o100) !== 0;
  if (kind === 'file') yield { path, kind, executable, sizeClaimedBytes: sizeBytes, content: body.chunks };
  else yield { path, kind, executable: false, content: noContent };
  await body.skipRest();
}

function entryBody(reader: ByteReader, sizeBytes: number, path: string) {
  let missing = sizeBytes;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    while (missing > 0) {
      const part = await reader.some(missing);
      if (!part) throw corrupt(`${sizeBytes} bytes`, 'a truncated archive', path);
      missing -= part.byteLength;
      yield part;
    }
  }
  async function skipRest(): Promise<void> {
    for await (const _part of chunks());
    const padding = (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
    if ((await reader.read(padding)).byteLength < padding) throw corrupt('whole blocks', 'a truncated archive', path);
  }
  return { chunks, skipRest };
}

function kindOf(header: Header, path: string): SourceEntry['kind'] {
  switch (header.type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return path.endsWith('/') ? 'folder' : 'file';
    case 'Directory':
    case 'GNUDumpDir':
      return 'folder';
    case 'SymbolicLink':
      return 'symlink';
    case 'Link':
      return 'hardlink';
    default:
      return 'special';
  }
}

/** Folders, links and devices have no content, though some writers put a size into their headers. */
function hasContent(header: Header): boolean {
  return !['Directory', 'SymbolicLink', 'Link', 'CharacterDevice', 'BlockDevice', 'FIFO'].includes(header.type);
}

const extensions: ReadonlySet<string> = new Set([
  'ExtendedHeader',
  'OldExtendedHeader',
  'GlobalExtendedHeader',
  'NextFileHasLongPath',
  'OldGnuLongPath',
  'NextFileHasLongLinkpath',
]);

function isExtension(header: Header): boolean {
  return extensions.has(header.type);
}

async function readExtension(reader: ByteReader, header: Header): Promise<Extended> {
  const sizeBytes = header.size ?? -1;
  if (sizeBytes < 0 || sizeBytes > EXTENDED_HEADER_BYTES_MAX) throw corrupt('a small extended header', 'a large one');
  const padded = await reader.read(Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES);
  if (padded.byteLength < sizeBytes) throw corrupt('an extended header', 'a truncated archive');
  const body = padded.subarray(0, sizeBytes);
  if (header.type === 'ExtendedHeader' || header.type === 'OldExtendedHeader') return paxFields(body);
  if (header.type === 'NextFileHasLongPath' || header.type === 'OldGnuLongPath') {
    return { path: body.toString('utf8').replace(/\0[\s\S]*$/, '') };
  }
  // Global headers hold the comment of git archive, and a long link belongs to a link, which is refused anyway.
  return {};
}

/** Reads `length key=value` records strictly; a record that does not fit its length is damage and never skipped. */
function paxFields(body: Buffer): Extended {
  let fields: Extended = {};
  for (let at = 0; at < body.byteLength; ) {
    const length = /^[0-9]{1,6}(?= )/.exec(body.toString('latin1', at, at + 7))?.[0];
    const end = at + Number(length ?? Number.NaN);
    if (!(end <= body.byteLength) || end <= at || body[end - 1] !== 0x0a) throw corrupt('extended records', 'damage');
    const record = body.toString('utf8', at + (length?.length ?? 0) + 1, end - 1);
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    if (key === 'path') fields = { ...fields, path: record.slice(equals + 1) };
    if (key === 'size') fields = { ...fields, size: paxSize(record.slice(equals + 1)) };
    at = end;
  }
  return fields;
}

function paxSize(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw corrupt('a size', 'a text that is none');
  return Number(text);
}

/** The extended fields go in, because a short name that was cut behind a slash would otherwise make a file a folder. */
function headerOf(block: Buffer, extended: Extended): Header {
  const header = decodeHeader(block, extended);
  if (!header?.cksumValid) throw corrupt('a header with its checksum', 'a damaged one');
  return header;
}

function decodeHeader(block: Buffer, extended: Extended = {}): Header | undefined {
  try {
    return new Header(block, 0, extended);
  } catch {
    // The package throws on numbers that no writer makes; such a block is simply no header.
    return undefined;
  }
}

function isEmptyBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function corrupt(expected: string, got: string, path?: string): Refused {
  return new Refused('corrupt_archive', `expected ${expected}, got ${got}`, path);
}
