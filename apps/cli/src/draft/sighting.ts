import { basename, resolve } from 'node:path';
import { type PackageManifest, readPackageManifest, readRequirements } from '@proviso/gates';
import { type FolderView, viewFolder } from './folder-view.ts';
import { type Needs, findNeeds, isSecretName, ownHostKit } from './needs.ts';
import { draftNext, draftNode, draftVite } from './node-draft.ts';
import { type PythonPackages, draftPython, projectPackages } from './python-draft.ts';
import type { RunDraft } from './run-draft.ts';
import { startOfProcfile, startOfReplit } from './start-words.ts';

/** What `init` saw in a folder; everything else is left for its owner to say. */
export interface Sighting {
  readonly name: string;
  readonly summary: string | undefined;
  readonly draft: RunDraft;
  readonly needs: Needs;
  readonly health: string;
  /** The file of test questions, whether it is there, and what one can write into it from the pages themselves. */
  readonly cases: { readonly path: string; readonly exists: boolean };
  readonly page: Page | null;
  readonly runbook: string | undefined;
  readonly doubts: readonly string[];
}

/** Texts of a start page that every answer with it holds. */
export interface Page {
  readonly file: string;
  readonly title: string | null;
  readonly description: string | null;
  /** The element into which a single-page app draws itself. */
  readonly mount: string | null;
}

const caseFiles = ['cases.yaml', 'cases.yml', 'evaluation/cases.yaml', 'tests/cases.yaml'];
const siteRoots = ['', 'public/', 'dist/', 'build/', 'out/'];
const summaryLengthMax = 200;
const pageTextLengthMax = 120;

/** Looks into a folder without running anything in it. */
export async function sightFolder(folder: string): Promise<Sighting> {
  const view = viewFolder(folder);
  const found = await readPackageManifest(folder);
  const manifest = found.kind === 'found' ? found.manifest : null;
  const python = await pythonPackages(view);
  const draft = draftOf(view, manifest, python);
  const packages = packagesOf(manifest, python);
  const needs = findNeeds(view, packages);
  const isServed = draft.run.kind === 'static';
  const page = isServed ? pageOf(view, draft) : null;
  const health = isServed ? null : healthIn(view);
  const cases = caseFiles.find((path) => view.has(path));
  return {
    name: nameFrom(manifest?.name ?? basename(resolve(folder))),
    summary: manifest?.description && oneLine(manifest.description).slice(0, summaryLengthMax),
    draft,
    // Files call nobody: what their visitors' browsers call is the visitors' own.
    needs: isServed ? { ...needs, variables: [], secrets: [], hosts: [] } : needs,
    health: health ?? '/',
    cases: { path: cases ?? 'cases.yaml', exists: cases !== undefined },
    page,
    runbook: ['RUNBOOK.md', 'README.md', 'readme.md'].find((name) => view.has(name)),
    doubts: [
      ...draft.doubts,
      ...(isServed || health !== null
        ? []
        : ['the health probe: no such path was seen in the code, so the start page is asked']),
      ...needDoubts(needs, isServed, packages.names),
      ...(view.has('replit.nix') ? ['programs that replit.nix installs beside the packages: they are not there'] : []),
    ],
  };
}

function draftOf(view: FolderView, manifest: PackageManifest | null, python: PythonPackages): RunDraft {
  const framework = manifest && (draftNext(view, manifest) ?? draftVite(view, manifest));
  const guess: RunDraft = {
    run: { kind: 'node', start: ['server.js'], environment: {}, memoryMbMax: 256 },
    build: null,
    from: 'a guess, as nothing here says it',
    doubts: ['how it is started: nothing here says it'],
  };
  return (
    framework ??
    toldStart(view, manifest, python) ??
    draftNode(view, manifest) ??
    draftPython(view, python) ??
    site(view) ??
    guess
  );
}

