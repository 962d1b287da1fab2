// Writes every generated file, or with `--check` fails when a committed one differs from what would be written.
// A generator is a program that prints one JSON object { "path from the root": "text" }; it writes nothing itself.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GENERATORS, RECORDERS } from './generators.mjs';
import { root, runNode } from './pinned-node.mjs';

const isCheck = process.argv.includes('--check');
const problems = forgottenGenerators();
for (const generator of GENERATORS) problems.push(...(await run(generator)));
for (const problem of problems) console.error(problem);
console.error(`generate: ${GENERATORS.length} generators, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

async function run({ program, flags = [] }) {
  const { code, stdout, stderr } = await runNode([...flags, program]);
  if (code !== 0) return [`${program}: expected exit code 0, got ${code}: ${stderr.trim()}`];
  const files = Object.entries(JSON.parse(stdout));
  if (files.length === 0) return [`${program}: expected at least one file, got none`];
  if (isCheck) return files.filter(([path, text]) => committed(path) !== text).map(([path]) => stale(path));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return [];
}

function committed(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function stale(path) {
  return `${path}: expected what the generator writes, got something else; run npm run generate`;
}

/** A generator nobody lists would let its output age in silence. */
function forgottenGenerators() {
  const listed = new Set([...RECORDERS, ...GENERATORS.map(({ program }) => program)]);
  return globSync('{apps,libs}/*/src/**/*.generate.ts', { cwd: root })
    .filter((path) => !listed.has(path))
    .map((path) => `${path}: expected a line in tools/generators.mjs`);
}
