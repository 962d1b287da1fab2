import { spawn } from 'node:child_process';
import { GateBreakage } from './outcome.ts';

/** A program to run once: its arguments, its folder, and the bounds beyond which it is killed. */
export interface ChildRun {
  readonly program: string;
  readonly programArguments: readonly string[];
  readonly folder: string;
  /** What it reads beside its folder, such as the program's own packages; a sandbox shows it nothing else. */
  readonly readable: readonly string[];
  readonly memoryMbMax: number;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  readonly signal: AbortSignal;
}

/** How a program ended by itself. Its error output is not kept: it may quote what it read. */
export interface ChildEnd {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program once. Untrusted input is for one that keeps the program from everything else. */
export type RunChild = (run: ChildRun) => Promise<ChildEnd>;

/**
 * Runs a tool without a sandbox, for a machine that has none and a prototype that an operator trusts: no environment, no input, bounded time and output, killed for sure. Throws a breakage
 * when it could not be started, was killed, ran too long or said too much. If we die here, the tool ends at its next
 * write, since nobody reads its pipe any more.
 */
export async function runChild(run: ChildRun): Promise<ChildEnd> {
  run.signal.throwIfAborted();
  const child = spawn(run.program, [...run.programArguments], {
    cwd: run.folder,
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let breakage: GateBreakage | undefined;
  const kill = (reason: GateBreakage): void => {
    breakage ??= reason;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => {
    kill(new GateBreakage('tool_timeout', `expected an end within ${run.timeoutMs} ms`, { retryable: true }));
  }, run.timeoutMs);
  const abort = (): void => {
    child.kill('SIGKILL');
  };
  run.signal.addEventListener('abort', abort, { once: true });
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  child.stdout.on('data', (chunk: Uint8Array) => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes <= run.outputBytesMax) chunks.push(chunk);
    else
      kill(new GateBreakage('output_too_large', `expected at most ${run.outputBytesMax} bytes`, { retryable: false }));
  });
  try {
    const exitCode = await ended(child);
    run.signal.throwIfAborted();
    if (breakage !== undefined) throw breakage;
    if (exitCode === null) throw new GateBreakage('tool_crashed', 'expected an exit, got a kill', { retryable: true });
    return { exitCode, output: Buffer.concat(chunks).toString('utf8') };
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', abort);
  }
}

function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('close', (exitCode) => resolve(exitCode));
    child.once('error', (cause) => {
      reject(new GateBreakage('tool_crashed', 'expected a tool that starts', { retryable: true, cause }));
    });
  });
}
