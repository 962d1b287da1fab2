import { readCandidateFile, textOf } from './candidate-files.ts';

/** What a prototype's `package.json` says; only the parts that decide how it is built and started. */
export interface PackageManifest {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly main: string | undefined;
  /** The package manager it asks for, such as `pnpm@9.1.0`. */
  readonly packageManager: string | undefined;
  readonly scripts: Readonly<Record<string, string>>;
  /** What runs needs, and what only building needs. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** The manifest, none, or one that no tool could read. */
export type ManifestFound =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'found'; readonly manifest: PackageManifest };

/** A manifest or a list of packages that a person wrote is far smaller. */
const manifestBytesMax = 1024 * 1024;

/** Package managers by the lock file each writes; the first that is there decides. */
export const lockFiles = [
  { file: 'package-lock.json', manager: 'npm' },
  { file: 'npm-shrinkwrap.json', manager: 'npm' },
  { file: 'pnpm-lock.yaml', manager: 'pnpm' },
  { file: 'yarn.lock', manager: 'yarn' },
] as const;

/** A package manager whose lock file can be used. */
export type PackageManager = (typeof lockFiles)[number]['manager'];

/** Reads `package.json` as far as it is what npm would read; a field of another type counts as absent. */
export async function readPackageManifest(folder: string): Promise<ManifestFound> {
  const content = await readCandidateFile(folder, { path: 'package.json', sizeBytesMax: manifestBytesMax });
  if ('problem' in content) return { kind: content.problem === 'missing' ? 'none' : 'unreadable' };
  const fields = objectOf(parsed(textOf(content.bytes)));
  if (fields === null) return { kind: 'unreadable' };
  const manifest = {
    name: wordsOf(fields['name']),
    description: wordsOf(fields['description']),
    main: wordsOf(fields['main']),
    packageManager: wordsOf(fields['packageManager']),
    scripts: Object.fromEntries(
      Object.entries(objectOf(fields['scripts']) ?? {}).filter((pair): pair is [string, string] => {
        return typeof pair[1] === 'string';
      }),
    ),
    dependencies: Object.keys(objectOf(fields['dependencies']) ?? {}),
    devDependencies: Object.keys(objectOf(fields['devDependencies']) ?? {}),
  };
  return { kind: 'found', manifest };
}

/** One line of a list of Python packages that does not say which version, or says it elsewhere. */
export interface LooseLine {
  readonly line: number;
  readonly text: string;
}

/** What `requirements.txt` pins. */
export interface RequirementsFound {
  readonly names: readonly string[];
  readonly loose: readonly LooseLine[];
}

/** The only form that names one version, without its spaces; `==1.*` names many. */
const pinnedPackage = /^([A-Za-z0-9][\w.-]*)(\[[\w,.-]*\])?===?[\w.!+-]+$/;
/** An archive by its address is one version only together with its hash. */
const pinnedArchive = /^([A-Za-z0-9][\w.-]*)@https:\/\/[^#]+#sha256=\w{64}$/;
/** Reads `requirements.txt` in the way of pip; null when there is none. */
export async function readRequirements(folder: string): Promise<RequirementsFound | null> {
  const content = await readCandidateFile(folder, { path: 'requirements.txt', sizeBytesMax: manifestBytesMax });
  if ('problem' in content && content.problem === 'missing') return null;
  const text = 'bytes' in content ? textOf(content.bytes) : null;
  if (text === null) return { names: [], loose: [{ line: 1, text: 'something that is no text' }] };
  const names: string[] = [];
  const loose: LooseLine[] = [];
  for (const { line, text: written } of joinedLines(text)) {
    const wanted = written.replace(/(^|\s)#.*$/, '').trim();
    if (wanted === '' || wanted === '--require-hashes') continue;
    const name = nameIfPinned(wanted);
    if (name === undefined) loose.push({ line, text: wanted });
    names.push(name ?? /^[\w.-]*/.exec(wanted)?.[0] ?? '');
  }
  return { names: names.filter((name) => name !== '' && !name.startsWith('-')), loose };
}

/** A backslash carries on with the next line, and the hashes usually stand there. One at the very end stays. */
function joinedLines(text: string): readonly LooseLine[] {
  const lines = text.split(/\r?\n/);
  const joined: LooseLine[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const parts: string[] = [];
    while (lines[index]?.endsWith('\\') && index + 1 < lines.length) {
      parts.push(lines[index]?.slice(0, -1) ?? '');
      index += 1;
    }
    parts.push(lines[index] ?? '');
    joined.push({ line, text: parts.join(' ') });
  }
  return joined;
}

function nameIfPinned(line: string): string | undefined {
  const [wanted = ''] = line.split(/\s--hash[=\s]|;/, 1);
  const bare = wanted.replaceAll(/\s/g, '');
  return (pinnedPackage.exec(bare) ?? pinnedArchive.exec(bare))?.[1];
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse((text ?? '').replace(/^\uFEFF/, ''));
  } catch {
    // What cannot be read is told as such by the caller.
    return null;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function wordsOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
