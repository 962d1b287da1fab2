import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readContractFile } from '@proviso/gates';
import type { Ask } from '../asking.ts';
import { parseConfig } from '../config.ts';
import type { Session } from '../session.ts';
import { type InitFlags, init } from './init.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-init-'));
  writeFileSync(join(folder, 'index.html'), '<title>My site</title>');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(flags: InitFlags, { json = false, ask = null }: { json?: boolean; ask?: Ask | null } = {}) {
  const printed: string[] = [];
  const session: Session = {
    config: parseConfig({}, folder),
    json,
    ask,
    interruption: { signal: new AbortController().signal, asked: new Promise(() => undefined), close: () => undefined },
    progress: { say: () => undefined, now: () => undefined, done: () => undefined },
    print: (text) => void printed.push(text),
    api: () => {
      throw new Error('expected no call');
    },
  };
  const code = await init(session, folder, flags);
  return { code, printed: printed.join('\n') };
}

function written() {
  const found = readContractFile(readFileSync(join(folder, 'proviso.yaml')));
  if (!found.ok) throw new Error(found.problems[0]?.message);
  return found.value;
}

test('says what it saw and where, what to check, and writes contract and first questions', async () => {
  const { code, printed } = await run({ owner: 'Ada', yes: true });
  expect(code).toBe(0);
  expect(printed.replaceAll(folder, '.')).toBe(`saw runs        files that are served as they are (index.html)
saw build       none
saw start page  index.html
wrote ./proviso.yaml
wrote ./cases.yaml
check every file of the folder is served to everybody; move the pages into a folder of their own
check owner, users and dataClass: nobody was asked
next: \`proviso promote --policy site\``);
  expect(written()).toMatchObject({ owner: 'Ada', requirements: { dataClass: 'personal' }, run: { kind: 'static' } });
});

test('asks a person for what the code does not say, and for nothing else', async () => {
  const asked: string[] = [];
  const ask: Ask = async (questions) => {
    asked.push(...questions.map(({ words }) => words));
    return ['Grace Hopper', '40', 'public'];
  };
  const { printed } = await run({}, { ask });
  expect(asked.map((words) => words.split(' ')[0])).toEqual(['Who', 'How', 'The']);
  expect(printed).not.toContain('nobody was asked');
  expect(written()).toMatchObject({ owner: 'Grace Hopper', requirements: { users: 40, dataClass: 'public' } });
});

test.each([
  ['a number of people that is none', ['Ada', 'many', 'public'], /expected a whole number of people/],
  ['a class of data that there is not', ['Ada', '5', 'secret'], /expected one of public, internal, personal/],
])('refuses %s and writes nothing', async (_, answers, words) => {
  await expect(run({}, { ask: async () => answers })).rejects.toThrow(words);
  expect(existsSync(join(folder, 'proviso.yaml'))).toBe(false);
});

test('overwrites a contract only when it is told to, and test questions never', async () => {
  await run({ yes: true });
  writeFileSync(join(folder, 'cases.yaml'), 'mine');
  await expect(run({ yes: true })).rejects.toThrow(/expected no proviso.yaml/);
  await run({ yes: true, force: true });
  expect(readFileSync(join(folder, 'cases.yaml'), 'utf8')).toBe('mine');
});

test('tells machines the same as one value', async () => {
  const { printed } = await run({ owner: 'Ada' }, { json: true });
  expect(JSON.parse(printed)).toMatchObject({
    written: join(folder, 'proviso.yaml'),
    casesWritten: join(folder, 'cases.yaml'),
    contract: { owner: 'Ada' },
    seen: { from: 'index.html', build: null },
    confirm: [expect.any(String), 'owner, users and dataClass: nobody was asked'],
  });
});
