import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderStore } from '@proviso/evidence';
import { type TarEntry, tarOf } from '@proviso/testkit';
import { describeBuilt, freezeBuilt } from './built.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proviso-built-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function archiveOf(...entries: readonly TarEntry[]): Promise<string> {
  const path = join(folder, 'output.tar');
  await writeFile(path, tarOf(entries));
  return path;
}

const page = { path: './dist/index.html', content: Buffer.from('<h1>well</h1>') };
const installed = { path: './node_modules/left/index.js', content: Buffer.from('module.exports = 1') };

test('the paths of what was built stay as they are, and installed packages belong to it', async () => {
  const store = folderStore(join(folder, 'evidence'));
  const built = await freezeBuilt(await archiveOf(page, installed), { store, tempFolder: folder });
  const paths = built.kind === 'built' ? built.manifest.files.map(({ path }) => path) : built;
  expect(paths).toEqual(['dist/index.html', 'node_modules/left/index.js']);
  const alone = await freezeBuilt(await archiveOf(page), { store, tempFolder: folder });
  expect(alone).toMatchObject({ kind: 'built', manifest: { files: [{ path: 'dist/index.html' }] } });
});

test('what is only described has the same digest, and nothing of it is kept', async () => {
  const store = folderStore(join(folder, 'evidence'));
  const path = await archiveOf(page, installed);
  const described = await describeBuilt(path, folder);
  expect(await readdir(folder)).toEqual(['output.tar']);
  expect(described).toEqual(await freezeBuilt(path, { store, tempFolder: folder }));
});

test.each<[string, TarEntry, string]>([
  ['a symbolic link', { path: 'dist/secrets', type: '2', linkPath: '/etc/shadow' }, 'link_refused'],
  ['a hard link', { path: 'dist/other', type: '1', linkPath: 'dist/index.html' }, 'link_refused'],
  ['a device', { path: 'dist/disk', type: '3' }, 'special_file'],
  ['a way out', { path: 'dist/../../planted', content: Buffer.from('x') }, 'path_escapes'],
  ['an absolute path', { path: '/etc/planted', content: Buffer.from('x') }, 'path_escapes'],
  ['a path twice', page, 'duplicate_path'],
])('%s among what was built is refused', async (_what, entry, code) => {
  expect(await describeBuilt(await archiveOf(page, entry), folder)).toMatchObject({ kind: 'refused', code });
});
