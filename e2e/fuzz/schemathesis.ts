import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const requirements = join(here, 'requirements.txt');

/** The program, or what this machine lacks for it. */
export type Found = { readonly program: string } | { readonly missing: string };

/** The requirements were made for it: older ones need packages that have no hash there. */
const pythonMin = '3.11';
/** A mirror on a slow line; the packages have 13 MB. */
const installMsMax = 300_000;

/** Installs Schemathesis into the cache, once for each version of the requirements; every file by its hash. */
export function foundSchemathesis(
  projectRoot: string,
  { environment, say }: { readonly environment: NodeJS.ProcessEnv; readonly say: (line: string) => void },
): Found {
  const ran = (command: string, args: readonly string[]): boolean =>
    spawnSync(command, args, { env: environment, stdio: 'ignore', timeout: installMsMax }).status === 0;
  const folder = join(projectRoot, '.cache', 'fuzz-venv');
  const program = join(folder, 'bin', 'st');
  const stamp = join(folder, '.requirements');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(program)) return { program };
  const version = `import sys; sys.exit(sys.version_info < (${pythonMin.replace('.', ', ')}))`;
  if (!ran('python3', ['-c', version])) return { missing: `expected python3 ${pythonMin} or newer on this machine` };
  // Torn by a crash, or of other requirements: nothing in it is worth keeping.
  rmSync(folder, { recursive: true, force: true });
  say('installing Schemathesis into .cache/fuzz-venv');
  if (!ran('python3', ['-m', 'venv', folder]))
    return { missing: 'expected python3 to make a virtual environment (its modules venv and pip)' };
  const quietly = ['--quiet', '--disable-pip-version-check'];
  const install = ['-m', 'pip', 'install', ...quietly, '--require-hashes', '-r', requirements];
  if (!ran(join(folder, 'bin', 'python'), install))
    return { missing: 'expected pip to install e2e/fuzz/requirements.txt: is a package registry reachable?' };
  writeFileSync(stamp, wanted);
  return { program };
}

/** What one run of it says in the end; the part of its report that we judge. */
export interface Report {
  readonly complete: boolean;
  readonly operations: { readonly selected: number; readonly tested: number; readonly errored: number };
  readonly test_cases: { readonly generated: number; readonly with_failures: number; readonly errored: number };
  readonly failures: readonly {
    readonly title: string;
    readonly count: number;
    readonly operations: readonly string[];
  }[];
  readonly errors: readonly { readonly title: string; readonly count: number }[];
}

/** One run over a description, against an API. */
export interface FuzzRun {
  readonly program: string;
  /** Where `schemathesis.toml` and `team.json` lie, and the report goes. */
  readonly folder: string;
  readonly description: string;
  readonly apiUrl: string;
  readonly seed: number;
  readonly seconds: number;
}

/** What must hold of every answer; that missing rights and wrong bodies are refused is asked in tests of our own, too. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
];

/** A stream of events never ends, so no answer of it can be judged; `events.test.ts` reads it. */
const excluded = 'followEvents';

/** How often each status was answered. */
export type Statuses = Readonly<Record<string, number>>;

/** What came of a run. */
export interface Ran {
  readonly report: Report | null;
  readonly statuses: Statuses;
  readonly output: string;
}

/** Runs it to its end. `output` is what it printed about failures: the requests, ready to be sent again. */
export async function runSchemathesis(run: FuzzRun): Promise<Ran> {
  const report = join(run.folder, 'report.json');
  const { PATH = '', HOME = '' } = process.env;
  const args = [
    ...['--config-file', join(run.folder, 'schemathesis.toml'), 'run', run.description, '--url', run.apiUrl],
    ...['--seed', String(run.seed), '--max-time', String(run.seconds), '--checks', checks.join(',')],
    ...['--exclude-operation-id', excluded, '--report-json-path', report, '--no-color', '--no-shrink'],
    ...['--max-examples', String(examplesPerOperation), '--continue-on-failure', '--generation-database', 'none'],
  ];
  const child = spawn(run.program, args, {
    cwd: run.folder,
    env: { PATH, HOME, PROVISO_FUZZ_FOLDER: run.folder, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const said = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  const told = readJson<Report>(report);
  const statuses = readJson<Statuses>(join(run.folder, 'statuses.json')) ?? {};
  return { report: told, statuses, output: shownOf(said.join('')) };
}

function readJson<T>(path: string): T | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : null;
}

/** What it makes up may be a megabyte long, and the first failures are those that are mended first. */
const lineLettersMax = 400;
const linesMax = 200;

/** From the first failure on; all of it when there is none. */
function shownOf(output: string): string {
  const lines = output.split('\n');
  const first = lines.findIndex((line) => /^=+ (ERRORS|FAILURES) =+$/.test(line));
  const shown = lines.slice(Math.max(0, first), Math.max(0, first) + linesMax);
  return shown.map((line) => line.slice(0, lineLettersMax)).join('\n');
}

/** Of each phase; the rest of the time goes into more of them. */
const examplesPerOperation = 20;
