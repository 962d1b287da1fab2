import { partOfFile } from './manifest-part.ts';

const of = (path: string) => partOfFile({ path, mode: 'file' });

it.each([
  ['prompts/answer.md', 'prompt'],
  ['src/Prompts/de/answer.TXT', 'prompt'],
  ['models/small.yaml', 'model'],
  ['config/flags/new-inbox.json', 'configuration'],
  ['db/migrations/0001.sql', 'schema'],
  ['data/answers.csv', 'schema'],
] as const)('%s is of the part %s', (path, part) => {
  expect(of(path)).toBe(part);
});

it.each([
  'src/server.mjs',
  'prompts/answer.mjs',
  'prompts/answer.md.js',
  'prompts.md',
  'myprompts/answer.md',
  'README.md',
  'proviso.yaml',
  'cases.yaml',
  'models/weights.pkl',
  'data/load.py',
  'data',
  '',
])('%s is code: it runs, or nobody knows what it is', (path) => {
  expect(of(path)).toBe('code');
});

it.each(['prompts/package.json', 'data/tsconfig.build.json', 'flags/vite.config.json', 'prompts/requirements-dev.txt'])(
  '%s is code: it says what runs, wherever it lies',
  (path) => {
    expect(of(path)).toBe('code');
  },
);

it('what may be executed is code, whatever it is called', () => {
  expect(partOfFile({ path: 'prompts/answer.md', mode: 'executable' })).toBe('code');
});
