import { PassThrough } from 'node:stream';
import { relayMessages } from './agent-relay.ts';
import { type Answering, openFakeApi, problem } from './fake-api.ts';

/** Relays what is given and tells all that came of it. */
async function relayed(lines: readonly string[], answer: Answering) {
  const fake = await openFakeApi(answer);
  const [sent, said]: [string[], string[]] = [[], []];
  const input = new PassThrough();
  input.end(lines.join('\n'));
  try {
    await relayMessages({
      connection: { url: fake.url, token: 'a-token' },
      input,
      send: (line) => void sent.push(line),
      say: (line) => void said.push(line),
      interrupted: new AbortController().signal,
    });
  } finally {
    await fake.close();
  }
  return { sent: sent.map((line) => JSON.parse(line) as Record<string, unknown>), said, calls: fake.calls };
}

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
const done = { status: 200, body: { jsonrpc: '2.0', id: 1, result: { tools: [] } } };

test('a message goes to the door of agents with the token, and its answer comes back on one line', async () => {
  const { sent, calls } = await relayed([list], () => done);
  expect(sent).toEqual([done.body]);
  expect(calls).toMatchObject([{ method: 'POST', path: '/mcp', authorization: 'Bearer a-token', body: { id: 1 } }]);
});

test('a no of the API is an error with its code and who can; a message that wants no answer gets none', async () => {
  const no = problem(403, 'not_permitted', { rule: 'agents_only', whoCan: ['role/builder'] });
  const notice = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const { sent, said } = await relayed([list, notice], () => no);
  expect(sent).toEqual([
    {
      ...{ jsonrpc: '2.0', id: 1 },
      error: {
        ...{ code: -32_000, message: 'refused: not_permitted (not_permitted)' },
        data: { status: 403, code: 'not_permitted', rule: 'agents_only', whoCan: ['role/builder'] },
      },
    },
  ]);
  expect(said).toHaveLength(1);
});

test('what is no answer of ours is told as such, and nobody answering too', async () => {
  const { sent } = await relayed([list], () => ({ status: 502, body: 'bad gateway' }));
  expect(sent).toMatchObject([{ id: 1, error: { message: expect.stringContaining('got status 502') as unknown } }]);
  const gone: string[] = [];
  const input = new PassThrough();
  input.end(list);
  await relayMessages({
    connection: { url: 'http://127.0.0.1:9', token: 'a-token' },
    ...{ input, send: (line) => void gone.push(line), say: () => undefined },
    interrupted: new AbortController().signal,
  });
  expect(gone.join('\n')).toContain('expected the API to answer at http://127.0.0.1:9, got no answer');
});

test('a line without an end is not gathered for ever', async () => {
  await expect(relayed(['x'.repeat(1_100_000)], () => done)).rejects.toThrow('expected a message of at most');
});

test('forty messages at once are all answered, each with its own answer', async () => {
  const lines = Array.from({ length: 40 }, (_, id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }));
  const { sent } = await relayed(lines, ({ body }) => ({ status: 200, body: { ...(body as object), result: {} } }));
  expect(sent.map(({ id }) => Number(id)).toSorted((one, other) => one - other)).toEqual(lines.map((_, id) => id));
});
