import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { folderStore } from '@proviso/evidence';
import { type TarEntry, tarOf, type ZipEntry, zipOf } from '@proviso/testkit';
import { type FreezeResult, freezeArchive, type Limits } from './index.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'proviso-archive-'));
  await mkdir(join(scratch, 'temp'));
});
afterEach(async () => {
  expect((await readdir(scratch)).filter((name) => !['temp', 'evidence'].includes(name))).toEqual([]);
  expect(await readdir(join(scratch, 'temp'))).toEqual([]);
  await rm(scratch, { recursive: true, force: true });
});

const bytes = (text: string) => Buffer.from(text);

async function freeze(archive: Uint8Array, limits: Partial<Limits> = {}): Promise<FreezeResult> {
  const context = { store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp'), limits };
  return freezeArchive(archive, context, { filename: 'upload.bin' });
}

async function codeOf(archive: Uint8Array, limits: Partial<Limits> = {}): Promise<string> {
  const result = await freeze(archive, limits);
  return result.kind === 'refused' ? result.code : result.kind;
}

const good = { path: 'ok.txt', content: bytes('fine') };

describe('of any archive', () => {
  const packers: [string, (entries: { path: string; content?: Uint8Array }[]) => Buffer][] = [
    ['zip', zipOf],
    ['tar', tarOf],
    ['tar.gz', (entries) => gzipSync(tarOf(entries))],
  ];

  describe.each(packers)('as %s', (format, pack) => {
    test('the files are taken in, with where they came from', async () => {
      const result = await freeze(pack([good]));
      expect(result).toMatchObject({ kind: 'frozen', sizeBytes: 4, root: '' });
      expect(result).toMatchObject({ provenance: { kind: 'archive', format, filename: 'upload.bin' } });
    });

    test.each([
      ['../evil', 'path_escapes'],
      ['a/../../evil', 'path_escapes'],
      ['/etc/cron.d/evil', 'path_escapes'],
      ['C:/evil', 'path_escapes'],
      ['a/C:/evil', 'path_escapes'],
      ['..\\evil', 'path_escapes'],
      ['a\nb', 'path_escapes'],
      ['node_modules/../../evil', 'path_escapes'],
      ['OK.TXT', 'duplicate_path'],
      ['ok.txt', 'duplicate_path'],
      ['ok.txt/below', 'duplicate_path'],
      [Array(40).fill('d').join('/'), 'too_large'],
      ['n'.repeat(300), 'too_large'],
    ])('an entry %j is refused as %s', async (path, code) => {
      expect(await codeOf(pack([good, { path, content: bytes('evil') }]))).toBe(code);
    });

    test('folders that differ by accents composed or not are refused', async () => {
      expect(await codeOf(pack([{ path: 'caf\u00e9/a' }, { path: 'cafe\u0301/b' }]))).toBe('duplicate_path');
    });

    test('no entries, only folders and only litter are empty', async () => {
      expect(await codeOf(pack([]))).toBe('empty');
      expect(await codeOf(pack([{ path: 'a/' }, { path: 'b/' }]))).toBe('empty');
      expect(await codeOf(pack([{ path: '.DS_Store' }]))).toBe('empty');
    });

    test('each bound holds at its last good value and refuses the next', async () => {
      const three = pack([1, 2, 3].map((at) => ({ path: `f${at}`, content: Buffer.alloc(10) })));
      expect(await codeOf(three, { filesMax: 3, unpackedBytesMax: 30, fileBytesMax: 10, entriesMax: 3 })).toBe(
        'frozen',
      );
      expect(await codeOf(three, { filesMax: 2 })).toBe('too_many_files');
      expect(await codeOf(three, { entriesMax: 2 })).toBe('too_many_files');
      expect(await codeOf(three, { unpackedBytesMax: 29 })).toBe('too_large');
      expect(await codeOf(three, { fileBytesMax: 9 })).toBe('too_large');
      expect(await codeOf(three, { archiveBytesMax: three.length })).toBe('frozen');
      expect(await codeOf(three, { archiveBytesMax: three.length - 1 })).toBe('too_large');
    });

    test('every truncation and many single damaged bytes are answered, never thrown', async () => {
      const whole = pack([good, { path: 'b/c.txt', content: Buffer.alloc(700, 'text') }]);
      for (let length = 0; length < whole.length; length += 61) {
        expect(['corrupt_archive', 'not_an_archive', 'empty', 'frozen']).toContain(
          await codeOf(whole.subarray(0, length)),
        );
      }
      for (let at = 0; at < whole.length; at += 23) {
        const result = await freeze(whole.with(at, (whole[at] ?? 0) ^ 0x15));
        expect(['refused', 'frozen']).toContain(result.kind);
      }
    }, 30_000);
  });
});

describe('of a zip', () => {
  test.each<[string, ZipEntry, string]>([
    ['a symbolic link', { path: 'link', content: bytes('/etc/passwd'), unixMode: 0o120777 }, 'link_refused'],
    ['a link that stays inside', { path: 'link', content: bytes('ok.txt'), unixMode: 0o120777 }, 'link_refused'],
    ['a device', { path: 'dev', unixMode: 0o020666 }, 'special_file'],
    ['a pipe', { path: 'pipe', unixMode: 0o010666 }, 'special_file'],
    [
      'a password',
      { path: 'secret', flags: 0x801, content: bytes('twelve bytes text'), sizeClaimedBytes: 5 },
      'encrypted',
    ],
    ['strong encryption', { path: 'secret', flags: 0x841 }, 'encrypted'],
    [
      'more bytes than announced',
      { path: 'a', deflated: true, content: bytes('long'), sizeClaimedBytes: 2 },
      'corrupt_archive',
    ],
    [
      'fewer bytes than announced',
      { path: 'a', deflated: true, content: bytes('long'), sizeClaimedBytes: 9 },
      'corrupt_archive',
    ],
    ['a stored size that lies', { path: 'a', content: bytes('long'), sizeClaimedBytes: 2 }, 'corrupt_archive'],
    ['another checksum', { path: 'a', content: bytes('long'), checksum: 7 }, 'corrupt_archive'],
    ['an unknown method', { path: 'a', content: bytes('long'), method: 14 }, 'corrupt_archive'],
    ['data that is not deflated', { path: 'a', content: bytes('long'), method: 8 }, 'corrupt_archive'],
    ['a name that is no UTF-8', { path: Uint8Array.of(0x61, 0xff), flags: 0x800 }, 'path_escapes'],
    ['NUL in a name', { path: 'a\0.txt' }, 'path_escapes'],
  ])('%s is refused', async (_what, entry, code) => {
    expect(await codeOf(zipOf([good, entry]))).toBe(code);
  });

  test('a name in code page 437 and one in unannounced UTF-8 are both read', async () => {
    const result = await freeze(
      zipOf([
        { path: Uint8Array.of(0x81), flags: 0 },
        { path: 'ä', flags: 0 },
      ]),
    );
    expect(result.kind === 'frozen' && result.manifest.files.map(({ path }) => path)).toEqual(['ä', 'ü']);
  });

  test('a link in a skipped folder disturbs nobody', async () => {
    expect(await codeOf(zipOf([good, { path: 'node_modules/.bin/tsc', unixMode: 0o120777 }]))).toBe('frozen');
  });

  test('the entry is named by a printable pointer', async () => {
    const result = await freeze(zipOf([good, { path: 'a~b/\u202e..\\c' }]));
    expect(result).toMatchObject({ kind: 'refused', pointer: '/files/a~0b~1\uFFFD..\\c' });
  });
});

describe('of a tar', () => {
  test.each<[string, TarEntry, string]>([
    ['a symbolic link', { path: 'link', type: '2', linkPath: '/etc/passwd' }, 'link_refused'],
    ['a link that stays inside', { path: 'link', type: '2', linkPath: 'ok.txt' }, 'link_refused'],
    ['a hard link', { path: 'link', type: '1', linkPath: 'ok.txt' }, 'link_refused'],
    ['a device', { path: 'dev', type: '3' }, 'special_file'],
    ['a pipe', { path: 'pipe', type: '6' }, 'special_file'],
    ['an unknown type', { path: 'x', type: 'Q' }, 'special_file'],
    ['a sparse file of old GNU tar', { path: 'x', type: 'S' }, 'special_file'],
    ['a size beyond the end', { path: 'a', sizeClaimedBytes: 5000 }, 'corrupt_archive'],
    ['a huge size', { path: 'a', sizeClaimedBytes: 0o77777777777 }, 'too_large'],
    ['a huge extended header', { path: 'pax', type: 'x', content: Buffer.alloc(70_000) }, 'corrupt_archive'],
    ['a damaged extended header', { path: 'pax', type: 'x', content: bytes('99 path=x\n') }, 'corrupt_archive'],
    [
      'an extended header with a wrong size',
      { path: 'pax', type: 'x', content: bytes('11 size=-1\n') },
      'corrupt_archive',
    ],
  ])('%s is refused', async (_what, entry, code) => {
    expect(await codeOf(tarOf([good, entry]))).toBe(code);
  });

  test('a path of an extended header is judged, not the harmless one in front of it', async () => {
    const path = { path: 'pax', type: 'x', content: bytes('18 path=../../evil\n'.replace('18', '19')) };
    expect(await codeOf(tarOf([path, { path: 'harmless' }]))).toBe('path_escapes');
  });

  test('links and devices without end in a skipped folder disturb nobody', async () => {
    expect(await codeOf(tarOf([good, { path: 'node_modules/.bin/tsc', type: '2', linkPath: '../x' }]))).toBe('frozen');
  });

  test('bytes after its end are no part of it', async () => {
    expect(await codeOf(Buffer.concat([tarOf([good]), Buffer.alloc(200_000, 'x')]))).toBe('frozen');
  });
});

test.each([
  ['text', bytes('hello, this is no archive')],
  ['a rar', bytes('Rar!\x1a\x07\x00')],
  ['gzipped text', gzipSync('hello, this is no archive')],
  ['many zero-free bytes', Buffer.alloc(2000, 'x')],
])('%s is not an archive', async (_what, content) => {
  expect(await codeOf(content)).toBe('not_an_archive');
});

test('an upload that breaks off is a failure of the line and worth a retry', async () => {
  async function* breaking(): AsyncGenerator<Uint8Array> {
    yield zipOf([good]).subarray(0, 20);
    throw new Error('socket hang up');
  }
  const context = { store: folderStore(join(scratch, 'evidence')), tempFolder: join(scratch, 'temp') };
  const failure = await freezeArchive(breaking(), context).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'source_broke', retryable: true });
});
