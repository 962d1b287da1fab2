import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChildEnd, type ChildRun, GateBreakage, type RunChild } from '@proviso/gates';
import { type Isolation, type Sandbox, startIsolated } from '@proviso/isolation';

/** A tool is one program with a few threads; Node has a dozen. */
const PROCESSES_MAX = 64;
/** What a tool may write into its own `/tmp`. */
const SCRATCH_BYTES = 16 * 1024 * 1024;
/** As much of a busy processor as a release; our services come first. */
const CPU_SHARE = 50;

/**
 * Runs tools on untrusted input in a sandbox: no network, no environment, and nothing to read but their input and their
 * own packages, at the paths that they have outside. If we die here the sandbox ends by its time.
 */
export function isolatedChild(isolation: Isolation, workFolder: string): RunChild {
  return async (run) => {
    run.signal.throwIfAborted();
    // Swept with the candidates when this process is killed.
    const folder = await mkdtemp(join(await realpath(workFolder), `candidate-${process.pid}-`));
    try {
      await openToRead(run.folder);
      return await runIn(isolation, run, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

async function runIn(isolation: Isolation, run: ChildRun, folder: string): Promise<ChildEnd> {
  const outputPath = join(folder, 'output');
  const output = openSync(outputPath, 'a', 0o600);
  // Its error output may quote what it read, so it is dropped.
  const complaints = openSync('/dev/null', 'a');
  try {
    const sandbox = await startIsolated(isolation, {
      argv: [insideOf(isolation, run.program), ...run.programArguments],
      folder: run.folder,
      mounts: [run.folder, ...run.readable].map((path) => ({ access: 'read', source: path, target: path })),
      environment: {},
      marker: `PROVISO_RUN=${randomUUID()}`,
      output: { out: output, err: complaints },
      scratchBytes: SCRATCH_BYTES,
      limits: {
        ...{ memoryMb: run.memoryMbMax, processes: PROCESSES_MAX, cpuShare: CPU_SHARE },
        // One byte more than allowed tells a full output from one that was cut.
        ...{ fileBytes: run.outputBytesMax + 1, wallMs: run.timeoutMs },
      },
      port: null,
      egress: false,
      runFolder: folder,
    });
    await ended(sandbox, run);
    return await endOf(sandbox, run, outputPath);
  } finally {
    closeSync(output);
    closeSync(complaints);
  }
}

/** Our own Node has another path inside. */
function insideOf({ toolchain }: Isolation, program: string): string {
  return program === process.execPath && toolchain !== null ? toolchain.node : program;
}

async function ended(sandbox: Sandbox, run: ChildRun): Promise<void> {
  const abort = (): void => void sandbox.end(0).catch(() => undefined);
  run.signal.addEventListener('abort', abort, { once: true });
  if (run.signal.aborted) abort();
  try {
    await sandbox.exited;
  } finally {
    run.signal.removeEventListener('abort', abort);
    await sandbox.end(0);
  }
}

async function endOf(sandbox: Sandbox, run: ChildRun, outputPath: string): Promise<ChildEnd> {
  run.signal.throwIfAborted();
  const { code } = await sandbox.exited;
  const { size } = await stat(outputPath);
  if (size > run.outputBytesMax) {
    throw new GateBreakage('output_too_large', `expected at most ${run.outputBytesMax} bytes`, { retryable: false });
  }
  // The bound of time kills, and so does a lack of memory: both are no exit of its own.
  if (code === null || code > 128) {
    const reason = sandbox.ranOutOfMemory()
      ? 'the end of a tool within its memory'
      : `an end within ${run.timeoutMs} ms`;
    throw new GateBreakage(sandbox.ranOutOfMemory() ? 'tool_crashed' : 'tool_timeout', `expected ${reason}`, {
      retryable: true,
    });
  }
  const complaint = sandbox.complaint();
  if (complaint !== '') throw new GateBreakage('tool_crashed', 'expected a tool that starts', { retryable: true });
  return { exitCode: code, output: await readFile(outputPath, 'utf8') };
}

/** The sandbox has another user than we have, and what it is shown is only ours to write. */
async function openToRead(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToRead(path);
    else await chmod(path, 0o644);
  }
}
