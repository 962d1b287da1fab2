import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildRun, RunChild } from '@proviso/gates';
import { findIsolation } from '@proviso/isolation';
import { isolatedChild } from './isolated-child.ts';

let home: string;
let run: RunChild;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'proviso-tools-'));
  await mkdir(join(home, 'work'));
  await writeFile(join(home, 'secrets.json'), 'ours');
  run = isolatedChild(await findIsolation(), join(home, 'work'));
});

afterAll(async () => {
  expect(await readdir(join(home, 'work'))).toEqual([]);
  await rm(home, { recursive: true });
});

/** A tool of one script, over a folder with one file that says hello. */
async function tool(script: string, more: Partial<ChildRun> = {}): Promise<ChildRun> {
  const [folder, packages] = [join(home, `in-${randomUUID()}`), join(home, `tool-${randomUUID()}`)];
  await mkdir(folder, { mode: 0o700 });
  await mkdir(packages, { mode: 0o755 });
  await writeFile(join(folder, 'hello.txt'), 'hello', { mode: 0o600 });
  await writeFile(join(packages, 'tool.mjs'), script);
  return {
    ...{ program: process.execPath, programArguments: [join(packages, 'tool.mjs')], folder, readable: [packages] },
    ...{ memoryMbMax: 256, timeoutMs: 10_000, outputBytesMax: 10_000, signal: new AbortController().signal },
    ...more,
  };
}

describe('a tool on what a stranger wrote', () => {
  it('reads its input at the path it has outside, and answers with its exit', async () => {
    const said = await run(
      await tool(
        `import fs from 'node:fs'; console.log(fs.readFileSync('hello.txt', 'utf8'), process.cwd()); process.exit(1);`,
      ),
    );
    expect(said).toMatchObject({ exitCode: 1, output: expect.stringMatching(/^hello .*in-/) });
  });

  it('reaches no server, no file of ours, and none of our variables', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.end('reached');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    process.env.PROVISO_TEST_SECRET = 'ours';
    const { output } = await run(
      await tool(`import fs from 'node:fs';
        const tried = async (what) => { try { return String(await what()); } catch { return 'refused'; } };
        console.log(JSON.stringify([
          await tried(async () => (await fetch('http://127.0.0.1:${port}')).text()),
          await tried(() => fs.readFileSync('${join(home, 'secrets.json')}', 'utf8')),
          await tried(() => fs.writeFileSync('hello.txt', 'changed')),
          Object.keys(process.env).filter((name) => name !== 'PROVISO_RUN').join(),
        ]));`),
    );
    delete process.env.PROVISO_TEST_SECRET;
    server.close();
    expect(JSON.parse(output)).toEqual(['refused', 'refused', 'refused', '']);
    expect(asked).toBe(0);
  });

  it('is stopped by its time, by its caller, and by what it may say', async () => {
    const forever = 'setInterval(() => undefined, 1000)';
    await expect(run(await tool(forever, { timeoutMs: 400 }))).rejects.toMatchObject({ code: 'tool_timeout' });
    const gone = await tool(forever, { signal: AbortSignal.timeout(400) });
    await expect(run(gone)).rejects.toMatchObject({ name: 'TimeoutError' });
    const flood = await tool(`import fs from 'node:fs'; for (;;) fs.writeSync(1, 'x'.repeat(4096));`);
    await expect(run(flood)).rejects.toMatchObject({ code: 'output_too_large' });
  });
});
