// Where the Temporal dev server comes from, in the order of docs/adr/0004-how-temporal-is-obtained.md. Plain Node 20.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { SetupProblem, say } from './setup-lock.mjs';

/** Long enough for a slow name server; without internet it fails at once. */
const DOWNLOAD_INFO_TIMEOUT_MS = 3_000;
/** The archive is about 60 MB: five minutes is a line of 1.6 Mbit/s, and a build is faster than anything slower. */
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
/** A binary that cannot tell its version in this time is broken. */
const VERSION_TIMEOUT_MS = 20_000;
const PROGRESS_EVERY_MS = 15_000;

const file = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** Finds or makes a Temporal CLI that runs; throws SetupProblem with all that was tried. */
export async function obtainTemporal(root) {
  const onPath = findOnPath(file);
  if (onPath && temporalRuns(onPath)) return { path: onPath, source: 'path' };
  const folders = cacheFolders(root);
  const cached = folders.map((folder) => join(folder, file)).find((path) => existsSync(path) && temporalRuns(path));
  if (cached) return { path: cached, source: 'cache' };
  const folder = folders.find(isWritable);
  if (!folder) throw new SetupProblem(`no cache folder for Temporal can be written: ${folders.join(', ')}`);
  const download = await tryDownload(root, folder);
  if (download.path) return { path: download.path, source: 'download' };
  return { path: await build(root, folder, download.why), source: 'build' };
}

/** The version line of a Temporal CLI, or undefined when the file does not run here. */
export function temporalRuns(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: VERSION_TIMEOUT_MS });
  return status === 0 ? stdout.trim() : undefined;
}

function findOnPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// The user's cache comes first for writing, so that a second clone on the machine needs no second build. The key is
// the digest of the module files: another pinned version is another folder, and nothing is ever overwritten.
function cacheFolders(root) {
  const module = join(root, 'deploy', 'temporal');
  const digest = createHash('sha256')
    .update(readFileSync(join(module, 'go.mod')))
    .update(readFileSync(join(module, 'go.sum')))
    .update(`${process.platform}-${process.arch}`)
    .digest('hex')
    .slice(0, 16);
  const user = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return [join(user, 'proviso', 'temporal', digest), join(root, '.cache', 'temporal', digest)];
}

function isWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Fetches the release that go.mod pins, the way the SDK does. Any trouble is a reason to build instead, not an error. */
async function tryDownload(root, folder) {
  const temporary = mkdtempSync(join(folder, 'download-'));
  try {
    const info = await fetchOk(downloadUrl(root), DOWNLOAD_INFO_TIMEOUT_MS);
    const { archiveUrl, fileToExtract } = await info.json();
    say('downloading the Temporal dev server');
    const archive = await fetchOk(archiveUrl, DOWNLOAD_TIMEOUT_MS);
    const packed = join(temporary, 'archive.tar.gz');
    await writeFile(packed, Buffer.from(await archive.arrayBuffer()));
    const { status } = spawnSync('tar', ['-xzf', packed, '-C', temporary, fileToExtract], { stdio: ['ignore', 2, 2] });
    const binary = join(temporary, fileToExtract);
    if (status !== 0 || !temporalRuns(binary)) return { why: 'the downloaded archive holds no binary that runs here' };
    renameSync(binary, join(folder, file));
    return { path: join(folder, file) };
  } catch (error) {
    return { why: error.cause?.message ?? error.message };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function downloadUrl(root) {
  const goModule = readFileSync(join(root, 'deploy', 'temporal', 'go.mod'), 'utf8');
  const version = /github\.com\/temporalio\/cli (v[\d.]+)/.exec(goModule)?.[1];
  if (!version) throw new SetupProblem('expected deploy/temporal/go.mod to require github.com/temporalio/cli');
  // A mirror for networks that reach no public host.
  const site = process.env.PROVISO_TEMPORAL_DOWNLOAD_URL || 'https://temporal.download';
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `${site}/cli/${version}?arch=${architecture}&platform=${platform}&format=tar.gz`;
}

async function fetchOk(url, timeoutMs) {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`expected 200 from ${new URL(url).host}, got ${response.status}`);
  return response;
}

async function build(root, folder, downloadWhy) {
  const go = findOnPath(process.platform === 'win32' ? 'go.exe' : 'go');
  if (!go) throw new SetupProblem(nothingFound(downloadWhy));
  say('building the Temporal dev server from its pinned Go module (once per machine, 2 to 4 minutes)');
  // Built beside its place and renamed: a build that dies leaves nothing that looks finished.
  const temporary = join(folder, `.building-${process.pid}`);
  const status = await run(
    go,
    [...['build', '-trimpath', '-ldflags', '-s -w', '-o', temporary], 'github.com/temporalio/cli/cmd/temporal'],
    { cwd: join(root, 'deploy', 'temporal'), env: { ...process.env, CGO_ENABLED: '0' } },
  );
  try {
    if (status !== 0) throw new SetupProblem(`go build of Temporal failed with code ${status}; its message is above`);
    if (!temporalRuns(temporary)) throw new SetupProblem('the Temporal that was built does not run here');
    renameSync(temporary, join(folder, file));
    return join(folder, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Runs a long command with a line of progress now and then; its own output goes to stderr. */
function run(command, args, options) {
  const startedAt = Date.now();
  const progress = setInterval(() => {
    say(`still building, ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, PROGRESS_EVERY_MS);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => clearInterval(progress));
}

function nothingFound(downloadWhy) {
  return [
    'Temporal is missing, and no way to get it is left:',
    '  TEMPORAL_ADDRESS is not set, so no server elsewhere is used',
    '  no `temporal` that runs is on PATH, and none is in the cache',
    `  the download failed: ${downloadWhy}`,
    '  Go is not installed, so it cannot be built either',
    'Do one of these and run this again: install the Temporal CLI (https://docs.temporal.io/cli), ' +
      'install Go 1.26 (https://go.dev/dl), or set TEMPORAL_ADDRESS',
  ].join('\n');
}
