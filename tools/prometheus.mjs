// Fetches the system's own package of Prometheus into .cache, where the tests of its source find it. Nothing is installed
// and no service is started. Does nothing where the program is on the path already. Plain Node 20.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const place = join(root, '.cache', 'prometheus');
/** The package has some 20 MB. */
const stepMsMax = 120_000;

const folders = [...(process.env.PATH ?? '').split(delimiter), join(place, 'usr', 'bin')];
if (folders.some((folder) => existsSync(join(folder, 'prometheus')))) process.exit(0);
process.exitCode = fetchPackage() ? 0 : 1;

function fetchPackage() {
  mkdirSync(dirname(place), { recursive: true });
  const temporary = mkdtempSync(`${place}-`);
  try {
    // A fresh machine has no lists of packages yet; only root can fetch them.
    const got = download(temporary) || (run('apt-get', ['update', '-qq'], temporary) && download(temporary));
    const file = readdirSync(temporary).find((name) => name.endsWith('.deb'));
    if (!got || file === undefined || !run('dpkg-deb', ['-x', file, 'unpacked'], temporary)) {
      console.error('expected the package prometheus, got none: its message is above; install it in your system’s way');
      return false;
    }
    // A second run at the same time has the same package.
    rmSync(place, { recursive: true, force: true });
    renameSync(join(temporary, 'unpacked'), place);
    return true;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function download(folder) {
  return run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', 'prometheus'], folder);
}

function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, timeout: stepMsMax, stdio: ['ignore', 2, 2] });
  if (error) console.error(error.message);
  return status === 0;
}
