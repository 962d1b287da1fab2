import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi } from './api.ts';
import { parseConfig } from './config.ts';
import { type Answering, openFakeApi, problem } from './fake-api.ts';
import { runProgram } from './program.ts';
import { explain } from './trouble.ts';

const service = `psn_${'b'.repeat(32)}`;
const ada = { id: `psn_${'a'.repeat(32)}`, name: 'Ada', kind: 'human', tokens: [] };
const trusted = {
  ...{ service, issuer: 'https://ci.example', audience: 'proviso', repository: 'team/app' },
  ...{ ref: 'refs/heads/main', workflow: null },
};
const prototype = { id: `pro_${'1'.repeat(32)}`, name: 'my-app', workloads: [trusted] };

const answer: Answering = ({ method, path }) => {
  if (path === '/v1/me') return { status: 200, body: { person: ada } };
  if (path.startsWith('/v1/people?')) return { status: 200, body: { items: [ada], next: null } };
  if (path.endsWith('/personal'))
    return { status: 200, body: { person: ada, name: 'Ada', email: null, texts: ['why'] } };
  if (path.endsWith('/erase')) return { status: 200, body: { ...ada, name: 'erased person' } };
  if (method === 'GET' && path.startsWith('/v1/prototypes?'))
    return { status: 200, body: { items: [prototype], next: null } };
  if (path.endsWith('/workloads')) return { status: 201, body: prototype };
  if (path.endsWith('/distrust')) return { status: 200, body: { ...prototype, workloads: [] } };
  if (path.endsWith('/evidence'))
    return { status: 201, body: { candidate: 'cnd_1', digest: 'sha256:1', receipt: 'recorded' } };
  return problem(404, 'not_found');
};

/** Runs the command against a fake and gives all that a shell would see. */
async function run(...words: readonly string[]) {
  const fake = await openFakeApi(answer);
  const printed: string[] = [];
  const asked = new AbortController();
  try {
    const code = await runProgram(words, (flags) => ({
      config: parseConfig({}, '/nowhere'),
      json: flags.json === true,
      interruption: { signal: asked.signal, asked: new Promise(() => undefined), close: () => undefined },
      progress: { say: () => undefined, now: () => undefined, done: () => undefined },
      print: (text) => void printed.push(text),
      ask: null,
      api: () => openApi({ url: fake.url, token: 'a-token' }, asked.signal),
    }));
    return { code, text: printed.join('\n'), last: fake.calls.at(-1) };
  } catch (error) {
    const { lines, exitCode } = explain(error);
    return { code: exitCode, text: lines.join('\n'), last: fake.calls.at(-1) };
  } finally {
    await fake.close();
  }
}

test('people export prints all that is held, as JSON', async () => {
  const { code, text, last } = await run('people', 'export');
  expect([code, JSON.parse(text)]).toMatchObject([0, { name: 'Ada', texts: ['why'] }]);
  expect(last?.path).toBe(`/v1/people/${ada.id}/personal`);
});

test('people erase asks to be told twice, and then erases', async () => {
  const unsure = await run('people', 'erase', 'Ada');
  expect([unsure.code, unsure.last?.method]).toEqual([1, 'GET']);
  expect(unsure.text).toContain('expected --yes');
  const { code, last } = await run('people', 'erase', 'Ada', '--yes');
  expect([code, last?.path]).toEqual([0, `/v1/people/${ada.id}/erase`]);
});

test('workload trust names the pipeline exactly, list shows it, distrust ends it', async () => {
  const words = ['--repository', 'team/app', '--audience', 'proviso', '--issuer', 'https://ci.example'];
  const made = await run('workload', 'trust', 'my-app', ...words);
  expect(made.last?.body).toEqual({
    ...{ name: 'pipeline', issuer: 'https://ci.example', audience: 'proviso', repository: 'team/app' },
    ref: 'refs/heads/main',
  });
  expect((await run('workload', 'list', 'my-app')).text).toMatch(/psn_b+ +team\/app +refs\/heads\/main +any/);
  const ended = await run('workload', 'distrust', 'my-app', service);
  expect([ended.last?.body, ended.text]).toEqual([{ service }, 'my-app trusts no pipeline.']);
});

test('evidence brings the bytes of a file, and reads nothing when the prototype is named by id', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proviso-evidence-'));
  try {
    const file = join(folder, 'report.json');
    await writeFile(file, '{"green":true}');
    const commit = 'c'.repeat(40);
    const words = ['--kind', 'test-report', '--commit', commit];
    const { code, last } = await run('evidence', prototype.id, file, ...words);
    expect([code, last?.path]).toEqual([0, `/v1/prototypes/${prototype.id}/evidence`]);
    expect(last?.body).toEqual({ kind: 'test-report', commit, contentBase64: 'eyJncmVlbiI6dHJ1ZX0=' });
    expect((await run('evidence', prototype.id, join(folder, 'none'), ...words)).text).toContain('expected a file');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('workspace open needs a deployment of this machine', async () => {
  const { code, text } = await run('workspace', 'open', 'Blue', '--administrator', 'Ada');
  expect([code, text]).toEqual([1, expect.stringContaining('expected a running deployment')]);
});
