import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Asking npm and pip takes half a second; what does not answer is taken as not configured. */
const askMsMax = 10_000;

/**
 * Where this person's own npm and pip take packages from, as the worker is told it: builds then work behind a mirror too.
 * An address with a name or password in it is left out, since builds would show it to what they build.
 */
export async function ownRegistries(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  const [npm, pip] = await Promise.all([
    answers(environment, { program: 'npm', words: ['config', 'get', 'registry', 'cafile'] }),
    answers(environment, { program: 'python3', words: ['-m', 'pip', 'config', 'list'] }),
  ]);
  const index = environment.PIP_INDEX_URL ?? pip.get('global.index-url');
  const certificates = npm.get('cafile') ?? environment.PIP_CERT ?? pip.get('global.cert');
  return {
    ...addressOf('PROVISO_NPM_REGISTRY', npm.get('registry')),
    ...addressOf('PROVISO_PYPI_INDEX', index),
    ...(certificates?.startsWith('/') && { PROVISO_REGISTRY_CERTIFICATES: certificates }),
  };
}

function addressOf(name: string, value: string | undefined): Readonly<Record<string, string>> {
  const url = value !== undefined && URL.canParse(value) ? new URL(value) : null;
  const fits = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  return fits && value !== undefined ? { [name]: value } : {};
}

/** Both print `name=value` lines, pip with quotes around the value. */
async function answers(
  environment: Readonly<Record<string, string | undefined>>,
  { program, words }: { readonly program: string; readonly words: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  try {
    const { stdout } = await promisify(execFile)(program, [...words], { env: environment, timeout: askMsMax });
    const lines = stdout.split('\n').map((line) => /^\s*([\w.:-]+)\s*=\s*(.*?)\s*$/.exec(line));
    return new Map(lines.flatMap((found) => (found === null ? [] : [[found[1] ?? '', unquoted(found[2] ?? '')]])));
  } catch {
    // Not installed, or it hangs: the worker says at its start what it lacks.
    return new Map();
  }
}

function unquoted(value: string): string {
  return value.replace(/^(['"])(.*)\1$/, '$2');
}
