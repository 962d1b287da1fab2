import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
let packed: { readonly filename: string; readonly files: readonly { readonly path: string }[] };

/** Somebody else's project, with nothing of ours but the package. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-client-'));
  const [made, installed] = [join(folder, 'made'), join(folder, 'node_modules/@proviso/client')];
  run(process.execPath, ['tools/client-package.mjs', made], root);
  [packed = { filename: '', files: [] }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts'], made));
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', join(made, packed.filename), '--strip-components=1', '-C', installed], folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`expected ${command} to end well, got ${String(status)}: ${stdout}${stderr}`);
  return stdout;
}

describe('the client as a package', () => {
  it('holds what runs with its declarations, and nothing else of ours', () => {
    const odd = packed.files
      .map(({ path }) => path)
      .filter((path) => !/^(dist\/.+\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path));
    expect(odd).toEqual([]);
  });

  it('runs in a project that has nothing of ours', () => {
    const code = `import { connect, followLive, LiveRefused, readPromotion } from '@proviso/client';
      const client = connect({ baseUrl: 'http://127.0.0.1:1', token: 'prv_x' });
      console.log(typeof client.get, typeof followLive, typeof readPromotion, new LiveRefused(401).status);`;
    writeFileSync(join(folder, 'use.js'), code);
    expect(run(process.execPath, ['use.js'], folder).trim()).toBe('function function function 401');
  });

  it('is typed for browsers: what the API promises is known, and what it does not is a mistake', () => {
    const compile = (line: string) => {
      writeFileSync(join(folder, 'use.ts'), `import { connect, readPromotion } from '@proviso/client';\n${line}\n`);
      const options = '--noEmit --strict --target es2022 --module nodenext --types --lib es2024,dom,dom.iterable'.split(
        ' ',
      );
      const compiler = join(root, 'node_modules/typescript/bin/tsc');
      return spawnSync(process.execPath, [compiler, ...options, 'use.ts'], { cwd: folder, encoding: 'utf8' }).stdout;
    };
    const asked = `const { data } = await readPromotion({ client: connect({ baseUrl: '', token: '' }), path: { id: '' } });`;
    expect(compile(`${asked} const told: string | undefined = data?.headline; console.log(told);`)).toBe('');
    expect(compile(`${asked} console.log(data?.headlin);`)).toContain("Property 'headlin' does not exist");
  }, 60_000);
});
