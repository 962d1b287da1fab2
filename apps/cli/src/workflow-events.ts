import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Where to ask: Temporal's own program, since its client library stays out of this command. */
export interface WorkflowSource {
  readonly binary: string;
  readonly address: string;
}

/** A describe takes 0.2 s. */
const TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** A promotion has one run, or a few when its workflow was started anew. */
const RUNS_MAX = 50;

/** Events in the history of a promotion's workflow, over all its runs; null when Temporal could not tell. */
export async function countWorkflowEvents(source: WorkflowSource, promotion: string): Promise<number | null> {
  const workflow = `promotion/${promotion}`;
  const runs = await ask(source, [
    'workflow',
    'list',
    '--query',
    `WorkflowId="${workflow}"`,
    '--limit',
    String(RUNS_MAX),
  ]);
  const ids = Array.isArray(runs) ? runs.map(runIdOf).filter((id) => id !== null) : [];
  // The list lags behind by a moment; the workflow itself is always there.
  const asked = ids.length === 0 ? [[]] : ids.map((id) => ['--run-id', id]);
  let events = 0;
  for (const run of asked) {
    const length = lengthOf(await ask(source, ['workflow', 'describe', '--workflow-id', workflow, ...run]));
    if (length === null) return null;
    events += length;
  }
  return events;
}

async function ask({ binary, address }: WorkflowSource, args: readonly string[]): Promise<unknown> {
  try {
    const { stdout } = await promisify(execFile)(binary, [...args, '--address', address, '--output', 'json'], {
      timeout: TIMEOUT_MS,
      maxBuffer: OUTPUT_BYTES_MAX,
      // Without a home of its own it would read the person's Temporal profiles.
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
    });
    return JSON.parse(stdout);
  } catch {
    // The number is a courtesy of the demo; a deployment without it works as well, and null says so.
    return null;
  }
}

function runIdOf(run: unknown): string | null {
  const { execution } = run as { execution?: { runId?: unknown } };
  return typeof execution?.runId === 'string' ? execution.runId : null;
}

function lengthOf(described: unknown): number | null {
  const info = (described as { workflowExecutionInfo?: { historyLength?: unknown } } | null)?.workflowExecutionInfo;
  const length = Number(info?.historyLength);
  return Number.isInteger(length) && length > 0 ? length : null;
}
