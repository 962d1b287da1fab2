import { chmodSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashTree, removeTree, unpackArtifact } from './artifact.ts';
import { newFolder, newShelf, storeManifest } from './release-fixture.ts';

const folder = newFolder();
afterAll(async () => {
  await removeTree(folder.path);
});

let count = 0;
function newTree(): string {
  count += 1;
  return join(folder.path, `tree${count}`);
}

test('unpacks read-only and finds on the disk the digest that was ordered', async () => {
  const shelf = newShelf();
  const digest = shelf.store({ 'b/run.sh': '#!/bin/sh\n', 'a.txt': 'a', 'b/c/d.txt': 'ü' });
  const tree = newTree();
  expect(await unpackArtifact({ digest, folder: tree, blobs: shelf.source })).toBe(digest);
  expect(readFileSync(join(tree, 'b/c/d.txt'), 'utf8')).toBe('ü');
  expect([statSync(join(tree, 'b/run.sh')).mode & 0o777, statSync(join(tree, 'a.txt')).mode & 0o777]).toEqual([
    0o555, 0o444,
  ]);
  shelf.blobs.clear();
  // Complete on the disk: a second start needs no API.
  expect(await unpackArtifact({ digest, folder: tree, blobs: shelf.source })).toBe(digest);
});

test('a tree that was changed, added to, linked or thinned out has another digest, and is put right', async () => {
  const shelf = newShelf();
  const digest = shelf.store({ 'a.txt': 'a', 'b.txt': 'b' });
  const tree = newTree();
  const manifest = shelf.blobs.get(digest) ?? '';
  const changes = [
    () => writeFileSync(join(tree, 'a.txt'), 'x'),
    () => writeFileSync(join(tree, 'c.txt'), 'c'),
    () => rmSync(join(tree, 'a.txt')),
    () => chmodSync(join(tree, 'a.txt'), 0o755),
    () => [rmSync(join(tree, 'a.txt')), writeFileSync(`${tree}.a`, 'a'), symlinkSync(`${tree}.a`, join(tree, 'a.txt'))],
  ];
  for (const change of changes) {
    await unpackArtifact({ digest, folder: tree, blobs: shelf.source });
    chmodSync(tree, 0o700);
    if (existsSync(join(tree, 'a.txt'))) chmodSync(join(tree, 'a.txt'), 0o600);
    change();
    expect(await hashTree(manifest, tree)).not.toBe(digest);
  }
  expect(await unpackArtifact({ digest, folder: tree, blobs: shelf.source })).toBe(digest);
});

test.each(['../out', '/abs', 'a/../../out', 'a//b', './a', 'a\\b', 'C:/x', '', 'a\0b'])(
  'refuses the path %j',
  async (path) => {
    const { blobs, source } = newShelf();
    const digest = storeManifest(blobs, {
      v: 1,
      files: [{ path, mode: 'file', sizeBytes: 0, sha256: '0'.repeat(64) }],
    });
    await expect(unpackArtifact({ digest, folder: newTree(), blobs: source })).rejects.toMatchObject({
      code: 'bad_manifest',
    });
  },
);

test.each([
  ['another version', { v: 2, files: [] }],
  [
    'a path twice',
    { v: 1, files: ['a', 'a'].map((path) => ({ path, mode: 'file', sizeBytes: 0, sha256: '0'.repeat(64) })) },
  ],
  ['a link', { v: 1, files: [{ path: 'a', mode: 'link', sizeBytes: 0, sha256: '0'.repeat(64) }] }],
  ['too much', { v: 1, files: [{ path: 'a', mode: 'file', sizeBytes: 2 ** 40, sha256: '0'.repeat(64) }] }],
])('refuses a manifest with %s', async (_name, manifest) => {
  const { blobs, source } = newShelf();
  const digest = storeManifest(blobs, manifest);
  await expect(unpackArtifact({ digest, folder: newTree(), blobs: source })).rejects.toMatchObject({
    code: 'bad_manifest',
    retryable: false,
  });
});

test('refuses bytes that are not those of their digest, and a missing blob may be tried again', async () => {
  const shelf = newShelf();
  const digest = shelf.store({ 'a.txt': 'right' });
  const [blob = ''] = [...shelf.blobs.keys()];
  for (const text of ['wrong', 'right and more']) {
    shelf.blobs.set(blob, text);
    const tree = newTree();
    await expect(unpackArtifact({ digest, folder: tree, blobs: shelf.source })).rejects.toMatchObject({
      code: 'digest_mismatch',
    });
    expect(existsSync(tree)).toBe(false);
  }
  shelf.blobs.delete(blob);
  await expect(unpackArtifact({ digest, folder: newTree(), blobs: shelf.source })).rejects.toMatchObject({
    retryable: true,
  });
});
