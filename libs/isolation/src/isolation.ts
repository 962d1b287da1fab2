import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { describeLimits, findLimits, type LimitKind } from './limits.ts';
import type { IsolationOrder } from './order.ts';
import { startIn } from './sandbox.ts';
import { findToolchain, type Toolchain } from './toolchain.ts';

/** The ways in which a stranger's process can be kept from everything else, strongest first. */
export type IsolationWay = 'bubblewrap' | 'namespace' | 'none';

/** What holds on this machine, tried for real; whoever starts a stranger's process is given it. */
export interface Isolation {
  readonly way: IsolationWay;
  readonly limits: LimitKind;
  /** One sentence for an operator: what is in force, and why it is not more. */
  readonly why: string;
  /** Null when nothing can be isolated. */
  readonly toolchain: Toolchain | null;
}

// A trial takes some ten milliseconds; a machine on which it takes longer than this is stuck.
const TRIAL_MS_MAX = 10_000;
// A way counts only when the command really is without capabilities, filtered, and alone with its loopback.
const PROOF = `fail() { echo "expected $1"; exit 1; }
test "$(grep -c '^Cap.*:.0000000000000000$' /proc/self/status)" = 5 || fail 'no capability'
grep -q '^Seccomp:.2$' /proc/self/status || fail 'a filter of system calls'
test "$(grep -c : /proc/net/dev)" = 1 || fail 'the loopback alone'`;
const WAYS = ['bubblewrap', 'namespace'] as const;

/**
 * Starts a trivial command in each way until one works. `way` asks for one way only: when that does not work the answer
 * is none, never another.
 */
export async function findIsolation(wish: { way?: IsolationWay; limits?: LimitKind } = {}): Promise<Isolation> {
  if (wish.way === 'none') return none('isolation was switched off');
  const limits = findLimits(wish.limits);
  if (process.platform !== 'linux') return none(`${process.platform} has no namespaces`);
  const toolchain = findToolchain();
  if ('missing' in toolchain) return none(toolchain.missing);
  const failures: string[] = [];
  for (const way of wish.way === undefined ? WAYS : [wish.way]) {
    const candidate: Isolation = { way, limits, why: '', toolchain };
    const failure = await tryOut(candidate);
    if (failure === null) return { ...candidate, why: whyOf(candidate, failures) };
    failures.push(`${way}: ${failure}`);
  }
  return none(failures.join('; '));
}

/** The refusal that `why` stands for when there is no way: only what an operator trusts may run. */
function none(why: string): Isolation {
  const words = `strangers' processes cannot be isolated here (${why}); only prototypes that an operator trusts are run`;
  return { way: 'none', limits: 'rlimit', why: words, toolchain: null };
}

function whyOf({ way, limits }: Isolation, failures: readonly string[]): string {
  const weaker = way === 'namespace' ? ', with a root built by us instead of bubblewrap' : '';
  const before = failures.length === 0 ? '' : ` (${failures.join('; ')})`;
  return `strangers' processes run in their own namespaces${weaker}${before}; ${describeLimits(limits)}`;
}

async function tryOut(isolation: Isolation): Promise<string | null> {
  const runFolder = mkdtempSync(join(tmpdir(), 'proviso-try-'));
  const output = openSync(join(runFolder, 'output'), 'a');
  const order: IsolationOrder = {
    argv: ['/bin/sh', '-c', PROOF],
    folder: '/',
    mounts: [],
    environment: { PATH: '/usr/bin:/bin' },
    marker: `PROVISO_RUN=${randomUUID()}`,
    output: { out: output, err: output },
    scratchBytes: 1024 * 1024,
    limits: { memoryMb: 64, processes: 16, cpuShare: 100, fileBytes: 1024 * 1024, wallMs: TRIAL_MS_MAX },
    port: null,
    egress: false,
    runFolder,
  };
  try {
    const sandbox = await startIn(isolation, order);
    const { code } = await sandbox.exited;
    await sandbox.end(0);
    if (code === 0) return null;
    const said = readFileSync(join(runFolder, 'output'), 'utf8').trim();
    return sandbox.complaint() || said || `expected a trivial command to end with 0, got ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    closeSync(output);
    rmSync(runFolder, { recursive: true, force: true });
  }
}
