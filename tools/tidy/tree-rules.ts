import { readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Finding, Source } from './source.ts';

/** Git keeps each version of a big file for ever; what is larger than this is data and has its own place. */
export const FILE_BYTES_MAX = 1024 * 1024;

const EXTENSIONS = new Set(
  '.ts .tsx .mjs .sh .json .jsonc .md .yaml .yml .sql .txt .out .css .html .svg .png .ico .mod .sum .go .conf .toml .pl'.split(
    ' ',
  ),
);
const WHOLE_NAMES = new Set([
  'LICENSE',
  'Dockerfile',
  '.gitignore',
  '.dockerignore',
  '.npmrc',
  '.env.example',
  'run',
  '.nvmrc',
  // Schemathesis takes its hooks in its own language only.
  'hooks.py',
]);
const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Big blobs and files of a kind that nobody planned; the examples are strangers' code and may look as they like. */
export function fileKinds(root: string, paths: readonly string[]): Finding[] {
  return paths.flatMap((path) => {
    const findings: Finding[] = [];
    const add = (rule: string, message: string) => findings.push({ path, line: 1, rule, message });
    const size = statSync(join(root, path)).size;
    if (size > FILE_BYTES_MAX) add('blob', `expected at most ${FILE_BYTES_MAX} bytes, got ${size}`);
    const isKnown = EXTENSIONS.has(extname(path)) || WHOLE_NAMES.has(basename(path));
    if (!isKnown && !/(^|\/)(examples|fixtures)\//.test(path)) add('extension', `got a stray kind of file: ${path}`);
    return findings;
  });
}

/** Every dependency is pinned exactly, and the lock file names no registry's address. */
export function pins(root: string, paths: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  for (const path of paths.filter((each) => /^(package\.json|(apps|libs)\/[^/]+\/package\.json)$/.test(each))) {
    const text = readFileSync(join(root, path), 'utf8');
    const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
    const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
    for (const [name, version] of kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}))) {
      if (EXACT.test(version)) continue;
      const line = text.split('\n').findIndex((each) => each.includes(`"${name}"`)) + 1;
      findings.push({ path, line, rule: 'pin', message: `expected ${name} at an exact version, got ${version}` });
    }
  }
  return [...findings, ...lockAddresses(root, paths)];
}

function lockAddresses(root: string, paths: readonly string[]): Finding[] {
  const path = 'package-lock.json';
  if (!paths.includes(path)) return [];
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('"resolved": "http'));
  if (at < 0) return [];
  return [{ path, line: at + 1, rule: 'lock', message: 'expected no registry address; see .npmrc' }];
}

/** A room that is named as a dependency and imported nowhere says of the house what is not so. */
export function unusedRooms(root: string, paths: readonly string[], sources: readonly Source[]): Finding[] {
  return paths
    .filter((path) => /^(apps|libs)\/[^/]+\/package\.json$/.test(path))
    .flatMap((path) => {
      const lines = readFileSync(join(root, path), 'utf8').split('\n');
      const own = sources.filter((source) => source.path.startsWith(path.slice(0, -'package.json'.length)));
      return lines.flatMap((text, index) => {
        const name = /^\s*"(@proviso\/[a-z]+)":/.exec(text)?.[1];
        if (name === undefined || own.some((source) => source.text.includes(`'${name}'`))) return [];
        const message = `expected an import of ${name}, got none in this room`;
        return [{ path, line: index + 1, rule: 'unused-room', message }];
      });
    });
}

/** The changelog opens with what is not released yet, so that an entry always has a place to go. */
export function changelog(root: string, paths: readonly string[]): Finding[] {
  const path = 'CHANGELOG.md';
  if (!paths.includes(path)) return [{ path, line: 1, rule: 'changelog', message: 'expected a changelog' }];
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const first = lines.findIndex((line) => line.startsWith('## '));
  if (/^# /.test(lines[0] ?? '') && /^## \[?Unreleased\]?$/.test(lines[first] ?? '')) return [];
  const message = 'expected "# Changelog", then "## Unreleased" before any release';
  return [{ path, line: Math.max(first, 0) + 1, rule: 'changelog', message }];
}

/** Files that a tool or a person starts; nothing imports them. */
const ENTRY =
  /(\/(index|main)\.ts|\.(test|workflow|generate|config)\.(ts|mjs)|^tools\/[^/]+\.mjs|^[^/]+\.mjs|^bench\/[^/]+\.ts)$/;

/** A source file that nobody names is dead: it still has to be read, kept compiling and believed. */
export function deadFiles(sources: readonly Source[], otherTexts: readonly string[]): Finding[] {
  return sources
    .filter(({ path }) => !ENTRY.test(path))
    .filter(({ path }) => {
      const name = basename(path);
      const isNamed = (text: string) => text.includes(`/${name}`);
      return !otherTexts.some(isNamed) && !sources.some((other) => other.path !== path && isNamed(other.text));
    })
    .map(({ path }) => ({
      path,
      line: 1,
      rule: 'dead-file',
      message: 'expected somebody to import or start this file',
    }));
}
