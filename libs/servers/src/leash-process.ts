/*
 * The leash: a small process between us and a server. It ends its child when its own stdin closes, and stdin closes
 * whatever kills us, so neither a SIGKILL nor a crash leaves a server behind. It lives in a session of its own: a
 * Ctrl-C at the terminal reaches us alone, and the servers stay until the orderly shutdown has asked for them to go.
 * If the leash itself is killed its child goes on; the next start finds that child and says so.
 */
import { spawn } from 'node:child_process';
import { rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** What the leash is told on its command line, as JSON. */
export interface LeashOrder {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  readonly removeAfter?: string;
}

/** File descriptor on which the leash reports; stdout and stderr belong to the child. */
const REPORT_FD = 3;

hold(JSON.parse(process.argv[2] ?? '{}') as LeashOrder);

function hold(order: LeashOrder): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => undefined);
  const child = spawn(order.command, order.args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(order.cwd !== undefined && { cwd: order.cwd }),
    ...(order.uid !== undefined && { uid: order.uid }),
    ...(order.gid !== undefined && { gid: order.gid }),
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    child.kill(order.stopSignal);
    setTimeout(() => child.kill('SIGKILL'), order.stopTimeoutMs).unref();
  };
  child.once('spawn', () => report({ pid: child.pid }));
  child.once('error', (error) => end(order, { error: error.message }));
  child.once('exit', (code, signal) => end(order, { exit: { code, signal } }));
  const orders = createInterface({ input: process.stdin });
  orders.on('line', (line) => (line === 'kill' ? child.kill('SIGKILL') : stop()));
  orders.once('close', stop);
}

function end(order: LeashOrder, fact: object): void {
  // Data that only this run needed goes with it, also when the run was killed.
  if (order.removeAfter !== undefined) rmSync(order.removeAfter, { recursive: true, force: true });
  report(fact);
  process.exit(0);
}

function report(fact: object): void {
  try {
    writeSync(REPORT_FD, `${JSON.stringify(fact)}\n`);
  } catch {
    // Nobody reads any more: our parent is gone, which is the very case the leash is for.
  }
}
