import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { folderStore } from '@proviso/evidence';
import { zipOf } from '@proviso/testkit';
import {
  type Frozen,
  freezeArchive,
  freezeFolder,
  manifestBytes,
  materialise,
  readFrozen,
  readFrozenFile,
} from './index.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-frozen-'));
  await mkdir(join(scratch, 'temp'));
});
afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const context = () => ({ store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp') });

async function frozenDemo(): Promise<Frozen> {
  const entries = [
    { path: 'run.sh', content: Buffer.from('#!/bin/sh'), unixMode: 0o100755 },
    { path: 'src/deep/a.js', content: Buffer.from('let a;') },
    { path: 'src/empty', content: Buffer.alloc(0) },
  ];
  const result = await freezeArchive(zipOf(entries), context());
  if (result.kind === 'refused') throw new Error(result.message);
  return result;
}

describe('materialise', () => {
  test('writes the tree, and freezing it again gives the same digest', async () => {
    const frozen = await frozenDemo();
    const folder = join(scratch, 'out');
    expect(await materialise(context().store, frozen.artifactDigest, folder)).toEqual(frozen.manifest);
    expect(await readFile(join(folder, 'src/deep/a.js'), 'utf8')).toBe('let a;');
    expect((await stat(join(folder, 'run.sh'))).mode & 0o777).toBe(0o755);
    expect(await freezeFolder(folder, context())).toMatchObject({ artifactDigest: frozen.artifactDigest });
  });

  test('refuses a folder that has something in it, and one that is a link', async () => {
    const { artifactDigest } = await frozenDemo();
    await mkdir(join(scratch, 'full'));
    await symlink(scratch, join(scratch, 'full', 'src'));
    await mkdir(join(scratch, 'empty'));
    await symlink(join(scratch, 'empty'), join(scratch, 'link'));
    for (const name of ['full', 'link']) {
      const attempt = materialise(context().store, artifactDigest, join(scratch, name));
      await expect(attempt).rejects.toMatchObject({ code: 'target_not_empty' });
    }
    expect(await readdir(join(scratch, 'empty'))).toEqual([]);
  });

  test('leaves an empty folder when a stored file was tampered with', async () => {
    const { artifactDigest, manifest } = await frozenDemo();
    const sha256 = manifest.files.find(({ path }) => path === 'src/deep/a.js')?.sha256 ?? '';
    const blob = join(scratch, 'evidence', 'sha256', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
    await writeFile(blob, 'let b;');
    const folder = join(scratch, 'out');
    const attempt = materialise(context().store, artifactDigest, folder);
    await expect(attempt).rejects.toMatchObject({ code: 'evidence_corrupt' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('leaves an empty folder when the manifest lies about a size, or a file is missing', async () => {
    const { store } = context();
    const { digest } = await store.put(Buffer.from('four'));
    const file = { path: 'a/b', mode: 'file' as const, sizeBytes: 3, sha256: digest.slice('sha256:'.length) };
    const lying = await store.put(manifestBytes({ v: 1, files: [file] }));
    const missing = await store.put(manifestBytes({ v: 1, files: [{ ...file, sha256: 'a'.repeat(64) }] }));
    const folder = join(scratch, 'out');
    await expect(materialise(store, lying.digest, folder)).rejects.toMatchObject({ code: 'manifest_invalid' });
    await expect(materialise(store, missing.digest, folder)).rejects.toMatchObject({ code: 'evidence_missing' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('never takes another stored document for a manifest', async () => {
    const { store } = context();
    const { digest } = await store.put(Buffer.from('{"files":[{"path":"../../evil"}],"v":1}'));
    await expect(materialise(store, digest, join(scratch, 'out'))).rejects.toMatchObject({ code: 'manifest_invalid' });
  });
});

test('one file is read by its path, and an unknown path is nothing', async () => {
  const { artifactDigest } = await frozenDemo();
  const { store } = context();
  const manifest = await readFrozen(store, artifactDigest);
  expect(Buffer.from((await readFrozenFile(store, manifest, 'run.sh')) ?? []).toString()).toBe('#!/bin/sh');
  expect(await readFrozenFile(store, manifest, '../run.sh')).toBeUndefined();
});

describe('a folder', () => {
  test('with a link to a file, to a folder or to nothing in it is refused', async () => {
    for (const [name, target] of [
      ['to-file', '/etc/passwd'],
      ['to-folder', '/etc'],
      ['dangling', 'nowhere'],
    ] as const) {
      const folder = join(scratch, name);
      await mkdir(folder);
      await writeFile(join(folder, 'ok'), 'fine');
      await symlink(target, join(folder, 'link'));
      expect(await freezeFolder(folder, context())).toMatchObject({ code: 'link_refused', pointer: '/files/link' });
    }
  });

  test('with a pipe in it is refused without waiting for a writer', async () => {
    const folder = join(scratch, 'pipes');
    await mkdir(folder);
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
    expect(await freezeFolder(folder, context())).toMatchObject({ code: 'special_file' });
  });

  test('is left alone below node_modules and .git, links and all', async () => {
    const folder = join(scratch, 'demo');
    await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, 'ok'), 'fine');
    await symlink('/etc/passwd', join(folder, 'node_modules/.bin/tsc'));
    const result = await freezeFolder(folder, context());
    expect(result.kind === 'frozen' && result.skipped.map(({ path }) => path).toSorted()).toEqual([
      '.git',
      'node_modules',
    ]);
  });

  test('that is missing, a file or empty is refused', async () => {
    await writeFile(join(scratch, 'file'), '');
    expect(await freezeFolder(join(scratch, 'nowhere'), context())).toMatchObject({ code: 'source_not_found' });
    expect(await freezeFolder(join(scratch, 'file'), context())).toMatchObject({ code: 'source_not_found' });
    expect(await freezeFolder(join(scratch, 'temp'), context())).toMatchObject({ code: 'empty' });
  });

  test('with a name that is no UTF-8 or too deep a tree is refused', async () => {
    const folder = join(scratch, 'names');
    await mkdir(folder);
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0x61, 0xff)]), 'x');
    expect(await freezeFolder(folder, context())).toMatchObject({ code: 'path_escapes' });
    const deep = join(scratch, 'deep', ...Array<string>(40).fill('d'));
    await mkdir(deep, { recursive: true });
    await writeFile(join(deep, 'a'), 'x');
    expect(await freezeFolder(join(scratch, 'deep'), context())).toMatchObject({ code: 'too_large' });
  });

  test('keeps the executable bit of its owner only', async () => {
    await writeFile(join(scratch, 'temp', 'a'), 'x');
    await chmod(join(scratch, 'temp', 'a'), 0o611);
    const result = await freezeFolder(join(scratch, 'temp'), context());
    expect(result.kind === 'frozen' && result.manifest.files[0]?.mode).toBe('file');
  });
});
