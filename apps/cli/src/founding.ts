import { spawn } from 'node:child_process';
import { group, list, read, record, text } from '@proviso/domain';
import type { LocalPerson } from './local-people.ts';
import type { LogFile } from './log-file.ts';
import { Trouble } from './trouble.ts';

/** What the one-shot process is asked: a workspace, its people and policies, as they should be. */
export interface FoundingOrder {
  readonly workspace: { readonly id: string; readonly name: string };
  readonly people: readonly (LocalPerson & { readonly token: boolean | 'renew' })[];
  readonly policies: readonly { readonly source: string }[];
}

/** What it answers: ids, and tokens that were issued just now and are shown only here. */
export interface Founded {
  readonly workspace: string;
  readonly people: Readonly<Record<string, { readonly id: string; readonly token?: string }>>;
  /** Policies whose files are weaker than what is published, and that therefore stay as they are. */
  readonly kept: readonly string[];
}

const idText = text({ min: 1, max: 80 });
const foundedShape = group({
  workspace: idText,
  people: record(group({ id: idText }, { token: text({ min: 8, max: 500 }) }), { max: 50 }),
  policies: record(group({ id: idText, digest: text({ min: 1, max: 80 }) }), { max: 200 }),
  kept: list(text({ min: 1, max: 63 }), { max: 200 }),
});

/** Migrations of an empty database take a second; of a large one an operator runs them by hand beforehand. */
const TIMEOUT_MS = 60_000;
/** The answer is a few ids; more than this is not the answer. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Migrates the database and makes the workspace with its people and policies. Idempotent, so it runs at every start.
 * It ends by itself; if we die meanwhile it finishes its transaction or loses its database, and the next start repeats it.
 */
export async function found(
  order: FoundingOrder,
  { folder, environment, log }: { folder: string; environment: Readonly<Record<string, string>>; log: LogFile },
): Promise<Founded> {
  const args = ['--import', './tools/decorators.mjs', 'apps/api/src/bootstrap.ts'];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    // A Ctrl-C of the terminal is ours to handle.
    detached: true,
  });
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  child.stdout.on('data', (part: Buffer) => {
    sizeBytes += part.byteLength;
    if (sizeBytes <= ANSWER_BYTES_MAX) parts.push(part);
  });
  child.stderr.on('data', (part: Buffer) => log.write(part.toString('utf8').trimEnd()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(order));
  const code = await ended(child);
  const answer = lastJson(Buffer.concat(parts).toString('utf8'));
  const result = read(foundedShape, answer);
  if (code === 0 && result.ok) return result.value;
  const got = code === 0 ? 'another answer' : `exit code ${code}`;
  throw new Trouble(`expected the database to be prepared, got ${got}`, {
    advice: `What it said is in ${log.path}`,
  });
}

function ended(child: ReturnType<typeof spawn>): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

function lastJson(output: string): unknown {
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}
