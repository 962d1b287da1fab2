import { lstat, readdir } from 'node:fs/promises';
import { create } from 'tar';
import { Trouble } from './trouble.ts';

/** Folders that no candidate consists of: the server would skip them, and they are what makes a folder large. */
export const leftOut = new Set(['node_modules', '.git', '.proviso', '.nx', '.cache', 'coverage']);

/** The server's own bound; told here before minutes are spent on an upload. */
const ARCHIVE_BYTES_MAX = 100 * 1024 * 1024;

/** Packs a folder into a gzipped tar in memory, without times and owners. Links are packed as links: the server refuses them. */
export async function packFolder(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const names = await expectFolder(folder);
  if (names.length === 0) throw new Trouble(`expected files in ${folder}, got none`);
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  const stream = create(
    {
      cwd: folder,
      gzip: { level: 6 },
      portable: true,
      noMtime: true,
      filter: (path) => !path.split('/').some((name) => leftOut.has(name)),
    },
    names,
  );
  for await (const part of stream as AsyncIterable<Buffer>) {
    sizeBytes += part.byteLength;
    if (sizeBytes > ARCHIVE_BYTES_MAX) {
      throw new Trouble(`expected ${folder} to pack to at most ${ARCHIVE_BYTES_MAX} bytes, got more`, {
        advice: 'Move data and build results out of the folder.',
      });
    }
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

async function expectFolder(folder: string): Promise<string[]> {
  const found = await lstat(folder).catch(() => null);
  if (found?.isDirectory() !== true) {
    throw new Trouble(`expected a folder at ${folder}, got ${found === null ? 'nothing' : 'something else'}`);
  }
  const names = (await readdir(folder)).filter((name) => !leftOut.has(name)).sort();
  // A name with @ in front would mean "the contents of that archive" to the packer.
  return names.map((name) => (name.startsWith('@') ? `./${name}` : name));
}