/** A start that a file for another platform tells, with the packages that its language needs. */
function toldStart(view: FolderView, manifest: PackageManifest | null, python: PythonPackages): RunDraft | null {
  const told = startOfProcfile(view) ?? startOfReplit(view);
  if (told === null) return null;
  const { from, ...start } = told;
  const language = start.kind === 'python' || manifest === null ? draftPython(view, python) : draftNode(view, manifest);
  const build =
    language?.build ?? (start.kind === 'python' && python.names.length > 0 ? { install: 'auto' as const } : null);
  return { run: { ...start, memoryMbMax: 256 }, build, from, doubts: [] };
}

function site(view: FolderView): RunDraft | null {
  const root = siteRoots.find((prefix) => view.has(`${prefix}index.html`));
  if (root === undefined) return null;
  const folder = root === '' ? {} : { root: root.slice(0, -1) };
  const doubts =
    root === '' ? ['every file of the folder is served to everybody; move the pages into a folder of their own'] : [];
  return { run: { kind: 'static', ...folder, fallback: false }, build: null, from: `${root}index.html`, doubts };
}

async function pythonPackages(view: FolderView): Promise<PythonPackages> {
  const listed = await readRequirements(view.folder);
  if (listed !== null) return { names: listed.names, file: 'requirements.txt' };
  const names = projectPackages(view.text('pyproject.toml') ?? '');
  return { names, file: names.length > 0 ? 'pyproject.toml' : null };
}

function packagesOf(
  manifest: PackageManifest | null,
  python: PythonPackages,
): { names: readonly string[]; file: string } {
  if (manifest !== null && manifest.dependencies.length > 0)
    return { names: manifest.dependencies, file: 'package.json' };
  return { names: python.names, file: python.file ?? 'package.json' };
}

function needDoubts(needs: Needs, isServed: boolean, packages: readonly string[]): readonly string[] {
  const leaks = needs.publicVariables.filter(({ name }) => isSecretName(name));
  const lost = isServed ? needs.secrets : [];
  const kit = isServed ? undefined : ownHostKit(packages);
  return [
    ...leaks.map(({ name, file }) => `${name} in ${file} looks like a secret, and every visitor can read it there`),
    ...lost.map(({ name, file }) => `${name} in ${file} looks like a secret, and served files cannot keep one`),
    ...(kit === undefined ? [] : [`the host of your own project that ${kit} talks to: add it under egress`]),
  ];
}

function pageOf(view: FolderView, draft: RunDraft): Page | null {
  const root =
    draft.run.kind === 'static' && draft.run.root !== undefined && draft.build === null ? `${draft.run.root}/` : '';
  const file = `${root}index.html`;
  const html = view.text(file);
  if (html === null) return null;
  const told = (text: string | undefined) => {
    const words = text?.trim() ?? '';
    // A placeholder is filled by the build, and what spans lines may be written anew by it.
    return words === '' || words.length > pageTextLengthMax || /[%\p{Cc}]/u.test(words) || !words.isWellFormed()
      ? null
      : words;
  };
  return {
    file,
    title: told(/<title[^>]{0,200}>([^<]{1,300})<\/title>/i.exec(html)?.[1]),
    description: told(/<meta\s+name="description"\s+content="([^"]{1,300})"/i.exec(html)?.[1]),
    mount: told(/<div (id="(?:root|app)")/.exec(html)?.[1]),
  };
}

function healthIn(view: FolderView): string | null {
  const code = view.paths.filter((path) => /\.([cm]?[jt]sx?|py)$/.test(path)).map((path) => view.text(path) ?? '');
  const paths = ['/healthz', '/health', '/api/healthz', '/api/health', '/health-check', '/livez'];
  return paths.find((path) => code.some((text) => new RegExp(`['"\`]${path}/?['"\`]`).test(text))) ?? null;
}

/** Lower-case words joined by hyphens, as the contract wants it. */
function nameFrom(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/^@[^/]+\//, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const name = words
    .join('-')
    .replace(/^[0-9-]+/, '')
    .slice(0, 63)
    .replace(/-$/, '');
  return name.length >= 2 ? name : 'prototype';
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}
