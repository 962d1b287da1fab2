import { execFile } from 'node:child_process';
import { access, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The installers of this machine: npm is not part of Node's own package, and pip comes with Python or not at all. */
export interface PackageTools {
  /** The folder of npm's own package, which is mounted into sandboxes. */
  readonly npm: { readonly folder: string; readonly version: string } | null;
  readonly pip: { readonly version: string } | null;
  /** Everything that may make the same packages come out otherwise: part of the name they are kept under. */
  readonly platform: string;
}

/** A tool that does not answer is treated as none. */
const askMsMax = 10_000;

/** Looks for the installers on the operator's `PATH`, once, at the start of a worker. */
export async function findPackageTools(path: string): Promise<PackageTools> {
  const { platform, arch, version } = process;
  const [npm, pip] = await Promise.all([findNpm(path), findPip(path)]);
  return { npm, pip, platform: `${platform}-${arch} node ${version}` };
}

/** What is missing, in words for an operator; null when all is there. */
export function missingTools({ npm, pip }: PackageTools): string | null {
  const missing = [...(npm === null ? ['npm'] : []), ...(pip === null ? ['pip of python3'] : [])];
  return missing.length === 0 ? null : `expected ${missing.join(' and ')} on the PATH, got none`;
}

async function findNpm(path: string): Promise<PackageTools['npm']> {
  for (const folder of path.split(delimiter).filter((each) => each.startsWith('/'))) {
    const program = await realpath(join(folder, 'npm')).catch(() => null);
    const found = program === null ? null : await npmAt(dirname(dirname(program)));
    if (found !== null) return found;
  }
  return null;
}

async function npmAt(folder: string): Promise<PackageTools['npm']> {
  try {
    await access(join(folder, 'bin', 'npm-cli.js'));
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      string
    >;
    return name === 'npm' && version !== undefined ? { folder, version } : null;
  } catch {
    // Another program of that name, or a script that leads to one: the next folder may have the real one.
    return null;
  }
}

async function findPip(path: string): Promise<PackageTools['pip']> {
  try {
    const words = ['-I', '-c', 'import pip, sys; print(pip.__version__, "python", sys.version.split()[0])'];
    const { stdout } = await promisify(execFile)('python3', words, { env: { PATH: path }, timeout: askMsMax });
    return { version: stdout.trim() };
  } catch {
    // No Python, or one without pip.
    return null;
  }
}
