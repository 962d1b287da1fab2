import { createHash } from 'node:crypto';
import { type ManifestFile, manifestBytes, manifestOf, parseManifest } from './manifest.ts';

const file = (path: string, more: Partial<ManifestFile> = {}): ManifestFile => ({
  path,
  mode: 'file',
  sizeBytes: 1,
  sha256: createHash('sha256').update('x').digest('hex'),
  ...more,
});

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (json: string) => new TextEncoder().encode(json);

describe('the manifest', () => {
  test('has its files in the order of the bytes of their paths', () => {
    const paths = ['b', 'a/b', 'a.b', 'a', '\u{1F600}', '\uFF5E', 'ä', 'Z'];
    const sorted = manifestOf(paths.map((path) => file(path))).files.map(({ path }) => path);
    expect(sorted).toEqual(['Z', 'a', 'a.b', 'a/b', 'b', 'ä', '\uFF5E', '\u{1F600}']);
  });

  test('is written as canonical JSON, whose bytes are its identity', () => {
    const bytes = manifestBytes(manifestOf([file('a"\u00e9', { mode: 'executable' })]));
    const sha256 = file('').sha256;
    expect(text(bytes)).toBe(
      `{"files":[{"mode":"executable","path":"a\\"é","sha256":"${sha256}","sizeBytes":1}],"v":1}`,
    );
    expect(manifestBytes(parseManifest(bytes))).toEqual(bytes);
  });
});

describe('a document that a stranger stored is no manifest', () => {
  const valid = text(manifestBytes(manifestOf([file('a'), file('b')])));

  test.each([
    ['of something else', 'not json'],
    ['of another version', valid.replace('"v":1', '"v":2')],
    ['with a space', valid.replace('"v":1', '"v": 1')],
    ['with a further key', valid.replace('"v":1', '"v":1,"w":1')],
    ['without files', '{"files":[],"v":1}'],
    ['with files out of order', text(bytesOf(valid)).replace('"path":"a"', '"path":"c"')],
    ['with a file twice', valid.replace('"path":"b"', '"path":"a"')],
    ['with names that are one', valid.replace('"path":"a"', '"path":"B"')],
    ['with a path out of the folder', valid.replace('"path":"b"', '"path":"b/../../c"')],
    ['with an absolute path', valid.replace('"path":"a"', '"path":"/a"')],
    ['with a file in a file', valid.replace('"path":"b"', '"path":"a/b"')],
    ['with a negative size', valid.replace('"sizeBytes":1', '"sizeBytes":-1')],
    ['with a huge size', valid.replace('"sizeBytes":1', '"sizeBytes":1e400')],
    ['with a hash in capitals', valid.replace(/"sha256":"[0-9a-f]/, '"sha256":"A')],
    ['with an unknown mode', valid.replace('"mode":"file"', '"mode":"symlink"')],
    ['of null', 'null'],
    ['with null as a file', '{"files":[null],"v":1}'],
  ])('when it is one %s', (_what, json) => {
    expect(() => parseManifest(bytesOf(json))).toThrow(expect.objectContaining({ code: 'manifest_invalid' }));
  });
});
