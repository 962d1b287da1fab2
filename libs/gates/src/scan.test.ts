import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GateBreakage, type GateOutcome } from './outcome.ts';
import { runChild } from './child-process.ts';
import { scanCandidate } from './scan.ts';
import { type SecretTool, installedSecretlint } from './secretlint.ts';

let home = '';
let stored: string[] = [];
const key = ['SG', 'invented_for_this_test', 'it_opens_nothing'.padEnd(43, '_')].join('.');

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'scan-test-'));
  stored = [];
  await mkdir(join(home, 'scratch'));
});

afterEach(() => rm(home, { recursive: true, force: true }));

async function scan(
  files: Readonly<Record<string, string | Uint8Array>>,
  { tool, builtFolder }: { readonly tool?: SecretTool; readonly builtFolder?: string } = {},
): Promise<GateOutcome> {
  const folder = join(home, 'candidate');
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const evidence = {
    put: async (bytes: Uint8Array) => {
      stored.push(Buffer.from(bytes).toString());
      return { digest: `sha256:${'0'.repeat(63)}${stored.length}` as const };
    },
  };
  const ports = { evidence, signal: new AbortController().signal, run: runChild, ...(tool && { tool }) };
  const built = builtFolder === undefined ? {} : { builtFolder };
  return await scanCandidate({ folder, ...built, scratchFolder: join(home, 'scratch'), timeoutMs: 10_000 }, ports);
}

function places(outcome: GateOutcome): string[] {
  return outcome.reasons
    .filter((each) => each.line !== undefined)
    .map((each) => `${each.code} ${each.file}:${each.line}`);
}

test('passes clean text and says what it did not look into', async () => {
  const outcome = await scan({ 'a.mjs': 'export const a = 1;\n', 'logo.png': Uint8Array.of(0x89, 0, 1, 2) });
  expect(outcome.verdict).toBe('pass');
  expect(outcome.reasons.map((reason) => reason.code)).toEqual(['no_secrets_found', 'files_not_scanned']);
  expect(outcome.controls.every((control) => control.observed === 'found')).toBe(true);
  expect(outcome.evidence).toMatchObject([{ kind: 'scan_report', tool: { name: 'secretlint' } }]);
});

test('fails on a key with its file and line, and keeps the key nowhere', async () => {
  const outcome = await scan({ 'src/mail.mjs': `// mail\n\nconst key = '${key}';\n` });
  expect(outcome.verdict).toBe('fail');
  expect(places(outcome)).toEqual(['secret_found src/mail.mjs:3']);
  expect(JSON.stringify(outcome) + stored.join()).not.toContain('invented_for_this_test');
  expect(await readdir(join(home, 'scratch'))).toEqual([]);
});

test('finds a key that only what was built holds', async () => {
  const builtFolder = join(home, 'built');
  await mkdir(join(builtFolder, 'dist'), { recursive: true });
  await writeFile(join(builtFolder, 'dist/index.js'), `\nlet k="${key}"`);
  const outcome = await scan({ 'a.mjs': 'export const a = 1;\n' }, { builtFolder });
  expect(places(outcome)).toEqual(['secret_found dist/index.js:2']);
});

test('finds a key whatever the candidate does to hide it', async () => {
  const line = `const key = '${key}';\n`;
  const outcome = await scan({
    '.gitignore': '*\n',
    '.secretlintignore': '**/*\n',
    '.secretlintrc.json': JSON.stringify({ rules: [], note: key }),
    'commented.mjs': `// secretlint-disable\n${line}`,
    'node_modules/x/index.js': line,
    'picture.png': line,
    'wide.txt': Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from(line, 'utf16le')]),
  });
  expect(places(outcome)).toEqual([
    'secret_found .secretlintrc.json:1',
    'secret_found commented.mjs:2',
    'secret_found node_modules/x/index.js:1',
    'secret_found picture.png:1',
    'secret_found wide.txt:1',
  ]);
});

test('finds a service-role key in any text file and leaves the public one alone', async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (role: string): string => `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'x', role })}.c2ln`;
  const outcome = await scan({ 'dist/app.js': `a="${token('anon')}"\nb="${token('service_role')}"\n` });
  expect(places(outcome)).toEqual(['service_role_key_found dist/app.js:2']);
  expect(JSON.stringify(outcome) + stored.join()).not.toContain(token('service_role').slice(30, 60));
});

