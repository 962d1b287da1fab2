import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { folderStore } from '@proviso/evidence';
import { tarOf, zipOf } from '@proviso/testkit';
import { type FreezeResult, freezeArchive, type Limits } from './index.ts';

const MEBIBYTE = 1024 * 1024;

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-bomb-'));
  await mkdir(join(scratch, 'temp'));
});
afterEach(async () => {
  expect(await readdir(join(scratch, 'temp'))).toEqual([]);
  await rm(scratch, { recursive: true, force: true });
});

async function freeze(
  archive: Uint8Array | AsyncIterable<Uint8Array>,
  limits: Partial<Limits> = {},
): Promise<FreezeResult> {
  const context = { store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp'), limits };
  return freezeArchive(archive, context);
}

/** Bytes that were written to the store before the refusal. */
async function storedBytes(): Promise<number> {
  let stored = 0;
  for await (const { sizeBytes } of folderStore(join(scratch, 'evidence')).list()) stored += sizeBytes;
  return stored;
}

const zeros = Buffer.alloc(40 * MEBIBYTE);

test('a zip of zeros is refused by what it announces, before anything is unpacked', async () => {
  expect(await freeze(zipOf([{ path: 'zeros', content: zeros, deflated: true }]))).toMatchObject({ code: 'bomb' });
  expect(await storedBytes()).toBe(0);
});

test('a zip of zeros that announces little is refused at the first byte too many', async () => {
  const lying = { path: 'zeros', content: zeros, deflated: true, sizeClaimedBytes: 10 };
  expect(await freeze(zipOf([lying]))).toMatchObject({ code: 'corrupt_archive' });
  expect(await storedBytes()).toBe(0);
});

test('a zip whose thousand entries share the same data is refused by the sum of them', async () => {
  const content = Buffer.alloc(MEBIBYTE);
  const first = { path: 'f0', content, deflated: true };
  const others = Array.from({ length: 999 }, (_, at) => ({ ...first, path: `f${at + 1}`, sharesDataOf: 0 }));
  expect(await freeze(zipOf([first, ...others]))).toMatchObject({ code: 'bomb' });
  expect(await storedBytes()).toBeLessThan(12 * MEBIBYTE);
});

test('a gzipped tar of zeros is refused while it is unpacked', async () => {
  expect(await freeze(gzipSync(tarOf([{ path: 'zeros', content: zeros }])))).toMatchObject({ code: 'bomb' });
});

test('zeros in a skipped folder, before the first header and after the end are refused too', async () => {
  const good = { path: 'ok', content: Buffer.from('fine') };
  const inSkipped = tarOf([{ path: 'node_modules/zeros', content: zeros }, good]);
  expect(await freeze(gzipSync(inSkipped))).toMatchObject({ code: 'bomb' });
  expect(await freeze(gzipSync(Buffer.concat([tarOf([good]), zeros])))).toMatchObject({ code: 'bomb' });
  expect(await freeze(gzipSync(zeros))).toMatchObject({ code: 'bomb' });
});

test('an archive in an archive is just a file', async () => {
  const inner = gzipSync(zeros, { level: 9 });
  expect(await freeze(zipOf([{ path: 'inner.gz', content: inner }]))).toMatchObject({ kind: 'frozen' });
});

test('an endless upload is cut off at the size of an archive', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given += 1;
      yield new Uint8Array(64 * 1024);
    }
  }
  expect(await freeze(endless(), { archiveBytesMax: 4 * MEBIBYTE })).toMatchObject({ code: 'too_large' });
  expect(given).toBeLessThanOrEqual(65);
});

/** Freezes the archive files of its arguments one after the other and prints each answer and the growth of memory. */
const childSource = `
  import { createReadStream } from 'node:fs';
  import { folderStore } from '@proviso/evidence';
  const [module, scratch, ...archives] = process.argv.slice(1);
  const { freezeArchive } = await import(module);
  const context = { store: folderStore(scratch + '/evidence'), tempFolder: scratch + '/temp' };
  for (const archive of archives) {
    const before = process.resourceUsage().maxRSS;
    const { kind, code } = await freezeArchive(createReadStream(archive), context);
    console.log(JSON.stringify({ answer: code ?? kind, grownBytes: (process.resourceUsage().maxRSS - before) * 1024 }));
  }`;

async function freezeInChild(archives: readonly string[]): Promise<{ answer: string; grownBytes: number }[]> {
  const module = new URL('./index.ts', import.meta.url).href;
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const parameters = ['--input-type=module', '-e', childSource, module, scratch, ...archives];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('the memory stays flat over 80 MiB of files and over bombs of a gibibyte', async () => {
  const small = gzipSync(tarOf([{ path: 'a', content: Buffer.alloc(300_000, 'warm up') }]));
  const large = tarOf(['a', 'b'].map((path) => ({ path, content: randomBytes(40 * MEBIBYTE) })));
  // Members of a gzip stream may follow one another, so a gibibyte is one member repeated.
  const members = Array<Buffer>(26).fill(gzipSync(zeros));
  const archives = { small, large, bomb: Buffer.concat(members) };
  for (const [name, content] of Object.entries(archives)) await writeFile(join(scratch, name), content);
  const answers = await freezeInChild(Object.keys(archives).map((name) => join(scratch, name)));
  expect(answers.map(({ answer }) => answer)).toEqual(['frozen', 'frozen', 'bomb']);
  for (const { grownBytes } of answers.slice(1)) expect(grownBytes).toBeLessThan(40 * MEBIBYTE);
}, 60_000);
