import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractShape } from '@proviso/domain';
import { casesShape, readYaml } from '@proviso/gates';
import { draftContract, inspectFolder } from './contract-draft.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-draft-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function draft(owner = 'Ada Lovelace') {
  const found = readYaml(draftContract(inspectFolder(folder), owner), contractShape);
  if (!found.ok) throw new Error(`expected a valid draft, got ${JSON.stringify(found.problems)}`);
  return found.value;
}

test('the example of a case in the comments is one that the evaluation reads', () => {
  const lines = draftContract(inspectFolder(folder), 'Ada Lovelace').split('\n');
  const example = lines.filter((line) => /^# {3}/.test(line)).map((line) => line.slice(1));
  expect(readYaml(example.join('\n'), casesShape)).toMatchObject({ ok: true, value: [{ id: 'opening-hours' }] });
});

function manifest(value: unknown): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify(value));
}

test('a plain node script is started as it is', () => {
  manifest({
    name: '@team/My App',
    description: 'Answers "questions": #1',
    scripts: { start: 'node src/server.js --quiet' },
  });
  expect(draft()).toMatchObject({
    prototype: 'my-app',
    owner: 'Ada Lovelace',
    summary: 'Answers "questions": #1',
    run: { kind: 'node', start: ['src/server.js', '--quiet'] },
  });
});

test('a script that needs a shell is left to npm', () => {
  manifest({ name: 'app', scripts: { start: 'PORT=3000 vite preview && echo done' } });
  expect(draft().run).toMatchObject({ kind: 'command', start: ['npm', 'start'] });
});

test.each([
  { file: 'server.mjs', start: ['server.mjs'], kind: 'node' },
  { file: 'app.py', start: ['python3', 'app.py'], kind: 'command' },
])('without a manifest $file is found', ({ file, start, kind }) => {
  writeFileSync(join(folder, file), '');
  expect(draft().run).toMatchObject({ kind, start });
});

test('an empty folder gives a valid draft that says what was guessed', () => {
  expect(draftContract(inspectFolder(folder), 'Ada')).toContain('a guess');
  expect(draft().evaluation.cases).toBe('cases.yaml');
});

test('test questions and a runbook that are there are named', () => {
  mkdirSync(join(folder, 'tests'));
  writeFileSync(join(folder, 'tests', 'cases.yaml'), '');
  writeFileSync(join(folder, 'README.md'), '');
  expect(draft()).toMatchObject({ evaluation: { cases: 'tests/cases.yaml' }, requirements: { runbook: 'README.md' } });
});

test.each(['Ada: "the" #owner', "O'Neil\nrun: {kind: command}"])('an owner named %j stays one value', (owner) => {
  manifest({ name: 7, description: ['no text'], scripts: 'none' });
  expect(draft(owner).owner).toBe(owner);
});
