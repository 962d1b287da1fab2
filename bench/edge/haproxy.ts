import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** HAProxy with the same split. */
export interface Haproxy {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  readonly end: () => Promise<void>;
}

const UP_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 25;

/** Starts it on one thread, as our router has one; says what is missing when it is not installed. */
export async function startHaproxy(split: {
  stablePort: number;
  canaryPort: number;
  sharePercent: number;
}): Promise<Haproxy> {
  const found = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  if (found.error !== undefined)
    throw new Error('expected the program haproxy, got none: apt-get install haproxy (Debian package)');
  const folder = mkdtempSync(join(tmpdir(), 'proviso-bench-'));
  const port = await freePort();
  const path = join(folder, 'haproxy.cfg');
  writeFileSync(path, configOf({ ...split, port }));
  const child = spawn('haproxy', ['-db', '-q', '-f', path], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  await untilOpen(port);
  return { pid: child.pid ?? 0, port, version: found.stdout.split(' ').slice(0, 3).join(' '), end };
}

/** The same job: weights and a cookie, forged origins removed and the true one said, the counters that it always keeps. */
function configOf(parts: { port: number; stablePort: number; canaryPort: number; sharePercent: number }): string {
  return `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 65s
  timeout server 60s
  timeout tunnel 300s
  http-reuse always
frontend visitors
  bind 127.0.0.1:${parts.port}
  http-request del-header X-Forwarded-Port
  http-request del-header X-Forwarded-Server
  http-request del-header X-Real-IP
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header Forwarded for=%[src];host="%[req.hdr(host)]";proto=http
  use_backend lane if { hdr(host) -i bench.localhost }
backend lane
  balance roundrobin
  cookie proviso_unit insert indirect nocache httponly
  server stable 127.0.0.1:${parts.stablePort} weight ${100 - parts.sharePercent} cookie stable-unit
  server canary 127.0.0.1:${parts.canaryPort} weight ${parts.sharePercent} cookie canary-unit
`;
}

async function untilOpen(port: number): Promise<void> {
  const deadline = performance.now() + UP_WITHIN_MS;
  while (performance.now() < deadline) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`expected haproxy to listen within ${UP_WITHIN_MS} ms`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