test('shows as many findings as a person can act on and counts the rest', async () => {
  const outcome = await scan({ 'keys.txt': `${key}\n`.repeat(25) });
  expect(places(outcome)).toHaveLength(20);
  expect(outcome.reasons[20]?.message).toBe('and 5 more, listed in the report');
});

test('does not follow a link out of the candidate', async () => {
  await mkdir(join(home, 'candidate'));
  await writeFile(join(home, 'outside.txt'), key);
  await symlink(join(home, 'outside.txt'), join(home, 'candidate', 'inside.txt'));
  const outcome = await scan({ 'a.txt': 'a' });
  expect(outcome.verdict).toBe('pass');
  expect(outcome.reasons[1]?.message).toContain('inside.txt (link)');
});

test('is inconclusive when there is nothing to scan', async () => {
  const outcome = await scan({ 'a.bin': Uint8Array.of(0, 1) });
  expect(outcome.verdict).toBe('inconclusive');
  expect(outcome.reasons[0]?.code).toBe('nothing_to_scan');
});

/** A tool in the place of the real one, to see the gate break; it may read what the real one may. */
async function broken(script: string): Promise<SecretTool> {
  const path = join(home, 'tool.mjs');
  await writeFile(path, script);
  return { ...installedSecretlint(), script: path, packagesFolder: home };
}

const listing = `
import { readdirSync, statSync } from 'node:fs';
const files = readdirSync('.', { recursive: true }).map((f) => process.cwd() + '/' + f).filter((f) => statSync(f).isFile());`;

test.each([
  ['crashes', 'process.exit(2)', 'tool_crashed', true],
  ['dies', "process.kill(process.pid, 'SIGKILL')", 'tool_crashed', true],
  ['says nothing', '', 'output_invalid', true],
  ['reports no file', "console.log('[]')", 'output_invalid', true],
  [
    'floods its output',
    "const x = 'x'.repeat(1e6); for (let i = 0; i < 50; i += 1) process.stdout.write(x);",
    'output_too_large',
    false,
  ],
])('breaks, which is no verdict, when the tool %s', async (_, script, code, retryable) => {
  const breakage = await scan({ 'a.txt': 'a' }, { tool: await broken(script) }).catch((error: unknown) => error);
  expect(breakage).toBeInstanceOf(GateBreakage);
  expect(breakage).toMatchObject({ code, retryable });
  expect(await readdir(join(home, 'scratch'))).toEqual([]);
});

test('is inconclusive when the tool does not see the planted key', async () => {
  const script = `${listing}
console.log(JSON.stringify(files.map((filePath) => ({ filePath, sourceContentType: 'text', messages: [] }))));`;
  const outcome = await scan({ 'a.txt': 'a' }, { tool: await broken(script) });
  expect(outcome.verdict).toBe('inconclusive');
  expect(outcome.reasons[0]?.code).toBe('control_missed');
});

test('gives the tool no environment', async () => {
  const outcome = await scan(
    { 'a.txt': 'a' },
    { tool: await broken('process.exit(Object.keys(process.env).length === 0 ? 3 : 4)') },
  ).catch((error: unknown) => error);
  expect(outcome).toMatchObject({ message: 'expected exit code 0 or 1, got 3' });
});

test('stops the tool when the caller gives up or its time is over', async () => {
  const tool = await broken('setInterval(() => undefined, 1000)');
  const folder = join(home, 'candidate');
  await mkdir(folder);
  await writeFile(join(folder, 'a.txt'), 'a');
  const evidence = { put: async () => ({ digest: 'sha256:0' as const }) };
  const input = { folder, scratchFolder: join(home, 'scratch'), timeoutMs: 300 };
  const late = await scanCandidate(input, {
    evidence,
    tool,
    run: runChild,
    signal: new AbortController().signal,
  }).catch((e: unknown) => e);
  expect(late).toMatchObject({ code: 'tool_timeout', retryable: true });
  const signal = AbortSignal.timeout(200);
  const gone = await scanCandidate({ ...input, timeoutMs: 20_000 }, { evidence, tool, run: runChild, signal }).catch(
    (e: unknown) => e,
  );
  expect(gone).toMatchObject({ name: 'TimeoutError' });
});
