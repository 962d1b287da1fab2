import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findUntidiness } from './tidy/run.ts';

let tree: string;

/** A small tree that breaks no rule; each test breaks one. */
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'proviso-tidy-'));
  write('package.json', '{ "dependencies": { "pg": "8.16.3" } }');
  write('package-lock.json', '{ "packages": {} }');
  write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n');
  write('examples/helpdesk/leaky/key.txt', 'x');
  write('libs/domain/src/index.ts', "export { gate } from './gate.ts';\n");
  write('libs/domain/src/gate.ts', '/** One condition. */\nexport const gate = 1;\n');
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

const found = () => findUntidiness(tree).map(({ path, line, rule }) => `${path}:${line} ${rule}`);

test('a tidy tree has no findings', () => {
  expect(found()).toEqual([]);
});

// Written in pieces, because this file is checked by the very rules it plants.
const GATE = 'libs/domain/src/gate.ts';
const TEST = 'libs/domain/src/gate.test.ts';
const piece = (...parts: string[]) => parts.join('');
const lines = (count: number, line: string) => `${line}\n`.repeat(count);

test.each([
  ['file-length', GATE, 1, lines(401, '// a reason')],
  ['function-length', GATE, 2, `// why\nexport function long() {\n${lines(69, '  gate();')}}\n`],
  ['function-length', TEST, 1, `test('x', () => {\n${lines(69, '  gate();')}});\n`],
  ['export-comment', GATE, 1, 'export const gate = 1;\n'],
  ['export-star', 'libs/domain/src/index.ts', 1, "export * from './gate.ts';\n"],
  ['default-export', GATE, 2, '// why\nexport default 1;\n'],
  ['index-form', 'libs/domain/src/index.ts', 2, "export { gate } from './gate.ts';\nconst x = 1;\n"],
  ['index-place', 'libs/domain/src/gate/index.ts', 1, "export { gate } from '../gate.ts';\n"],
  ['declaration-name', GATE, 2, '// why\nexport interface IGate {}\n'],
  ['declaration-name', GATE, 2, '// why\nexport class GateImpl {}\n'],
  ['todo', GATE, 1, piece('// TO', 'DO later\n')],
  ['banner', GATE, 1, `// ${'-'.repeat(20)}\n`],
  ['commented-out', GATE, 1, '// const gate = open();\n'],
  ['ts-ignore', GATE, 1, piece('// @ts-', 'ignore\n')],
  ['any', GATE, 1, piece('const gate = 1 as a', 'ny;\n')],
  ['environment', GATE, 1, 'const home = process.env.HOME;\n'],
  ['knows-examples', GATE, 1, piece("const demo = 'exam", "ples/helpdesk';\n")],
  ['knows-examples', GATE, 1, "const demo = 'leaky';\n"],
  ['skipped-test', TEST, 1, "test.only('x', () => {});\n"],
  ['skipped-test', TEST, 1, "describe.skip('x', () => {});\n"],
  ['skipped-test', TEST, 1, "xit('x', () => {});\n"],
  ['mock', TEST, 1, "jest.mock('pg');\n"],
  ['empty-test', TEST, 1, 'expect(true).toBe(true);\n'],
  ['pin', 'package.json', 2, '{ "dependencies": {\n "pg": "^8.16.3" } }'],
  ['unused-room', 'libs/domain/package.json', 2, '{ "dependencies": {\n "@proviso/judge": "0.1.0" } }'],
  ['lock', 'package-lock.json', 2, '{\n"resolved": "https://registry.example/x"}'],
  ['changelog', 'CHANGELOG.md', 3, '# Changelog\n\n## 1.0.0\n'],
  ['extension', 'libs/domain/notes.doc', 1, 'x'],
  ['blob', 'libs/domain/data.json', 1, 'x'.repeat(1024 * 1024 + 1)],
])('finds %s in %s:%i', (rule, path, line, text) => {
  write(path, text);
  expect(found()).toContain(`${path}:${line} ${rule}`);
});

test.each(['string-utils', 'helpers', 'test-types', 'gateKeeper', 'gate.service'])('finds the name %s', (name) => {
  write(`libs/domain/src/${name}.ts`, '// a reason\n');
  expect(found()).toContain(`libs/domain/src/${name}.ts:1 file-name`);
});

test('finds a file that nobody imports or starts', () => {
  write('libs/domain/src/forgotten.ts', '// a reason\n');
  expect(found()).toEqual(['libs/domain/src/forgotten.ts:1 dead-file']);
});

test('a describe may be long, and a comment may name an issue', () => {
  write(TEST, piece('// TO', `DO (#12) later\ndescribe('x', () => {\n${lines(80, "  test('y', check);")}});\n`));
  expect(found()).toEqual([]);
});

test('a slash in a text is no comment', () => {
  write(GATE, piece('/** The address. */\nexport const gate = `http://x TO', 'DO`;\n'));
  expect(found()).toEqual([]);
});

test('the program prints file, line and rule, and its exit code fails the check', () => {
  write(GATE, 'export const gate = 1;\n');
  const program = fileURLToPath(new URL('tidy.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [program, '--root', tree], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain(`${GATE}:1 export-comment: expected a comment on an exported name`);
});
