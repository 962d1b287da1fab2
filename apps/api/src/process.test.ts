import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@proviso/testkit';
import { policySource } from './deployment.contract.ts';

/** A durable server of its own: the processes refuse one that would forget what it acknowledged. */
let postgres: Awaited<ReturnType<typeof startPostgres>>;
let folder: string;
let environment: Record<string, string>;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const passwords = { app: 'app-password', pump: 'pump-password' };

beforeAll(async () => {
  [postgres, folder] = await Promise.all([startPostgres(), mkdtemp(join(tmpdir(), 'proviso-process-'))]);
  const url = new URL(postgres.url);
  url.username = 'proviso_app';
  url.password = passwords.app;
  environment = {
    PROVISO_DATABASE_URL: url.href,
    PROVISO_API_PORT: '0',
    PROVISO_EVIDENCE: folder,
    PROVISO_VAULT_KEY: '5'.repeat(64),
    PROVISO_ORIGIN: 'test',
    PROVISO_SUPERUSER_URL: postgres.url,
    PROVISO_APP_PASSWORD: passwords.app,
    PROVISO_PUMP_PASSWORD: passwords.pump,
  };
});

afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(entry: string, over: Record<string, string> = {}): ChildProcess {
  const args = ['--import', './tools/decorators.mjs', `apps/api/src/${entry}`];
  return spawn(process.execPath, args, { cwd: root, env: { ...environment, ...over }, stdio: 'pipe' });
}

async function ended(child: ChildProcess, input = '') {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Buffer) => (texts[name] += chunk.toString()));
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...texts };
}

/** Resolves with the address that the process says it listens on. */
async function listening(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stderr ?? []) {
    text += String(chunk);
    const found = /"address":"([^"]+)"/.exec(text);
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error(`expected it to listen, got ${text}`);
}

const form = JSON.stringify({
  workspace: { id: `wsp_${'1'.repeat(32)}`, name: 'first' },
  people: [
    { key: 'petra', name: 'Petra', principal: 'human', bindings: [{ role: 'policy-owner' }], token: true },
    ...['sam', 'kim'].map((key) => {
      return { key, name: key, principal: 'human', bindings: [{ role: 'approver', group: 'security' }] };
    }),
    { key: 'edge', name: 'Edge', principal: 'service', bindings: [{ role: 'edge' }], token: true },
  ],
  policies: [{ source: policySource }],
});

describe('the processes', () => {
  it('found a deployment once, serve it, and end when they are told to', async () => {
    const first = await ended(start('bootstrap.ts'), form);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const told = JSON.parse(first.stdout) as { people: { petra: { id: string; token: string } } };
    expect(told.people.petra.token).toMatch(/^prv_[A-Za-z0-9_-]{43}$/);
    const again = JSON.parse((await ended(start('bootstrap.ts'), form)).stdout) as typeof told;
    expect(again.people.petra).toEqual({ id: told.people.petra.id });
    const api = start('main.ts');
    const address = await listening(api);
    const headers = { authorization: `Bearer ${told.people.petra.token}` };
    const policies = (await (await fetch(`${address}/v1/policies`, { headers })).json()) as { items: object[] };
    expect(policies.items).toMatchObject([{ name: 'careful', version: 1 }]);
    const live = await fetch(`${address}/v1/events`, { headers });
    expect(live.status).toBe(200);
    api.kill('SIGTERM');
    expect((await ended(api)).code).toBe(0);
    expect(await live.text()).toBe(': connected\n\n');
  }, 30_000);

  it('open another workspace in a prepared database without the rights to change it', async () => {
    await ended(start('bootstrap.ts'), form);
    const second = JSON.stringify({
      workspace: { id: `wsp_${'2'.repeat(32)}`, name: 'second' },
      people: [{ key: 'ada', name: 'Ada', principal: 'human', bindings: [{ role: 'administrator' }], token: true }],
    });
    const opened = await ended(start('bootstrap.ts', { PROVISO_SUPERUSER_URL: '' }), second);
    expect([opened.code, opened.stderr]).toEqual([0, '']);
    const told = JSON.parse(opened.stdout) as { people: { ada: { token: string } } };
    const api = start('main.ts');
    const address = await listening(api);
    const headers = { authorization: `Bearer ${told.people.ada.token}` };
    const people = (await (await fetch(`${address}/v1/people`, { headers })).json()) as { items: object[] };
    expect(people.items).toMatchObject([{ name: 'Ada', roles: [{ role: 'administrator' }] }]);
    api.kill('SIGTERM');
    await ended(api);
  }, 30_000);

  it('say which setting is wrong and give nothing of it away', async () => {
    const { code, stderr } = await ended(
      start('main.ts', { PROVISO_VAULT_KEY: 'secret-but-short', PROVISO_API_PORT: 'http' }),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('PROVISO_VAULT_KEY: expected 64 hexadecimal digits, got something else');
    expect(stderr).toContain('PROVISO_API_PORT: expected a port from 0 to 65535');
    expect(stderr).not.toContain('secret-but-short');
  });

  it('say that a port is taken', async () => {
    await ended(start('bootstrap.ts'), form);
    const taken: Server = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    const { code, stderr } = await ended(start('main.ts', { PROVISO_API_PORT: String(port) }));
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toContain('expected a free port in PROVISO_API_PORT, got one that is taken');
  }, 30_000);

  it('refuse another vault key than the one that the database was sealed with, in one line', async () => {
    await ended(start('bootstrap.ts'), form);
    for (const entry of ['main.ts', 'bootstrap.ts']) {
      const { code, stderr } = await ended(start(entry, { PROVISO_VAULT_KEY: '7'.repeat(64) }), form);
      expect([entry, code, stderr.trim().split('\n').length]).toEqual([entry, 1, 1]);
      expect(stderr).toContain('expected the key in PROVISO_VAULT_KEY that this database was sealed with, got another');
      expect(stderr).not.toContain('7777');
    }
  }, 30_000);

  it('refuse a database role with more rights than the product may have', async () => {
    const { code, stderr } = await ended(start('main.ts', { PROVISO_DATABASE_URL: postgres.url }));
    expect(code).toBe(1);
    expect(stderr).toContain('expected the role proviso_app');
  });
});
