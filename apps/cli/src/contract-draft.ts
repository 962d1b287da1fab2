import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** What could be seen in a folder; everything else is left for its owner to fill in. */
export interface FolderFacts {
  readonly name: string;
  readonly summary: string | undefined;
  readonly kind: 'node' | 'command';
  readonly start: readonly string[];
  /** What the start was taken from, for the comment beside it. */
  readonly startSource: string;
  readonly cases: string;
  readonly runbook: string | undefined;
}

/** Looks into a folder without running anything in it. */
export function inspectFolder(folder: string): FolderFacts {
  const manifest = readManifest(folder);
  const runbook = ['RUNBOOK.md', 'README.md', 'readme.md'].find((name) => existsSync(join(folder, name)));
  const cases = ['cases.yaml', 'cases.yml', 'evaluation/cases.yaml', 'tests/cases.yaml'];
  return {
    name: nameFrom(manifest.name ?? basename(resolve(folder))),
    summary: manifest.description?.replaceAll(/\s+/g, ' ').slice(0, 200),
    ...startFrom(folder, manifest),
    cases: cases.find((name) => existsSync(join(folder, name))) ?? 'cases.yaml',
    runbook,
  };
}

/** The contract as a commented file. JSON strings are YAML strings, so no text of a folder can break out of its place. */
export function draftContract(seen: FolderFacts, owner: string): string {
  return `# What this prototype says about itself; Proviso reads it at every gate.
# The same name for every version.
prototype: ${seen.name}
${seen.summary === undefined ? '# summary: what it does, in a sentence' : `summary: ${JSON.stringify(seen.summary)}`}
# The person who is accountable for it: a human, not a team.
owner: ${JSON.stringify(owner)}

# What it must stand. Change these guesses to what you expect.
requirements:
  users: 100
  # The most sensitive data it touches: public, internal or personal.
  dataClass: internal
${seen.runbook === undefined ? '  # runbook: where the people on call find what to do' : `  runbook: ${JSON.stringify(seen.runbook)}`}

# How it is started; taken from ${seen.startSource}. It must listen on the port in the variable PORT.
# node: \`start\` is a script and its arguments. command: a program and its arguments.
run:
  kind: ${seen.kind}
  start: [${seen.start.map((word) => JSON.stringify(word)).join(', ')}]
  portVariable: PORT
  memoryMbMax: 256
  readyWithin: 15s

# Without a smoke probe nothing proves that staging works, and the gate stays inconclusive.
probes:
  # Answers 200 when it can serve.
  health: /healthz
  smoke:
    - name: the start page opens
      path: /
      expect: { status: 200 }

# Questions with what a right answer is like; each runs \`repeats\` times. The file is a list of cases such as
#   - id: opening-hours
#     request: { path: "/ask?question=opening+hours" }
#     expect: { status: 200, contains: "9 to 5" }
# The standard policy wants to be sure of 90 %: 29 cases, all answered right, are the fewest that show it.
evaluation:
  cases: ${JSON.stringify(seen.cases)}
  repeats: 3

# The share of failing requests that users can still live with. The canary is judged by it.
objective:
  errorRateMax: 0.01
`;
}

interface Manifest {
  readonly name?: string;
  readonly description?: string;
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, unknown>>;
}

function readManifest(folder: string): Manifest {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof value !== 'object' || value === null) return {};
    const texts = Object.entries(value).filter(([key, held]) => key === 'scripts' || typeof held === 'string');
    return Object.fromEntries(texts) as Manifest;
  } catch {
    // No manifest, or none that can be read: the owner fills in what could have been read from it.
    return {};
  }
}

type Start = Pick<FolderFacts, 'kind' | 'start' | 'startSource'>;

function startFrom(folder: string, manifest: Manifest): Start {
  const script = manifest.scripts?.['start'];
  if (typeof script === 'string') {
    const words = script.trim().split(/\s+/);
    const [program, ...rest] = words;
    // Quotes, variables and chains need a shell, and npm brings one along.
    const plain = words.every((word) => /^[A-Za-z0-9_@./:=-]+$/.test(word));
    if (plain && program === 'node' && rest[0] !== undefined && !rest[0].startsWith('-'))
      return { kind: 'node', start: rest, startSource: 'the script "start" in package.json' };
    return { kind: 'command', start: ['npm', 'start'], startSource: 'the script "start" in package.json' };
  }
  const scripts = [
    manifest.main,
    'server.mjs',
    'server.js',
    'src/server.mjs',
    'src/server.js',
    'index.mjs',
    'index.js',
  ];
  const found = scripts.find((name) => name !== undefined && existsSync(join(folder, name)));
  if (found !== undefined) return { kind: 'node', start: [found], startSource: `the file ${found}` };
  const python = ['app.py', 'main.py'].find((name) => existsSync(join(folder, name)));
  if (python !== undefined) return { kind: 'command', start: ['python3', python], startSource: `the file ${python}` };
  return { kind: 'node', start: ['server.js'], startSource: 'a guess, as nothing here says it: please correct it' };
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
