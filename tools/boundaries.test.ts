import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('boundaries.mjs', import.meta.url));
/** dependency-cruiser itself takes a second to load. */
const TEST_TIMEOUT_MS = 30_000;
let tree: string;

/** Rooms of the real names, each with an index and one file behind it, linked as npm links workspaces. */
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'proviso-boundaries-'));
  write('package.json', '{ "name": "house", "type": "module" }');
  for (const room of ['libs/domain', 'libs/judge', 'libs/evidence', 'libs/journal', 'libs/testkit', 'apps/api']) {
    const name = `@proviso/${room.split('/')[1]}`;
    write(`${room}/package.json`, JSON.stringify({ name, type: 'module', exports: './src/index.ts' }));
    write(`${room}/src/index.ts`, "export { inner } from './inner.ts';");
    write(`${room}/src/inner.ts`, 'export const inner = 1;');
    mkdirSync(join(tree, 'node_modules', '@proviso'), { recursive: true });
    symlinkSync(join(tree, room), join(tree, 'node_modules', name));
  }
  for (const name of ['pg', '@temporalio/client']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(`node_modules/${name}/index.js`, 'module.exports = {};');
  }
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function check() {
  const { status, stderr } = spawnSync(process.execPath, [program, '--root', tree], { encoding: 'utf8' });
  return { status, lines: stderr.trim().split('\n') };
}

test(
  'accepts what the table allows, and tests that use the test kit',
  () => {
    write(
      'libs/evidence/src/store.ts',
      "import { inner } from '@proviso/domain';\nimport 'node:fs';\nconsole.log(inner);",
    );
    write('libs/evidence/src/store.test.ts', "import { inner } from '@proviso/testkit';\nconsole.log(inner);");
    expect(check()).toEqual({ status: 0, lines: ['boundaries: 15 files, 0 violations'] });
  },
  TEST_TIMEOUT_MS,
);

test.each([
  ['domain imports node:fs', 'libs/domain/src/a.ts', "import 'node:fs';", 'fs: libs/domain: pure'],
  [
    'judge imports a type of node:os',
    'libs/judge/src/a.ts',
    "import type { CpuInfo } from 'node:os';\nexport type A = CpuInfo;",
    'os: libs/judge: pure',
  ],
  [
    'domain imports a lib',
    'libs/domain/src/a.ts',
    "import '@proviso/judge';",
    'libs/judge/src/index.ts: libs/domain: rooms',
  ],
  [
    'a lib imports only a type of a room it may not know',
    'libs/evidence/src/a.ts',
    "import type { inner } from '@proviso/journal';\nexport type A = typeof inner;",
    'libs/journal/src/index.ts: libs/evidence: rooms',
  ],
  [
    'a lib reaches past an index by path',
    'libs/evidence/src/a.ts',
    "import '../../domain/src/inner.ts';",
    'libs/domain/src/inner.ts: past an index',
  ],
  [
    'a lib reaches past an index by name',
    'libs/evidence/src/a.ts',
    "import '@proviso/domain/src/inner.ts';",
    '@proviso/domain/src/inner.ts: must resolve',
  ],
  [
    'a test reaches past an index',
    'libs/evidence/src/a.test.ts',
    "import '../../domain/src/inner.ts';",
    'libs/domain/src/inner.ts: past an index',
  ],
  [
    'the API talks to Temporal',
    'apps/api/src/a.ts',
    "import '@temporalio/client';",
    'node_modules/@temporalio/client/index.js: apps/api: npm',
  ],
  [
    'a package is not declared',
    'libs/journal/src/a.ts',
    "import 'pg';",
    'node_modules/pg/index.js: declared in package.json',
  ],
  [
    'the test kit is used by the product',
    'apps/api/src/a.ts',
    "import '@proviso/testkit';",
    'libs/testkit/src/index.ts: testkit is for tests',
  ],
  [
    'a lib imports an app',
    'libs/evidence/src/a.ts',
    "import '../../../apps/api/src/inner.ts';",
    'apps/api/src/inner.ts: no app imports an app',
  ],
  [
    'the checker of the kills shares code',
    'e2e/checker.ts',
    "import '@proviso/domain';",
    'libs/domain/src/index.ts: the checker stands alone',
  ],
])(
  'fails when %s',
  (_, file, text, message) => {
    write(file, text);
    const { status, lines } = check();
    expect(status).toBe(1);
    expect(lines).toContain(`${file} imports ${message}`);
  },
  TEST_TIMEOUT_MS,
);

test(
  'fails on a cycle and shows its way',
  () => {
    write('libs/journal/src/a.ts', "import './b.ts';");
    write('libs/journal/src/b.ts', "import './a.ts';");
    expect(check().lines).toContain(
      'libs/journal/src/a.ts imports libs/journal/src/b.ts → libs/journal/src/a.ts: no cycles',
    );
  },
  TEST_TIMEOUT_MS,
);
