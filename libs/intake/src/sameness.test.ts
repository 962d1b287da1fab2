import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { folderStore } from '@proviso/evidence';
import { tarOf, zipOf } from '@proviso/testkit';
import fc from 'fast-check';
import { create } from 'tar';
import { type FreezeResult, freezeArchive, freezeFolder } from './index.ts';

type Leaf = { readonly path: string; readonly content: Uint8Array; readonly executable: boolean };

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-sameness-'));
  await mkdir(join(scratch, 'temp'));
});
afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const context = () => ({ store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp') });

function digestOf(result: FreezeResult): string {
  return result.kind === 'frozen' ? result.artifactDigest : `${result.code}: ${result.message}`;
}

/** Names that differ by more than case and accents, of one to three folders, some of them long or not of ASCII. */
const names = fc.constantFrom(
  'src',
  'index.js',
  'a b',
  'grüße',
  '日本',
  'x'.repeat(120),
  'read-me',
  '.env',
  'z'.repeat(90),
);
const leaves = fc.record({
  path: fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  content: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 500, max: 1500 }).map((n) => new Uint8Array(n).fill(n)),
  ),
  executable: fc.boolean(),
});
/** Keeps of each clash, such as a file that is also a folder, only the first leaf. */
const trees = fc.array(leaves, { minLength: 1, maxLength: 8 }).map((all) =>
  all.filter((leaf, at) =>
    all.slice(0, at).every(({ path }) => {
      const clash = path === leaf.path || path.startsWith(`${leaf.path}/`) || leaf.path.startsWith(`${path}/`);
      return !clash;
    }),
  ),
);

const modeOf = (leaf: Leaf) => (leaf.executable ? 0o755 : 0o644);

async function writeTree(folder: string, tree: readonly Leaf[]): Promise<void> {
  for (const leaf of tree) {
    const path = join(folder, leaf.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, leaf.content);
    await chmod(path, modeOf(leaf));
    await utimes(path, leaf.content.length * 1000, leaf.content.length * 1000);
  }
}

test('the same tree has one digest as a folder, a zip, a tar and a gzipped tar, in any order and wrapping', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(trees, fc.constantFrom('', 'demo/', 'demo/v2/'), async (tree, wrapping) => {
      run += 1;
      const folder = join(scratch, `tree-${run}`);
      await writeTree(folder, tree);
      const wrapped = tree.map((leaf) => ({ ...leaf, path: wrapping + leaf.path }));
      const zipEntries = wrapped.map((leaf, at) => ({
        ...leaf,
        unixMode: 0o100000 | modeOf(leaf),
        deflated: at % 2 === 0,
      }));
      const tarEntries = wrapped.map((leaf) => ({ ...leaf, path: `./${leaf.path}`, mode: modeOf(leaf) })).toReversed();
      const packed = create({ cwd: folder, sync: true, portable: true }, await readdir(folder)).read();
      const expected = digestOf(await freezeFolder(folder, context()));
      expect(expected).toMatch(/^sha256:/);
      for (const archive of [zipOf(zipEntries), tarOf(tarEntries), gzipSync(tarOf(tarEntries)), packed]) {
        expect(digestOf(await freezeArchive(Buffer.from(archive ?? []), context()))).toBe(expected);
      }
    }),
    { numRuns: 40 },
  );
  expect(await readdir(join(scratch, 'temp'))).toEqual([]);
}, 60_000);

test('a name of many characters is whole wherever the chunks of a gzipped tar are cut', async () => {
  const longName = '日本語'.repeat(25);
  const entries = Array.from({ length: 200 }, (_, at) => ({
    path: `${longName}-${at}`,
    content: Buffer.alloc(at * 7),
  }));
  const tar = tarOf(entries);
  const answers = await Promise.all([
    freezeArchive(tar, context()),
    freezeArchive(gzipSync(tar), context()),
    freezeArchive(zipOf(entries), context()),
  ]);
  expect(new Set(answers.map(digestOf)).size).toBe(1);
});

test('a long name that a short header cuts behind a slash stays a file', async () => {
  const entries = [{ path: `${'z'.repeat(99)}/日本`, content: Buffer.from('x') }, { path: 'other' }];
  const [tar, zip] = await Promise.all([
    freezeArchive(tarOf(entries), context()),
    freezeArchive(zipOf(entries), context()),
  ]);
  expect(digestOf(tar)).toBe(digestOf(zip));
});

test('one bit of content, a name or the executable bit makes another digest', async () => {
  const freeze = async (path: string, content: string, unixMode: number) =>
    digestOf(await freezeArchive(zipOf([{ path, content: Buffer.from(content), unixMode }]), context()));
  const answers = await Promise.all([
    freeze('a', 'x', 0o100644),
    freeze('a', 'y', 0o100644),
    freeze('b', 'x', 0o100644),
    freeze('a', 'x', 0o100755),
  ]);
  expect(new Set(answers).size).toBe(4);
  expect(await freeze('a', 'x', 0o100600)).toBe(answers[0]);
});

test('litter is left out and told, and does not hide a single top folder', async () => {
  const entries = ['demo/a.txt', 'demo/.git/HEAD', 'demo/node_modules/b/c.js', '__MACOSX/demo/._a', 'demo/.DS_Store'];
  const clean = await freezeArchive(zipOf([{ path: 'a.txt' }]), context());
  for (const pack of [zipOf, tarOf]) {
    const result = await freezeArchive(pack(entries.map((path) => ({ path }))), context());
    expect(digestOf(result)).toBe(digestOf(clean));
    expect(result).toMatchObject({
      root: 'demo',
      skipped: [
        { path: 'demo/.git', rule: '.git' },
        { path: 'demo/node_modules', rule: 'node_modules' },
        { path: '__MACOSX', rule: '__macosx' },
        { path: 'demo/.DS_Store', rule: '.ds_store' },
      ],
    });
  }
});
