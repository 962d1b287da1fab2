import { type Contract, runOrderOf } from '@proviso/domain';
import { listFiles, readCandidateFile } from './candidate-files.ts';
import { contractFileName } from './contract-file.ts';
import type { Origin } from './origin.ts';
import type { GateReason } from './outcome.ts';
import {
  type ManifestFound,
  type RequirementsFound,
  lockFiles,
  readPackageManifest,
  readRequirements,
} from './packages.ts';
import { excerpt } from './redaction.ts';

/** What is compared with the files. */
export interface CodeFit {
  /** Null when there is none that can be read: what is wrong with the files is told all the same. */
  readonly contract: Contract | null;
  readonly origin: Origin;
  /** Whether the pinned policy has a gate that builds. */
  readonly builds: boolean;
}

/** A script larger than this is no script that a person wrote. */
const scriptBytesMax = 16 * 1024 * 1024;
/** Enough to mend a list of packages, few enough for a prompt. */
const looseLinesMax = 5;

/** Tools that write code when they are told to, by the name their users know them under. */
const toolNames: Partial<Record<Origin, string>> = {
  lovable: 'Lovable',
  bolt: 'Bolt',
  v0: 'v0',
  replit: 'the Replit agent',
  coding_agent: 'your coding agent',
};

/**
 * Compares what a contract says with the files: packages that nothing pins, a kind that the files are not, a build that
 * nothing carries out. Each gap says what to do, in words that can be pasted into the tool that made the prototype.
 */
export async function codeGaps(folder: string, fit: CodeFit): Promise<readonly GateReason[]> {
  const found = await readPackageManifest(folder);
  const requirements = await readRequirements(folder);
  const { paths } = await listFiles(folder);
  const code: Code = { found, requirements, paths, folder };
  const packages = packageGaps(code, fit);
  if (fit.contract === null) return packages;
  return [...packages, ...(await kindGaps(code, fit.contract)), ...buildGaps(code, fit.contract, fit.builds)];
}

interface Code {
  readonly found: ManifestFound;
  readonly requirements: RequirementsFound | null;
  readonly paths: readonly string[];
  readonly folder: string;
}

function packageGaps(code: Code, fit: CodeFit): readonly GateReason[] {
  if (fit.contract?.build?.install === 'none') return [];
  const kind = fit.contract?.run.kind;
  // A command brings its own world; only a build that installs packages needs them pinned.
  if (kind === 'command' && fit.contract?.build === undefined) return [];
  return [
    ...(kind === 'python' ? [] : nodeGaps(code, fit)),
    ...(kind === 'node' || kind === 'static' ? [] : pythonGaps(code, fit)),
  ];
}

function nodeGaps({ found, paths }: Code, { contract, origin }: CodeFit): readonly GateReason[] {
  const file = 'package.json';
  if (found.kind === 'none') return [];
  if (found.kind === 'unreadable') {
    return [{ code: 'packages_unreadable', message: `expected ${file} to be JSON, got something else`, file }];
  }
  const { dependencies, devDependencies, packageManager } = found.manifest;
  // Without a build nothing is installed for building either.
  const needed =
    contract !== null && contract.build === undefined ? dependencies : [...dependencies, ...devDependencies];
  if (needed.length === 0 || lockFiles.some((lock) => paths.includes(lock.file))) return [];
  const manager = lockFiles.find((lock) => packageManager?.startsWith(lock.manager));
  const { name, lock } = { name: manager?.manager ?? 'npm', lock: manager?.file ?? 'package-lock.json' };
  const other = paths.some((path) => /^bun\.lockb?$/.test(path))
    ? 'the lock file of Bun cannot be used here'
    : 'no lock file';
  const fix = `run \`${name} install\` and add ${lock}`;
  const why = 'without one nobody can say which packages would run';
  const message = `${other}: ${fix}; ${why}${pasteable(origin, `Run ${name} install and add the file ${lock} to the project.`)}`;
  return [{ code: 'lock_file_missing', message, file }];
}

