import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderStore } from '@proviso/evidence';
import { tarOf, zipOf } from '@proviso/testkit';
import fc from 'fast-check';
import { freezeArchive, freezeFolder, materialise } from './index.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-hostile-'));
  await mkdir(join(scratch, 'temp'));
});
afterEach(async () => {
  await rm(scratch, { recursive: true, force: true });
});

/** Most of them are refused; a good part is only odd and must come out again as it went in. */
const segments = fc.constantFrom(
  '..',
  '.',
  '',
  'a',
  'A',
  'b',
  'C:',
  '...',
  '~',
  '%2e%2e',
  '．．',
  ' ',
  'a\\b',
  'n\0',
  '-rf',
);
const paths = fc.array(segments, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const contents = fc.uint8Array({ maxLength: 8 });
const zipModes = fc.constantFrom(0o100644, 0o100755, 0o120777, 0o040755, 0);
const tarTypes = fc.constantFrom('0', '0', '0', '1', '2', '5', '\0', 'x', 'L', 'g');
const zips = fc
  .array(fc.record({ path: paths, content: contents, unixMode: zipModes }), { minLength: 1, maxLength: 4 })
  .map((entries) => zipOf(entries));
const tars = fc
  .array(fc.record({ path: paths, content: contents, type: tarTypes, linkPath: paths }), { minLength: 1, maxLength: 4 })
  .map((entries) => tarOf(entries));

test('whatever a hostile archive holds, it is refused or comes out inside the folder with the same digest', async () => {
  const context = { store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp') };
  const seen = { frozen: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.oneof(zips, tars), async (archive) => {
      const result = await freezeArchive(archive, context);
      seen[result.kind] += 1;
      if (result.kind === 'refused') return;
      await mkdir(join(scratch, 'cage'));
      await materialise(context.store, result.artifactDigest, join(scratch, 'cage', 'out'));
      expect(await readdir(join(scratch, 'cage'))).toEqual(['out']);
      expect((await readdir(scratch)).toSorted()).toEqual(['cage', 'evidence', 'temp']);
      const again = await freezeFolder(join(scratch, 'cage', 'out'), context);
      expect(again).toMatchObject({ artifactDigest: result.artifactDigest });
      await rm(join(scratch, 'cage'), { recursive: true });
    }),
    { numRuns: 400 },
  );
  expect(seen.frozen).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(100);
  expect(await readdir(join(scratch, 'temp'))).toEqual([]);
}, 60_000);
