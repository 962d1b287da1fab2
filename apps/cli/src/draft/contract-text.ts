import type { Need } from './needs.ts';
import type { BuildDraft } from './run-draft.ts';
import type { Sighting } from './sighting.ts';

/** What only a person can say. `confirmed` is false where a safe default stands in for their answer. */
export interface OwnersWord {
  readonly owner: string;
  readonly users: number;
  readonly dataClass: 'public' | 'internal' | 'personal';
  readonly confirmed: boolean;
}

/** The contract as a commented file. JSON strings are YAML strings, so no text of a folder can break out of its place. */
export function draftContract(seen: Sighting, word: OwnersWord): string {
  const mark = word.confirmed ? '' : '  # please confirm: nobody was asked';
  const title = seen.page?.title ?? null;
  const doubts = seen.doubts.map((doubt) => `#   - ${comment(doubt)}\n`).join('');
  return `# What this prototype says about itself; Proviso reads it at every gate.
${doubts === '' ? '' : `# Please look at this, the code does not say it:\n${doubts}`}
# The same name for every version.
prototype: ${shortest(seen.name)}
${seen.summary === undefined ? '# summary: what it does, in a sentence' : `summary: ${quoted(seen.summary)}`}
# The person who is accountable for it: a human, not a team.
owner: ${quoted(word.owner)}${mark}

# What it must stand.
requirements:
  users: ${word.users}${mark}
  # The most sensitive data it touches: public, internal or personal.
  dataClass: ${word.dataClass}${mark}
${seen.runbook === undefined ? '  # runbook: where the people on call find what to do' : `  runbook: ${quoted(seen.runbook)}`}
${buildText(seen)}${runText(seen)}${egressText(seen.needs.hosts)}
# Without a smoke probe nothing proves that staging works, and the gate stays inconclusive.
probes:
  # Answers 200 when it can serve.
  health: ${seen.health}
  smoke:
    - name: the start page opens
      path: /
      expect: { status: 200${title === null ? '' : `, contains: ${quoted(title)}`} }

# Questions with what a right answer is like; each runs \`repeats\` times. The file is a list of cases such as
#   - id: opening-hours
#     request: { path: "/ask?question=opening+hours" }
#     expect: { status: 200, contains: "9 to 5" }
# The standard policy wants to be sure of 90 %: 29 cases, all answered right, are the fewest that show it.
evaluation:
  cases: ${quoted(seen.cases.path)}
  repeats: 3

# The share of failing requests that users can still live with. The canary is judged by it.
objective:
  errorRateMax: 0.01
  # latencyMsP95Max: 500
  # peakRequestsPerSecond: 20
`;
}

/** A few true test questions about a page; null when there is nothing that one could ask of it. */
export function draftCases({ page, draft }: Sighting): string | null {
  if (page === null || draft.run.kind !== 'static') return null;
  const asked = [
    ['start-page', '/', page.title],
    ['description', '/', page.description],
    ['app-element', '/', page.mount],
    // Single-page apps answer every path with their start page.
    ['deep-link', '/a/page/of/the/app', draft.run.fallback ? (page.title ?? page.mount) : null],
  ] as const;
  const cases = asked.flatMap(([id, path, text]) =>
    text === null
      ? []
      : [
          `- id: ${id}\n  request: { path: ${path}, headers: { Accept: text/html } }\n  expect: { status: 200, contains: ${quoted(text)} }\n`,
        ],
  );
  return cases.length === 0
    ? null
    : `# Test questions, a first few; taken from ${page.file}. Add what your users rely on.\n${cases.join('')}`;
}

function buildText({ draft, needs }: Sighting): string {
  const names = needs.publicVariables;
  if (draft.build === null) return '';
  const { install, command, output }: BuildDraft = draft.build;
  const lines = [
    `  # auto: what the lock file or requirements.txt pins; none: no packages.\n  install: ${install}\n`,
    command === undefined ? '' : `  command: ${listed(command)}\n`,
    output === undefined ? '' : `  output: ${quoted(output)}\n`,
    names.length === 0
      ? ''
      : `  # Public: they end up in what every visitor loads. From the .env file when it names them; else fill in.\n  # variables:\n`,
    ...names.map(({ name, file }) => `  #   ${name}: ""  # used in ${comment(file)}\n`),
  ];
  return `\n# How it is made from its sources.\nbuild:\n${lines.join('')}`;
}

function runText({ draft, needs }: Sighting): string {
  const { run } = draft;
  const head = `\n# What runs; taken from ${comment(draft.from)}.`;
  if (run.kind === 'static') {
    const root = run.root === undefined ? '' : `  root: ${quoted(run.root)}\n`;
    return `${head}\n# static: files that are served as they are; fallback gives unknown pages index.html, for single-page apps.
run:
  kind: static
${root}  fallback: ${run.fallback}\n`;
  }
  const given = Object.entries(run.environment);
  const plain = needs.variables.filter(({ name }) => !Object.hasOwn(run.environment, name));
  const secrets = needs.secrets.filter(({ name }) => !Object.hasOwn(run.environment, name) && name !== 'PORT');
  return `${head} It must listen on the port in the variable PORT.
# node, python: a script and its arguments. command: a program and its arguments. An item $PORT becomes the port.
run:
  kind: ${run.kind}
  start: ${listed(run.start)}
  portVariable: PORT
${given.length === 0 ? '' : `  environment:\n${given.map(([name, value]) => `    ${name}: ${quoted(value)}\n`).join('')}`}${
  plain.length === 0
    ? ''
    : `  # Plain variables that the code reads; name those under environment that it cannot do without.\n`
}${plain.map(({ name, file }) => `  #   ${name}: ""  # used in ${comment(file)}\n`).join('')}${
  secrets.length === 0 ? '' : `  # By name; the values come from the lane, never from this file.\n  secrets:\n`
}${secrets.map(({ name, file }) => `    - name: ${name}\n      description: ${quoted(`used in ${comment(file)}`)}\n`).join('')}  memoryMbMax: ${run.memoryMbMax}
  readyWithin: 15s
`;
}

function egressText(hosts: readonly Need[]): string {
  if (hosts.length === 0) return '';
  const lines = hosts.map(({ name, file }) => `  - ${quoted(name)}  # ${comment(file)}\n`);
  return `\n# The hosts that it talks to; all others stay shut.\negress:\n${lines.join('')}`;
}

function listed(words: readonly string[]): string {
  return `[${words.map(shortest).join(', ')}]`;
}

/** Without quotes where the word means nothing else in YAML. */
function shortest(word: string): string {
  const isPlain = /^[A-Za-z][\w./@-]*$/.test(word) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(word);
  return isPlain ? word : quoted(word);
}

function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

/** A name of a file in a comment must not end the comment, and stays short. */
function comment(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .slice(0, 200);
}
