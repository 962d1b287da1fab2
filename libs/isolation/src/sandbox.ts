import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bubblewrapCommand } from './bubblewrap.ts';
import { callFilter } from './call-filter.ts';
import type { Isolation } from './isolation.ts';
import { makeGroup, processLimits } from './limits.ts';
import { endProcess, type MarkedProcess, type ProcessEnd } from './marked-process.ts';
import { fixtureLine, namespaceCommand } from './namespace.ts';
import type { IsolationOrder, Mount } from './order.ts';
import { listenToPass, type PassedSocket } from './passed-socket.ts';
import { identityOf } from './process-table.ts';
import type { Fixture, Toolchain } from './toolchain.ts';

/** A running sandbox. */
export interface Sandbox extends MarkedProcess {
  readonly isolated: true;
  /** Asks its processes to end, kills them after `graceMs`, and returns when none is left. */
  readonly end: (graceMs: number) => Promise<void>;
  /** Whether the kernel had to end a process for want of memory; known only where a control group holds the limit. */
  readonly ranOutOfMemory: () => boolean;
  /** What the sandbox itself said when it could not be built; empty as a rule, and without the command's own words. */
  readonly complaint: () => string;
}

/** The port of the egress proxy on a sandbox's own loopback. */
export const egressPort = 3_128;
// Outside the ranges that distributions and container runtimes give away; one number for each sandbox.
const FIRST_USER = 1_900_000_000;
const USERS = 2 ** 24;
const EGRESS_FOLDER = '/run/proviso';

/** Where a sandbox's port is reached from outside. */
export function inboundSocketOf(runFolder: string): string {
  return join(runFolder, 'in.sock');
}

/** Where an egress proxy for a sandbox must listen. */
export function egressSocketOf(runFolder: string): string {
  return join(runFolder, 'egress', 'out.sock');
}

/** Starts a stranger's command in one way; throws when it cannot, and never starts it in a weaker one. */
export async function startIn(isolation: Isolation, order: IsolationOrder): Promise<Sandbox> {
  const { way, toolchain } = isolation;
  if (way === 'none' || toolchain === null) throw new Error(`expected a way to isolate, got none: ${isolation.why}`);
  // Only root can take on another user; everybody else gets a user namespace.
  const user = process.getuid?.() === 0 ? userOf(order.marker) : null;
  const fixtures = prepareRoot(order, toolchain, user);
  const command =
    way === 'bubblewrap'
      ? bubblewrapCommand({ fixtures, scratchBytes: order.scratchBytes, dropsUser: user !== null })
      : namespaceCommand({ dropsUser: user !== null });
  const socket = order.port === null ? null : await listenToPass(inboundSocketOf(order.runFolder));
  const group = makeGroup(isolation.limits, order.marker, order.limits);
  const complaints = join(order.runFolder, 'complaints');
  const complaint = openSync(complaints, 'a', 0o600);
  try {
    const child = spawnInto(group.folders, { command, order, socket, complaint });
    child.stdin?.end(tellingOf(isolation, { order, toolchain, user, fixtures }));
    return sandboxOf(await started(child, order), { ranOutOfMemory: group.ranOutOfMemory, complaints, order });
  } catch (error) {
    await group.remove();
    throw error;
  } finally {
    closeSync(complaint);
    socket?.release();
  }
}

function userOf(marker: string): number {
  return FIRST_USER + (createHash('sha256').update(marker).digest().readUInt32BE(0) % USERS);
}

function prepareRoot(order: IsolationOrder, toolchain: Toolchain, user: number | null): readonly Fixture[] {
  const folder = (name: string): string => {
    const path = join(order.runFolder, name);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return path;
  };
  folder('root');
  const id = user ?? process.getuid?.() ?? 0;
  const accounts = join(order.runFolder, 'passwd');
  writeFileSync(accounts, `prototype:x:${id}:${id}::/tmp:/bin/sh\n`, { mode: 0o644 });
  return [
    ...toolchain.fixtures,
    { kind: 'read', target: '/etc/passwd', source: accounts },
    { kind: 'scratch', target: '/tmp', bytes: order.scratchBytes },
    ...(order.egress ? [{ kind: 'read', target: EGRESS_FOLDER, source: folder('egress') } as const] : []),
    ...order.mounts.map(mountFixture),
  ];
}

function mountFixture(mount: Mount): Fixture {
  return mount.access === 'read'
    ? { kind: 'read', target: mount.target, source: mount.source }
    : { kind: 'scratch', target: mount.target, bytes: mount.quotaBytes };
}

