import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answering, problem } from './fake-api.ts';
import { ranAgainst } from './ran-program.contract.ts';

const workspace = `wsp_${'d'.repeat(32)}`;
const service = `psn_${'b'.repeat(32)}`;
const ada = { id: `psn_${'a'.repeat(32)}`, name: 'Ada', kind: 'human', tokens: [] };
const trusted = {
  ...{ service, issuer: 'https://ci.example', audience: 'proviso', repository: 'team/app' },
  ...{ ref: 'refs/heads/main', workflow: null },
};
const prototype = { id: `pro_${'1'.repeat(32)}`, name: 'my-app', workloads: [trusted] };

const agent = { ...ada, id: `psn_${'e'.repeat(32)}`, name: 'Helper', kind: 'agent' };
const agentToken = { id: `tok_${'1'.repeat(32)}`, token: 'prv_agent', expiresAt: '2027-01-01', scopes: ['agent'] };

const answer: Answering = ({ method, path }) => {
  if (path === '/v1/me') return { status: 200, body: { person: ada } };
  if (path.startsWith('/v1/people?')) return { status: 200, body: { items: [ada], next: null } };
  if (method === 'POST' && path === '/v1/people') return { status: 201, body: agent };
  if (path === `/v1/people/${agent.id}/tokens`) return { status: 201, body: agentToken };
  if (path.endsWith('/personal'))
    return { status: 200, body: { person: ada, name: 'Ada', email: null, texts: ['why'] } };
  if (path.endsWith('/erase')) return { status: 200, body: { ...ada, name: 'erased person' } };
  if (method === 'GET' && path.startsWith('/v1/prototypes?'))
    return { status: 200, body: { items: [prototype], next: null } };
  if (path.endsWith('/workloads')) return { status: 201, body: prototype };
  if (path.endsWith('/distrust')) return { status: 200, body: { ...prototype, workloads: [] } };
  if (path === '/v1/workload/token') return { status: 201, body: { token: 'prv_run', expiresAt: 'soon' } };
  if (path.endsWith('/evidence'))
    return { status: 201, body: { candidate: 'cnd_1', digest: 'sha256:1', receipt: 'recorded' } };
  return problem(404, 'not_found');
};

async function run(...words: readonly string[]) {
  return await runWith({}, words);
}

/** Runs the program; the text is what came of it, be it a result or an error. */
async function runWith(environment: Readonly<Record<string, string>>, words: readonly string[]) {
  const { code, printed, said, calls } = await ranAgainst(answer, words, { environment });
  return { code, text: (printed.length > 0 ? printed : said).join('\n'), last: calls.at(-1), calls };
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

describe('evidence in a run of a pipeline', () => {
  const commit = 'c'.repeat(40);
  const words = [prototype.id, 'report', '--kind', 'test-report', '--commit', commit, '--workspace', workspace];

  it('trades the token of the run, asked of GitHub for the audience, and brings the document with what comes back', async () => {
    const asked: string[] = [];
    const github = createServer((request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`);
      response.end(JSON.stringify({ value: 'id-token-of-the-run' }));
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    const { port } = github.address() as AddressInfo;
    const environment = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'only-this-run',
    };
    try {
      const { code, calls } = await runIn(environment, words);
      expect([code, asked]).toEqual([0, ['bearer only-this-run /token?api-version=2&audience=proviso']]);
      const body = { workspace, prototype: prototype.id, token: 'id-token-of-the-run' };
      expect(calls).toMatchObject([
        { path: '/v1/workload/token', body },
        { path: `/v1/prototypes/${prototype.id}/evidence`, authorization: 'Bearer prv_run' },
      ]);
    } finally {
      github.closeAllConnections();
      github.close();
    }
  });

  it('takes the token that the job was given', async () => {
    const { code, calls } = await runIn({ PROVISO_ID_TOKEN: 'given' }, words);
    expect([code, calls[0]?.body]).toEqual([0, { workspace, prototype: prototype.id, token: 'given' }]);
  });

  it('says what is missing outside of a run, or without the id, and asks nobody', async () => {
    const outside = await runIn({}, words);
    expect([outside.code, outside.text, outside.calls]).toEqual([4, expect.stringContaining('id-token: write'), []]);
    const named = await runIn({ PROVISO_ID_TOKEN: 'given' }, ['my-app', ...words.slice(1)]);
    expect([named.code, named.calls]).toEqual([1, []]);
  });

  /** Runs it in a folder with a report, and with these variables. */
  async function runIn(
    environment: Readonly<Record<string, string>>,
    [named = '', file = '', ...more]: readonly string[],
  ) {
    const folder = await mkdtemp(join(tmpdir(), 'proviso-evidence-'));
    try {
      await writeFile(join(folder, file), 'all green');
      return await runWith(environment, ['evidence', named, join(folder, file), ...more]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
});

test('workspace open needs a deployment of this machine', async () => {
  const { code, text } = await run('workspace', 'open', 'Blue', '--administrator', 'Ada');
  expect([code, text]).toEqual([1, expect.stringContaining('expected a running deployment')]);
});

test('agent add makes an agent for a human and prints its narrow token alone', async () => {
  const { code, text, calls } = await run('agent', 'add', 'Helper', '--for', 'Ada', '--prototype', 'my-app');
  expect([code, text]).toEqual([0, 'prv_agent']);
  expect(calls.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([
    { name: 'Helper', kind: 'agent', actsFor: ada.id, roles: [{ role: 'builder', prototype: prototype.id }] },
    { validDays: 90, scopes: ['agent'] },
  ]);
  expect((await run('agent', 'add', 'Helper')).code).toBe(1);
  expect((await run('agent', 'add', 'Helper', '--for', 'Ada', '--role', 'approver')).code).toBe(1);
});

test('mcp is not served in the name of a human, and says so before it reads anything', async () => {
  const { code, text } = await run('mcp');
  expect([code, text]).toEqual([5, expect.stringContaining('expected the token of an agent, got that of a human')]);
});