function pythonGaps({ requirements, paths }: Code, { contract, origin }: CodeFit): readonly GateReason[] {
  const file = 'requirements.txt';
  if (requirements === null) {
    if (contract?.build === undefined || !paths.includes('pyproject.toml')) return [];
    const fix = `run \`pip-compile --generate-hashes -o ${file} pyproject.toml\` and add ${file}`;
    const prompt = `Write a ${file} in which every package, also those that others need, has its exact version.`;
    const message = `no ${file} that pins the packages of pyproject.toml: ${fix}${pasteable(origin, prompt)}`;
    return [{ code: 'lock_file_missing', message, file: 'pyproject.toml' }];
  }
  const more = requirements.loose.length - looseLinesMax;
  return requirements.loose.slice(0, looseLinesMax).map(({ line, text }, index) => {
    const rest = index === looseLinesMax - 1 && more > 0 ? ` (and ${more} more lines)` : '';
    const prompt = `Pin every package in ${file} to its exact version, as in flask==3.1.2.`;
    const message = `${file}, line ${line}: expected an exact version such as name==1.2.3, got ${excerpt(text, 80)}${rest}; run \`pip freeze\` and take the version from there${pasteable(origin, prompt)}`;
    return { code: 'packages_unpinned', message, file, line };
  });
}

async function kindGaps({ folder, paths }: Code, contract: Contract): Promise<readonly GateReason[]> {
  const { run, build } = contract;
  // What a command of the build leaves is not there yet.
  if (build?.command !== undefined) return [];
  const unfit = (message: string): GateReason => ({ code: 'kind_unfit', message, file: contractFileName });
  if (run.kind === 'static') {
    const root = runOrderOf(contract).root ?? '.';
    const page = root === '.' ? 'index.html' : `${root.replace(/\/$/, '')}/index.html`;
    const fix = `add it, name its folder under run.root, or say under build how it is made`;
    return paths.includes(page) ? [] : [unfit(`run.kind is static and there is no ${excerpt(page)}; ${fix}`)];
  }
  const [script = ''] = run.start;
  if (run.kind === 'python' && !paths.some((path) => path.endsWith('.py'))) {
    return [unfit('run.kind is python and there is no file that ends in .py; name the right kind')];
  }
  // A module is found by Python itself, and what is installed comes with the packages.
  const installed = build !== undefined && script.startsWith('node_modules/');
  if (run.kind === 'command' || installed || (run.kind === 'python' && script === '-m')) return [];
  const content = await readCandidateFile(folder, { path: script, sizeBytesMax: scriptBytesMax });
  if ('bytes' in content) return [];
  const message = `${contractFileName} names ${excerpt(script)} under run.start, which is not in the prototype; add the file, name the right one, or say under build how it is made`;
  return [{ code: 'file_missing', message, file: contractFileName }];
}

function buildGaps({ found, requirements }: Code, contract: Contract, builds: boolean): readonly GateReason[] {
  const { run, build } = contract;
  const ofNode = run.kind === 'node' && found.kind === 'found' && found.manifest.dependencies.length > 0;
  const ofPython = run.kind === 'python' && (requirements?.names.length ?? 0) > 0;
  const list = ofNode ? 'package.json' : ofPython ? 'requirements.txt' : null;
  const gaps: GateReason[] = [];
  if (build === undefined && list !== null) {
    const message = `${list} names packages and ${contractFileName} has no build that installs them; add the line \`build: { install: auto }\``;
    gaps.push({ code: 'build_missing', message, file: contractFileName });
  }
  if ((build !== undefined || list !== null) && !builds) {
    const message = `it must be built (${build === undefined ? list : `${contractFileName} says how`}), and the policy it was promoted under has no build gate; promote it under a policy that has one`;
    gaps.push({ code: 'build_gate_missing', message });
  }
  return gaps;
}

function pasteable(origin: Origin, prompt: string): string {
  const tool = toolNames[origin];
  return tool === undefined ? '' : `. Or tell ${tool}: "${prompt}"`;
}
