import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = 'libs/domain/src/words.generate.mjs';
let tree: string;

/** A tree with one generator, which writes one file. */
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'proviso-generate-'));
  for (const file of ['generate.mjs', 'pinned-node.mjs']) cpSync(join(root, 'tools', file), join(tree, 'tools', file));
  write(
    'tools/generators.mjs',
    `export const GENERATORS = [{ program: '${PROGRAM}' }];\nexport const RECORDERS = [];\n`,
  );
  write(PROGRAM, "console.log(JSON.stringify({ 'docs/words.txt': 'gate\\n' }));\n");
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function generate(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [join(tree, 'tools', 'generate.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('the check fails on a missing or stale file, writes nothing, and passes after generate', () => {
  expect(generate('--check')).toMatchObject({ status: 1 });
  expect(() => readFileSync(join(tree, 'docs/words.txt'))).toThrow('ENOENT');
  expect(generate()).toMatchObject({ status: 0 });
  expect(generate('--check')).toMatchObject({ status: 0 });
  write('docs/words.txt', 'gate, edited by hand\n');
  expect(generate('--check').stderr).toContain('docs/words.txt: expected what the generator writes');
});

test('a generator that fails or is not listed is a problem', () => {
  write(PROGRAM, 'process.exit(4);\n');
  expect(generate('--check').stderr).toContain('expected exit code 0, got 4');
  write('apps/api/src/forgotten.generate.ts', '');
  expect(generate('--check').stderr).toContain('apps/api/src/forgotten.generate.ts: expected a line');
});
