import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { list } from 'tar';
import { packFolder } from './archive.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-pack-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function pathsIn(archive: Uint8Array): Promise<readonly string[]> {
  const paths: string[] = [];
  const reader = list({ onReadEntry: (entry) => void paths.push(entry.path) });
  await pipeline(Readable.from([Buffer.from(archive)]), reader as unknown as NodeJS.WritableStream);
  return paths.filter((path) => !path.endsWith('/')).sort();
}

test('a folder is packed without what no candidate consists of', async () => {
  for (const path of ['src', 'node_modules/left', '.git', 'src/node_modules'])
    mkdirSync(join(folder, path), { recursive: true });
  for (const path of [
    'proviso.yaml',
    '.env',
    'src/server.mjs',
    'node_modules/left/pad.js',
    '.git/HEAD',
    'src/node_modules/x.js',
    '@odd.txt',
  ])
    writeFileSync(join(folder, path), path);
  expect(await pathsIn(await packFolder(folder))).toEqual(['./@odd.txt', '.env', 'proviso.yaml', 'src/server.mjs']);
});

test.each([
  { name: 'an empty folder', path: '.', words: 'expected files in' },
  { name: 'a folder that is not there', path: 'none', words: 'got nothing' },
  { name: 'a file', path: 'file', words: 'got something else' },
])('$name is told', async ({ path, words }) => {
  if (path === 'file') writeFileSync(join(folder, path), '');
  await expect(packFolder(join(folder, path))).rejects.toThrow(words);
});
