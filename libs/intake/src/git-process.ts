import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { IntakeFailure } from './intake-failure.ts';

/** Reading objects of a local repository takes seconds; a git that hangs longer waits for something it must not have. */
const GIT_TIMEOUT_MS = 120_000;

/** Enough of what git complains about to recognise it; it is never shown, because it carries paths. */
const COMPLAINT_LENGTH_MAX = 4_096;

/** One run of git: its output to be read, its input to be written, and how it ended. */
export type GitProcess = {
  readonly output: AsyncIterable<Uint8Array>;
  write(text: string): Promise<void>;
  endInput(): void;
  /** Waits for the end; the exit code is `null` when the process was killed. */
  ended(): Promise<{ code: number | null; complaint: string }>;
  /** Ends the process for sure; whoever starts one calls this on every path. */
  kill(): void;
};

/**
 * The repository's own configuration is a stranger's, so only plumbing runs that executes nothing from it: no hooks, no
 * filters, no pager, no fetching of missing objects. Configuration of the machine and of a home is not read, and the
 * environment of this process is not passed on. The path has no links in it, or the ceiling would not hold.
 */
export function startGit(repositoryPath: string, parameters: readonly string[]): GitProcess {
  const child = spawn('git', ['--no-pager', '-C', repositoryPath, ...guards, ...parameters], {
    // Without a ceiling git would look for a repository in the folders above, and freeze a wrong one.
    env: { ...environment, GIT_CEILING_DIRECTORIES: dirname(repositoryPath) },
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
    timeout: GIT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_LENGTH_MAX) complaint += chunk.toString('latin1');
  });
  // Writing to a git that has ended is answered by its exit code, so the broken pipe itself is no news.
  child.stdin.on('error', () => undefined);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(unavailable(error)));
    child.once('close', (code) => resolve(code));
  });
  // Whoever only reads the output must not be surprised by an unhandled rejection; `ended` still throws it.
  closed.catch(() => undefined);
  return {
    output: child.stdout,
    async write(text) {
      if (!child.stdin.write(text)) await Promise.race([once(child.stdin, 'drain'), closed]);
    },
    endInput: () => child.stdin.end(),
    ended: async () => ({ code: await closed, complaint }),
    kill: () => child.kill('SIGKILL'),
  };
}

/** Runs git for a short answer; the answer is cut at the cap, which the caller chooses above what it can use. */
export async function askGit(request: {
  repositoryPath: string;
  parameters: readonly string[];
  answerBytesMax: number;
}): Promise<{ code: number | null; complaint: string; answer: string }> {
  const git = startGit(request.repositoryPath, request.parameters);
  try {
    git.endInput();
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of git.output) {
      parts.push(part);
      bytes += part.byteLength;
      if (bytes > request.answerBytesMax) break;
    }
    if (bytes > request.answerBytesMax) git.kill();
    const answer = Buffer.concat(parts).subarray(0, request.answerBytesMax).toString('utf8');
    return { ...(await git.ended()), answer };
  } finally {
    git.kill();
  }
}

/** Fails an answer that git broke off; `null` means that it was killed, by us after the timeout or by somebody else. */
export function gitBroke(code: number | null): IntakeFailure {
  if (code === null) return new IntakeFailure('source_timeout', 'expected git to answer in time, got silence');
  return new IntakeFailure('source_broke', `expected git to end with 0, got ${code}`);
}

function unavailable(error: unknown): IntakeFailure {
  return new IntakeFailure('source_unavailable', 'expected to run git, got no such program', { cause: error });
}

/** `protocol.allow=never` also stops a partial clone from fetching what it lacks, from an address of its choice. */
const guards = ['-c', 'protocol.allow=never', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];

const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
};