// Enters each folder of the control group, then is replaced, so everything that follows is inside it.
const ENTER =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; n=$((n-1)); done; exec "$@"';
const OUTSIDE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function spawnInto(
  folders: readonly string[],
  run: {
    readonly command: readonly string[];
    readonly order: IsolationOrder;
    readonly socket: PassedSocket | null;
    readonly complaint: number;
  },
): ChildProcess {
  const { output, marker } = run.order;
  const words = ['-c', ENTER, 'sh', String(folders.length), ...folders, ...run.command];
  const [name = '', value = ''] = marker.split('=');
  // Only the marker: the command's own variables could make a shell or a loader outside obey a stranger.
  return spawn('/bin/sh', words, {
    cwd: '/',
    env: { PATH: OUTSIDE_PATH, [name]: value },
    detached: true,
    // What goes wrong before the command runs is ours to read and not part of its output.
    stdio: [
      'pipe',
      output?.out ?? 'ignore',
      run.complaint,
      run.socket?.descriptor ?? 'ignore',
      output?.err ?? 'ignore',
    ],
  });
}

function tellingOf(
  { way, limits }: Isolation,
  run: {
    readonly order: IsolationOrder;
    readonly toolchain: Toolchain;
    readonly user: number | null;
    readonly fixtures: readonly Fixture[];
  },
): string {
  const { order, toolchain, user, fixtures } = run;
  const environment = { ...order.environment, ...(order.egress && egressEnvironment) };
  const lines = [
    `machine=${toolchain.machine}`,
    `complains=${order.output === null ? 0 : 1}`,
    `folder=${order.folder}`,
    `filter=${callFilter(toolchain.machine).toString('hex')}`,
    `nice=${limits === 'rlimit' && order.limits.cpuShare < 100 ? NICE : 0}`,
    ...(user === null ? [] : [`uid=${user}`]),
    ...(order.port === null ? [] : [`port=${order.port}`]),
    ...(order.egress ? [`egress=${egressPort}`, `egress_socket=${EGRESS_FOLDER}/out.sock`] : []),
    ...(way === 'namespace'
      ? [
          `root=${join(order.runFolder, 'root')}`,
          `shm_bytes=${order.scratchBytes}`,
          ...fixtures.map((each) => `fixture=${fixtureLine(each)}`),
        ]
      : []),
    ...processLimits(limits, order.limits).map((each) => `limit=${each}`),
    ...Object.entries(environment).map(([name, value]) => `env=${name}=${value}`),
    `env=${order.marker}`,
    ...order.argv.map((word) => `arg=${word}`),
  ];
  if (lines.some((line) => line.includes('\0'))) throw new Error('expected an order without NUL');
  return `${lines.join('\0')}\0end=1\0`;
}

// Polite enough that our own services come first.
const NICE = 10;
const PROXY_URL = `http://127.0.0.1:${egressPort}`;
/** Every name under which programs look for a proxy. */
const egressEnvironment: Readonly<Record<string, string>> = {
  HTTP_PROXY: PROXY_URL,
  HTTPS_PROXY: PROXY_URL,
  http_proxy: PROXY_URL,
  https_proxy: PROXY_URL,
  NO_PROXY: 'localhost,127.0.0.1',
  no_proxy: 'localhost,127.0.0.1',
  NODE_USE_ENV_PROXY: '1',
};

async function started(child: ChildProcess, order: IsolationOrder): Promise<MarkedProcess> {
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // A command that ends before it was told everything closes our side; its exit says why.
  child.stdin?.on('error', () => undefined);
  const { pid } = child;
  if (pid === undefined) {
    return await new Promise<never>((_resolve, reject) => {
      child.once('error', reject);
    });
  }
  // What ends within a time is waited for; anything else must not keep us from ending first.
  if (order.limits.wallMs === undefined) child.unref();
  return { pid, identity: identityOf(pid), marker: order.marker, isolated: true, exited };
}

function sandboxOf(
  process: MarkedProcess,
  {
    ranOutOfMemory,
    complaints,
    order,
  }: Pick<Sandbox, 'ranOutOfMemory'> & { complaints: string; order: IsolationOrder },
): Sandbox {
  const end = (graceMs: number): Promise<void> => endProcess(process, graceMs);
  const { wallMs } = order.limits;
  if (wallMs !== undefined) {
    const timer = setTimeout(() => void end(0).catch(() => undefined), wallMs);
    timer.unref();
    void process.exited.then(() => clearTimeout(timer));
  }
  const complaint = (): string => readFileSync(complaints, 'utf8').trim();
  return { ...process, isolated: true, end, ranOutOfMemory, complaint };
}
