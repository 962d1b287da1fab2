import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Contract } from '@proviso/domain';
import { casesShape, readContractFile, readYaml } from '@proviso/gates';
import fc from 'fast-check';
import { draftCases, draftContract } from './contract-text.ts';
import { sightFolder } from './sighting.ts';

const word = { owner: 'Ada Lovelace', users: 100, dataClass: 'internal', confirmed: true } as const;

async function inFolder<T>(files: Readonly<Record<string, string>>, look: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-draft-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return await look(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function draft(files: Readonly<Record<string, string>>, owner = 'Ada Lovelace'): Promise<Contract> {
  return await inFolder(files, async (folder) => {
    const text = draftContract(await sightFolder(folder), { ...word, owner });
    const found = readContractFile(text);
    if (!found.ok) throw new Error(`expected a valid draft, got ${JSON.stringify(found.problems)} in\n${text}`);
    return found.value;
  });
}

test('the example of a case in the comments is one that the evaluation reads', async () => {
  const text = await inFolder({}, async (folder) => draftContract(await sightFolder(folder), word));
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.includes('- id: opening-hours'));
  const example = lines.slice(from, from + 3).map((line) => line.slice(1));
  expect(readYaml(example.join('\n'), casesShape)).toMatchObject({ ok: true, value: [{ id: 'opening-hours' }] });
});

const server = {
  'package.json': JSON.stringify({
    name: '@team/Weather Desk',
    description: 'Answers "questions": #1',
    dependencies: { express: '5' },
    scripts: { build: 'tsc', start: 'NODE_ENV=production node dist/server.js' },
  }),
  'package-lock.json': '{}',
  'README.md': '',
  'src/server.ts':
    "app.get('/healthz'); process.env.WEATHER_API_KEY; process.env.REGION; fetch('https://api.weather.dev')",
};

test('a server with all that can be seen in it is written down with its places', async () => {
  const text = await inFolder(server, async (folder) =>
    draftContract(await sightFolder(folder), { ...word, confirmed: false }),
  );
  // What comes after is the same for all, and stands in full in the test on an export of Vite.
  expect(text.slice(0, text.indexOf('# Without a smoke probe'))).toMatchInlineSnapshot(`
"# What this prototype says about itself; Proviso reads it at every gate.

# The same name for every version.
prototype: weather-desk
summary: "Answers \\"questions\\": #1"
# The person who is accountable for it: a human, not a team.
owner: "Ada Lovelace"  # please confirm: nobody was asked

# What it must stand.
requirements:
  users: 100  # please confirm: nobody was asked
  # The most sensitive data it touches: public, internal or personal.
  dataClass: internal  # please confirm: nobody was asked
  runbook: "README.md"

# How it is made from its sources.
build:
  # auto: what the lock file or requirements.txt pins; none: no packages.
  install: auto
  command: [npm, run, build]

# What runs; taken from the script "start" in package.json. It must listen on the port in the variable PORT.
# node, python: a script and its arguments. command: a program and its arguments. An item $PORT becomes the port.
run:
  kind: node
  start: [dist/server.js]
  portVariable: PORT
  environment:
    NODE_ENV: "production"
  # Plain variables that the code reads; name those under environment that it cannot do without.
  #   REGION: ""  # used in src/server.ts
  # By name; the values come from the lane, never from this file.
  secrets:
    - name: WEATHER_API_KEY
      description: "used in src/server.ts"
  memoryMbMax: 256
  readyWithin: 15s

# The hosts that it talks to; all others stay shut.
egress:
  - "api.weather.dev"  # src/server.ts

"
`);
});

test('a site gets first questions out of its own page, which the evaluation reads', async () => {
  const page = '<title> My "site" </title><meta name="description" content="Things"><div id="root"></div>';
  const files = { 'index.html': page, 'package.json': '{"devDependencies":{"vite":"7"}}' };
  const text = await inFolder(files, async (folder) => draftCases(await sightFolder(folder)));
  expect(text).toMatchInlineSnapshot(`
"# Test questions, a first few; taken from index.html. Add what your users rely on.
- id: start-page
  request: { path: /, headers: { Accept: text/html } }
  expect: { status: 200, contains: "My \\"site\\"" }
- id: description
  request: { path: /, headers: { Accept: text/html } }
  expect: { status: 200, contains: "Things" }
- id: app-element
  request: { path: /, headers: { Accept: text/html } }
  expect: { status: 200, contains: "id=\\"root\\"" }
- id: deep-link
  request: { path: /a/page/of/the/app, headers: { Accept: text/html } }
  expect: { status: 200, contains: "My \\"site\\"" }
"
`);
  expect(readYaml(text ?? '', casesShape)).toMatchObject({ ok: true });
});

test.each([
  ['a server', { 'server.js': '' }],
  ['a page that says nothing', { 'index.html': '<title></title>' }],
  ['a title that the build fills in', { 'index.html': '<title>%VITE_TITLE%</title>' }],
])('%s gets no questions that nobody could know the answer of', async (_, files) => {
  expect(await inFolder(files, async (folder) => draftCases(await sightFolder(folder)))).toBeNull();
});

test.each(['Ada: "the" #owner', "O'Neil\nrun: {kind: command}"])('an owner named %j stays one value', async (owner) => {
  const files = { 'package.json': JSON.stringify({ name: 7, description: ['no text'], scripts: 'none' }) };
  expect((await draft(files, owner)).owner).toBe(owner);
});

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('true', 'null', '$PORT', '- a: b', '\\', '"', "'"),
);
const command = fc.oneof(
  piece,
  fc.array(piece, { maxLength: 5 }).map((words) => ['node', ...words].join(' ')),
);
const anyFolder = fc.record(
  {
    name: piece,
    description: piece,
    main: piece,
    scripts: fc.record({ start: command, build: command }, { requiredKeys: [] }),
    dependencies: fc.dictionary(fc.constantFrom('next', 'vite', 'express', 'openai', 'react', '__proto__'), piece),
  },
  { requiredKeys: [] },
);

test('what is written is valid, whatever lies in the folder', async () => {
  const property = fc.asyncProperty(
    ...([
      anyFolder,
      command,
      piece,
      fc.subarray(['index.html', 'app.py', 'server.js', '.replit', 'Procfile', 'replit.nix']),
    ] as const),
    async (manifest, line, text, present) => {
      const contents: Readonly<Record<string, string>> = {
        'index.html': `<title>${text}</title><div id="root">`,
        'app.py': `app = Flask(\nos.environ['${text}']; os.environ['A_KEY']; os.getenv('A_B')\n'https://${text}.dev'`,
        'server.js': `process.env.A_TOKEN; fetch('https://api.${text}'); '/health'`,
        '.replit': `run = "${line}"\nentrypoint = "${text}"`,
        Procfile: `web: ${line}`,
        'replit.nix': text,
      };
      const files = Object.fromEntries(present.map((path) => [path, contents[path] ?? '']));
      await draft({ ...files, 'package.json': JSON.stringify(manifest) });
    },
  );
  await fc.assert(property, { numRuns: 300 });
});
