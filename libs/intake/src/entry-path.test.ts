import { normalize } from 'node:path';
import fc from 'fast-check';
import { checkPathBounds, foldedPath, parseEntryPath, skippedPart } from './entry-path.ts';
import { LIMITS } from './limits.ts';
import { Refused } from './refusal.ts';

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}

describe('the path of an entry', () => {
  test.each([
    ['a', 'a'],
    ['a/b.txt', 'a/b.txt'],
    ['./a//b/./c', 'a/b/c'],
    ['a/b/', 'a/b'],
    ['./', undefined],
    ['.', undefined],
    ['...', '...'],
    ['..a/b..', '..a/b..'],
    ['ab:c', 'ab:c'],
    ['grüße/日本語.md', 'grüße/日本語.md'],
    ['a b/c"d', 'a b/c"d'],
  ])('%j is read as %j', (path, expected) => {
    expect(parseEntryPath(path)).toBe(expected);
  });

  test.each([
    '../a',
    'a/../b',
    'a/..',
    '..',
    '/etc/passwd',
    '//a',
    'C:/windows',
    'c:a',
    'a\\b',
    '..\\a',
    'a\0b',
    'a\nb',
    'a\u001b[31m',
    'a\u007f',
    'a\u0085',
    'a\u202egnp.exe',
    'a\u2066b',
    'a\uFFFDb',
    'a\uD800b',
  ])('%j is refused', (path) => {
    expect(codeOf(() => parseEntryPath(path))).toBe('path_escapes');
  });

  test('never leaves the folder, whatever a hostile generator joins', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\\', '\0', 'C:', '~', '%2e%2e', '．．', '..;', ' ..', '.. ', 'a', '...'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const paths = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('/'));
    fc.assert(
      fc.property(fc.oneof(paths, fc.string({ unit: 'binary' })), (path) => {
        const refused = codeOf(() => parseEntryPath(path));
        if (refused !== undefined) return refused === 'path_escapes';
        const parsed = parseEntryPath(path);
        if (parsed === undefined) return true;
        const inside = normalize(`/root/${parsed}`);
        return inside === `/root/${parsed}` && parseEntryPath(parsed) === parsed;
      }),
      { numRuns: 20_000 },
    );
  });
});

test('paths at the bounds are taken and one step beyond is refused', () => {
  const check = (path: string) => codeOf(() => checkPathBounds(path, LIMITS));
  expect(check(Array(32).fill('d').join('/'))).toBeUndefined();
  expect(check(Array(33).fill('d').join('/'))).toBe('too_large');
  expect(check('n'.repeat(255))).toBeUndefined();
  expect(check('n'.repeat(256))).toBe('too_large');
  expect(check('ü'.repeat(128))).toBe('too_large');
  expect(check(`${'n'.repeat(255)}/${'n'.repeat(255)}/`)).toBeUndefined();
  expect(check(`${'n'.repeat(255)}/${'n'.repeat(255)}/n`)).toBe('too_large');
});

test.each([
  ['.git/config', '.git'],
  ['a/.GIT/hooks/x', 'a/.GIT'],
  ['a/node_modules/b/node_modules/c', 'a/node_modules'],
  ['docs/.DS_Store', 'docs/.DS_Store'],
  ['__MACOSX/._a', '__MACOSX'],
])('%s is left out by its rule', (path, part) => {
  expect(skippedPart(path)?.path).toBe(part);
});

test.each(['.gitignore', '.github/ci.yml', 'node_modules.md', 'a/macosx', 'git'])('%s is no litter', (path) => {
  expect(skippedPart(path)).toBeUndefined();
});

test.each([
  ['README', 'readme'],
  ['straße', 'STRASSE'],
  ['caf\u00e9', 'cafe\u0301'],
  ['\u03c3', '\u03c2'],
])('%s and %s are one name on some file system', (left, right) => {
  expect(foldedPath(left)).toBe(foldedPath(right));
});
