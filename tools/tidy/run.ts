import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commentForm } from './comment-rules.ts';
import { environment, knowsExamples, noAny, testForm } from './content-rules.ts';
import { exportComment, exportForm } from './export-rules.ts';
import { declarationName, fileName } from './name-rules.ts';
import { fileLength, functionLength } from './size-rules.ts';
import { type Finding, parseSource, type SourceRule } from './source.ts';
import { changelog, deadFiles, fileKinds, pins, unusedRooms } from './tree-rules.ts';

/** Written by a program, or by strangers: their form is not ours to choose. */
const NOT_OURS = /(^|\/)(generated|histories|fixtures|dist)\/|\.generated\.|^examples\//;
const SOURCE = /^(apps|libs|e2e|bench|tools|deploy)\/.*\.(tsx?|mjs)$/;
/** Where a file may be named that nothing imports. */
const NAMING = /(^|\/)(package\.json|Dockerfile|[^/]+\.config\.mjs|compose\.yaml|tsconfig[^/]*\.json)$/;

/** Every place in the tree at `root` that breaks a rule of the style, sorted by file and line. */
export function findUntidiness(root: string): Finding[] {
  const paths = listFiles(root);
  const sources = paths
    .filter((path) => SOURCE.test(path) && !NOT_OURS.test(path))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
  const rules: SourceRule[] = [
    ...[fileLength, functionLength, fileName, declarationName, exportForm, exportComment],
    ...[commentForm, testForm, noAny, environment, knowsExamples(exampleNames(root))],
  ];
  const named = paths.filter((path) => NAMING.test(path)).map((path) => readFileSync(join(root, path), 'utf8'));
  const findings = [
    ...sources.flatMap((source) => rules.flatMap((rule) => rule(source))),
    ...[...fileKinds(root, paths), ...pins(root, paths), ...changelog(root, paths)],
    ...[...deadFiles(sources, named), ...unusedRooms(root, paths, sources)],
  ];
  return findings.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
}

/** What git has or would take; a tree without git (a test's) is simply walked. */
function listFiles(root: string): string[] {
  if (!existsSync(join(root, '.git'))) {
    const entries = readdirSync(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => !path.includes('node_modules/'));
  }
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * FILE_LIST_BYTES,
  });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

/** A generous unit for the list of file names: a hundred thousand files fit. */
const FILE_LIST_BYTES = 1024 * 1024;

/** The names of the example prototypes and of their versions, read from the folder so that this list cannot age. */
function exampleNames(root: string): string[] {
  const folder = join(root, 'examples');
  if (!existsSync(folder)) return [];
  const folders = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  return folders(folder).flatMap((name) => [name, ...folders(join(folder, name))]);
}
