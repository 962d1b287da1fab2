import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { createServer as createSocketServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findIsolation, type Isolation } from './isolation.ts';
import { groupOf } from './limits.ts';
import { adoptProcess, endProcess } from './marked-process.ts';
import { familyOf, identityOf, listMarked, listProcesses } from './process-table.ts';
import { newBench, until } from './sandbox-bench.ts';
import { inboundSocketOf } from './sandbox.ts';

// Real sandboxes and real attacks. What an attack must not reach is really there: the same script, run bare, reaches it.

const bench = newBench();
const secrets = mkdtempSync(join(tmpdir(), 'proviso-secret-'));
const servers: Server[] = [];
afterAll(async () => {
  await bench.clear();
  for (const server of servers) server.close();
  rmSync(secrets, { recursive: true });
});

const healthy = `import { createServer } from 'node:http';
createServer((_, response) => response.end('well')).listen(process.env.PORT, process.env.HOST);`;

async function listening(target: string | { port: number; host: string }): Promise<number> {
  const server = createSocketServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(target, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function answerOf(socketPath: string, silentMsMax = 2_000): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = get({ socketPath, path: '/', agent: false, timeout: silentMsMax }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => (text += part));
      answer.on('end', () => resolve(text));
    });
    asked.on('error', () => resolve(null)).on('timeout', () => asked.destroy());
  });
}

function membersOf(pid: number): readonly number[] {
  return [...familyOf(pid, listProcesses())];
}

test('a machine without a way says so and offers the trusted mode only', async () => {
  const isolation = await findIsolation({ way: 'none' });
  expect(isolation).toMatchObject({ way: 'none', toolchain: null });
  expect(isolation.why).toContain('only prototypes that an operator trusts');
});

