import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';

/** One thing in the root of a sandbox, the same for both ways of building it. */
export type Fixture =
  | { readonly kind: 'read'; readonly target: string; readonly source: string }
  | { readonly kind: 'scratch'; readonly target: string; readonly bytes: number }
  | { readonly kind: 'link'; readonly target: string; readonly to: string };

/** What a prototype may use of this machine: looked up once, bound read-only into every sandbox. */
export interface Toolchain {
  readonly fixtures: readonly Fixture[];
  /** The `PATH` inside. */
  readonly path: string;
  /** Where Node is inside: the very one that runs us. */
  readonly node: string;
  readonly machine: 'x64' | 'arm64';
}

/** The interpreter of the warden; also its path inside. */
export const perlPath = '/usr/bin/perl';
/** Where the warden's files are inside. */
export const wardenFolder = '/opt/proviso/warden';

const HOME = '/opt/proviso';
// Node may live in somebody's home, so it gets a place of its own. Python finds its libraries by its own path only.
const NODE_FOLDER = `${HOME}/node`;
// Programs and libraries, certificates and time zones; no accounts, no host names, no configuration of services.
const SYSTEM_PATHS = [
  ...['/usr', '/bin', '/lib', '/lib32', '/lib64'],
  ...['ssl/certs', 'ssl/openssl.cnf', 'pki/tls/certs', 'alternatives', 'ld.so.cache', 'localtime'].map(
    (name) => `/etc/${name}`,
  ),
];
// A Python that does not answer is treated as none.
const ASK_MS_MAX = 5_000;

/** Finds what sandboxes need on this machine, or says what is missing. */
export function findToolchain(): Toolchain | { readonly missing: string } {
  const machine = process.arch;
  if (machine !== 'x64' && machine !== 'arm64') return { missing: `expected x64 or arm64, got ${machine}` };
  if (!existsSync(perlPath)) return { missing: `expected ${perlPath}, got nothing` };
  const fixtures: Fixture[] = SYSTEM_PATHS.filter((path) => existsSync(path)).map(systemFixture);
  fixtures.push({ kind: 'read', target: `${NODE_FOLDER}/bin/node`, source: realpathSync(process.execPath) });
  const folders = [`${NODE_FOLDER}/bin`];
  const python = pythonPrefix();
  if (python !== null && !python.startsWith('/usr')) {
    fixtures.push({ kind: 'read', target: python, source: python });
    folders.push(`${python}/bin`);
  }
  const own = new URL('./warden', import.meta.url).pathname;
  fixtures.push({ kind: 'read', target: wardenFolder, source: own });
  fixtures.push({ kind: 'read', target: '/etc/hosts', source: `${own}/hosts.txt` });
  const path = [...folders, '/usr/local/bin', '/usr/bin', '/bin'].join(':');
  return { fixtures, path, node: `${NODE_FOLDER}/bin/node`, machine };
}

function systemFixture(path: string): Fixture {
  const isLink = lstatSync(path).isSymbolicLink();
  // `/bin` points into `/usr` on most systems; a link elsewhere is bound as what it points to.
  if (isLink && path.lastIndexOf('/') === 0) return { kind: 'link', target: path, to: readlinkSync(path) };
  return { kind: 'read', target: path, source: realpathSync(path) };
}

function pythonPrefix(): string | null {
  try {
    const text = execFileSync('python3', ['-S', '-c', 'import sys; print(sys.base_prefix)'], {
      encoding: 'utf8',
      timeout: ASK_MS_MAX,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return realpathSync(text.trim());
  } catch {
    // No Python here: a prototype that wants it will say so itself.
    return null;
  }
}