describe.each(['bubblewrap', 'namespace'] as const)('in a sandbox made by %s', (way) => {
  let isolation: Isolation;
  beforeAll(async () => {
    isolation = await findIsolation({ way });
    expect(isolation).toMatchObject({ way, why: expect.stringContaining('own namespaces') });
  });

  test('nothing that is not its own is reached, by any of the attacks that reach it without', async () => {
    const lane = await bench.start(isolation, { 'main.mjs': healthy }, { port: 8_080 });
    await until('the other lane', () => answerOf(inboundSocketOf(lane.runFolder)));
    const laneSocket = inboundSocketOf(lane.runFolder);
    const unixPath = join(secrets, `${way}.sock`);
    const journal = join(secrets, 'journal');
    writeFileSync(journal, 'entries');
    const [local, anywhere] = [
      await listening({ port: 0, host: '127.0.0.1' }),
      await listening({ port: 0, host: '0.0.0.0' }),
    ];
    await listening(unixPath);
    await listening(`\0proviso-test-${way}`);
    const wish = JSON.stringify({
      tcp: [`127.0.0.1:${local}`, `127.0.0.1:${anywhere}`, `0.0.0.0:${local}`, '169.254.169.254:80', '1.1.1.1:443'],
      unix: [unixPath, laneSocket],
      abstract: [`proviso-test-${way}`],
      files: [journal, `/proc/${process.pid}/environ`, '/etc/shadow', '/root/.ssh/id_rsa', '/etc/hostname'],
      names: ['example.com', 'localhost.localdomain'],
      pids: [process.pid, lane.sandbox.pid, ...membersOf(lane.sandbox.pid)],
    });
    const bare = spawnSync(process.execPath, [new URL('./attacks/reach.mjs', import.meta.url).pathname, wish], {
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
      timeout: 10_000,
    });
    const without: Record<string, string> = JSON.parse(bare.stdout);
    const reachable = Object.keys(without).filter((name) => without[name] === 'reached');
    expect(reachable).toEqual(
      expect.arrayContaining([`tcp 127.0.0.1:${local}`, `unix ${unixPath}`, `unix ${laneSocket}`, `read ${journal}`]),
    );
    expect(reachable.length).toBeGreaterThan(10);
    const attack = await bench.start(
      isolation,
      {},
      {
        argv: [isolation.toolchain?.node ?? '', 'attacks/reach.mjs', wish],
        egress: true,
      },
    );
    await attack.sandbox.exited;
    const within: Record<string, string> = JSON.parse(attack.output());
    expect(Object.keys(within).sort()).toEqual(Object.keys(without).sort());
    expect(Object.keys(within).filter((name) => within[name] === 'reached')).toEqual([]);
  });

  test('no right that it was not given can be got, and no file outside its scratch folders can be opened', async () => {
    const kept = join(secrets, `kept-${way}`);
    writeFileSync(kept, 'kept');
    const wish = JSON.stringify([
      ...[kept, '/app/main.mjs', '/app/new', '/usr/bin/env', '/etc/passwd', '/etc/new', '/new', '/run/proviso/new'],
      ...[
        '/proc/sys/kernel/hostname',
        '/proc/sys/vm/drop_caches',
        '/proc/sysrq-trigger',
        '/opt/proviso/warden/warden.pl',
      ],
    ]);
    const attack = await bench.start(
      isolation,
      { 'main.mjs': '' },
      {
        argv: [isolation.toolchain?.node ?? '', 'attacks/seize.mjs', wish],
        egress: true,
      },
    );
    await attack.sandbox.exited;
    const got: Record<string, boolean> = JSON.parse(attack.output());
    expect(Object.keys(got).length).toBeGreaterThan(20);
    expect(Object.keys(got).filter((name) => got[name])).toEqual([]);
  });

  test('an attack that would harm a machine does nothing outside a sandbox', () => {
    for (const name of ['seize', 'fork-bomb', 'fill-disk', 'eat-memory', 'daemon']) {
      const path = new URL(`./attacks/${name}.mjs`, import.meta.url).pathname;
      const bare = spawnSync(process.execPath, [path, '[]'], { encoding: 'utf8', timeout: 5_000 });
      expect([bare.status, bare.stdout, bare.stderr]).toEqual([1, '', expect.stringContaining('inside a sandbox')]);
    }
  });

  test('nothing of our environment, descriptors or users is inherited', async () => {
    process.env.PROVISO_TEST_SECRET = 'inherited';
    const source = `import fs from 'node:fs';
      const descriptors = fs.readdirSync('/proc/self/fd').map(Number);
      const kept = descriptors.filter((number) => { try { return !/eventpoll|eventfd|pipe|io_uring|null|output|proc/.test(fs.readlinkSync('/proc/self/fd/' + number)); } catch { return false; } });
      console.log(JSON.stringify({ names: Object.keys(process.env).sort(), kept, uid: process.getuid(), status: fs.readFileSync('/proc/self/status', 'utf8') }));`;
    const trial = await bench.start(isolation, { 'main.mjs': source });
    await trial.sandbox.exited;
    const seen = JSON.parse(trial.output());
    expect(seen.names).toEqual(['HOST', 'PATH', 'PORT', 'PROVISO_RUN']);
    expect(seen.kept).toEqual([]);
    expect(seen.status).toMatch(/^NoNewPrivs:\s1$/m);
    if (process.getuid?.() === 0) expect(seen.uid).toBeGreaterThan(1_900_000_000 - 1);
  });

  test('variables of the order cannot make a process outside obey it', async () => {
    const planted = join(secrets, `planted-${way}`);
    const environment = {
      PATH: isolation.toolchain?.path ?? '',
      LD_PRELOAD: '/app/evil.so',
      PERL5OPT: `-Mstrict;system('touch ${planted}')`,
      PERL5LIB: '/app',
      BASH_ENV: '/app/evil.sh',
      ENV: '/app/evil.sh',
    };
    const files = {
      'main.mjs': 'console.log(process.env.PERL5LIB)',
      'evil.sh': `touch ${planted}`,
      'strict.pm': 'die',
    };
    const trial = await bench.start(isolation, files, { environment });
    expect(await trial.sandbox.exited).toEqual({ code: 0, signal: null });
    expect(trial.output()).toContain('/app');
    expect(() => readFileSync(planted)).toThrow('ENOENT');
  });

  test('it is reached over its socket, by many at once and with large answers, also by the next owner', async () => {
    const source = `import { createServer } from 'node:http';
      createServer((request, response) => { let bytes = 0; request.on('data', (part) => (bytes += part.length));
        request.on('end', () => response.end(request.method === 'POST' ? String(bytes) : 'x'.repeat(3_000_000))); }).listen(process.env.PORT, process.env.HOST);`;
    const trial = await bench.start(isolation, { 'main.mjs': source }, { port: 8_080 });
    const socketPath = inboundSocketOf(trial.runFolder);
    await until('an answer', async () => (await answerOf(socketPath))?.length === 3_000_000);
    // Half a processor carries 150 MB: on a busy machine one of the fifty may wait for its turn for seconds.
    const answers = await Promise.all(Array.from({ length: 50 }, () => answerOf(socketPath, 20_000)));
    expect(answers.map((text) => text?.length)).toEqual(answers.map(() => 3_000_000));
    const adopted = adoptProcess(trial.sandbox);
    await endProcess(trial.sandbox, 2_000);
    expect(await adopted?.exited).toEqual({ code: null, signal: null });
    expect(await answerOf(socketPath)).toBeNull();
  });

  test('a daemon that forked twice and hides its marker does not survive the end', async () => {
    const trial = await bench.start(isolation, {}, { argv: [isolation.toolchain?.node ?? '', 'attacks/daemon.mjs'] });
    await until('the daemon', () => trial.output().length > 0);
    const members = membersOf(trial.sandbox.pid);
    expect(members.length).toBeGreaterThan(3);
    await trial.sandbox.end(200);
    expect(members.filter((pid) => identityOf(pid) !== null)).toEqual([]);
    expect(listMarked(trial.sandbox.marker)).toEqual([]);
    for (const kind of ['cgroup1', 'cgroup2'] as const) expect(groupOf(kind, trial.sandbox.marker).folders).toEqual([]);
  });

  test('nothing survives when the starter outside is killed first', async () => {
    const trial = await bench.start(isolation, {}, { argv: [isolation.toolchain?.node ?? '', 'attacks/daemon.mjs'] });
    await until('the daemon', () => trial.output().length > 0);
    const members = membersOf(trial.sandbox.pid);
    process.kill(trial.sandbox.pid, 'SIGKILL');
    await trial.sandbox.exited;
    await trial.sandbox.end(200);
    expect(members.filter((pid) => identityOf(pid) !== null)).toEqual([]);
  });

  test('a fork bomb is stopped at its bound while we go on answering', async () => {
    const server = createServer((_request, response) => response.end('service'));
    const path = join(secrets, `${way}-service.sock`);
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    const trial = await bench.start(
      isolation,
      {},
      { argv: [isolation.toolchain?.node ?? '', 'attacks/fork-bomb.mjs'] },
    );
    let slowestMs = 0;
    const told = await until('the bomb', async () => {
      const askedMs = performance.now();
      expect(await answerOf(path)).toBe('service');
      slowestMs = Math.max(slowestMs, performance.now() - askedMs);
      return trial.output().includes('}') && JSON.parse(trial.output());
    });
    server.close();
    expect(told.asked).toBe(1_000);
    expect(told.got).toBeLessThan(64);
    expect(slowestMs).toBeLessThan(1_000);
    await trial.sandbox.end(0);
    expect(membersOf(trial.sandbox.pid).filter((pid) => identityOf(pid) !== null)).toEqual([]);
  });

  test('filling every folder stops at the quota', async () => {
    const trial = await bench.start(
      isolation,
      {},
      {
        argv: [isolation.toolchain?.node ?? '', 'attacks/fill-disk.mjs'],
        mounts: [{ access: 'read', source: new URL('./attacks', import.meta.url).pathname, target: '/app/attacks' }],
        folder: '/app',
      },
    );
    await trial.sandbox.exited;
    const written: Record<string, number> = JSON.parse(trial.output());
    const total = Object.values(written).reduce((sum, bytes) => sum + bytes, 0);
    expect(written['/tmp']).toBeGreaterThan(0);
    // Two places to write, each with the quota of the order.
    expect(total).toBeLessThanOrEqual(2 * 16 * 1024 * 1024);
  });

  test('taking ten gigabytes ends at the limit, and is told apart from an end of its own', async () => {
    const trial = await bench.start(
      isolation,
      {},
      { argv: [isolation.toolchain?.node ?? '', 'attacks/eat-memory.mjs'] },
    );
    const { code } = await trial.sandbox.exited;
    expect(code).not.toBe(0);
    expect(trial.output()).not.toContain('all of it');
    expect(Number(trial.output().trim().split('\n').at(-1))).toBeLessThan(400);
    if (isolation.limits !== 'rlimit') expect(trial.sandbox.ranOutOfMemory()).toBe(true);
  });

  test('limits of single processes hold where no control group is to be had', async () => {
    const alone: Isolation = { ...isolation, limits: 'rlimit' };
    const memory = await bench.start(alone, {}, { argv: [alone.toolchain?.node ?? '', 'attacks/eat-memory.mjs'] });
    expect((await memory.sandbox.exited).code).not.toBe(0);
    expect(memory.output()).not.toContain('all of it');
    const bomb = await bench.start(alone, {}, { argv: [alone.toolchain?.node ?? '', 'attacks/fork-bomb.mjs'] });
    const told = await until('the bomb', () => bomb.output().includes('}') && JSON.parse(bomb.output()));
    expect(told.got).toBeLessThan(100);
  });

  test('a time limit ends it', async () => {
    const limits = { memoryMb: 128, processes: 32, cpuShare: 50, fileBytes: 1_024, wallMs: 300 };
    const trial = await bench.start(isolation, { 'main.mjs': 'setInterval(() => {}, 1000)' }, { limits });
    await trial.sandbox.exited;
    await until('its end', () => identityOf(trial.sandbox.pid) === null);
  });

  test('a command that cannot be started says so, and one that is killed says how', async () => {
    const missing = await bench.start(isolation, {}, { argv: ['no-such-program'] });
    expect(await missing.sandbox.exited).toEqual({ code: 127, signal: null });
    expect(missing.output()).toContain('no-such-program');
    const killed = await bench.start(isolation, { 'main.mjs': "process.kill(process.pid, 'SIGKILL')" });
    expect((await killed.sandbox.exited).code).toBe(137);
  });

  test('a bystander is not taken for a member', async () => {
    const bystander = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const trial = await bench.start(isolation, { 'main.mjs': healthy });
    await trial.sandbox.end(100);
    expect(identityOf(bystander.pid ?? 0)).not.toBeNull();
    bystander.kill();
  });
});
