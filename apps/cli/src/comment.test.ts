import { type Answering, problem } from './fake-api.ts';
import { ranAgainst } from './ran-program.contract.ts';

const receipt = { receipt: 'recorded', revision: 7, entries: [41] };
const taken: Answering = ({ method, path }) =>
  method === 'POST' && path === '/v1/promotions/prm_1/comments'
    ? { status: 201, body: receipt }
    : problem(404, 'not_found');

const entry = { position: 1, stream: 'promotion', streamId: 'prm_1', hash: '', body: { v: 1 } };

/** A promotion whose entries are these. */
const withHistory =
  (...items: readonly object[]): Answering =>
  () => ({ status: 200, body: { items, next: null } });

test('a comment is sent with a key, and where it is read is said', async () => {
  const { code, calls, printed } = await ranAgainst(taken, ['comment', 'prm_1', 'the index was old']);
  expect(code).toBe(0);
  expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', '/v1/promotions/prm_1/comments', { text: 'the index was old' }],
  ]);
  expect(calls[0]?.idempotencyKey).toMatch(/\S/);
  expect(printed.join('\n')).toBe('Said: everybody who reads it finds it in `proviso history prm_1`.');
});

test('with --json it is the receipt and nothing else', async () => {
  const { printed } = await ranAgainst(taken, ['comment', 'prm_1', 'the index was old', '--json']);
  expect(printed.map((line) => JSON.parse(line) as unknown)).toEqual([{ promotion: 'prm_1', ...receipt }]);
});

test.each([
  [401, 'unauthenticated', 4],
  [403, 'not_permitted', 5],
  [409, 'too_many', 1],
  [422, 'invalid', 1],
])('refused with %i %s it ends with %i', async (status, code, exit) => {
  const ran = await ranAgainst(() => problem(status, code), ['comment', 'prm_1', 'hello']);
  expect(ran.code).toBe(exit);
});

test('without a text nothing is sent', async () => {
  const { code, calls } = await ranAgainst(taken, ['comment', 'prm_1']);
  expect([code, calls]).toEqual([1, []]);
});

test('history tells comments whole, each on a line, with name and day', async () => {
  const long = `${'word '.repeat(60)}end`;
  const said = (sequence: number, more: object) => ({
    ...{ ...entry, id: String(sequence), sequence, kind: 'commented', at: '2026-11-22T03:50:12.345Z' },
    ...{ by: { id: 'psn_1', name: 'Bea Builder' }, actsFor: null, authn: 'token/rest', reason: long },
    ...more,
  });
  const agents = {
    ...{ by: { id: 'psn_2', name: 'Helper' }, actsFor: { id: 'psn_1', name: 'Bea Builder' } },
    ...{ authn: 'token/mcp/comment', reason: 'two\nlines\u001b[31m' },
  };
  const { printed } = await ranAgainst(withHistory(said(1, {}), said(2, agents)), ['history', 'prm_1']);
  const text = printed.join('\n');
  expect(text).toMatch(/commented +Bea Builder +word word .*…/);
  expect(text).toContain(
    [
      'Comments:',
      `  2026-11-22 03:50 Bea Builder: ${long}`,
      '  2026-11-22 03:50 Helper by comment for Bea Builder: two lines [31m',
    ].join('\n'),
  );
});

test('history without comments has no heading for them', async () => {
  const other = { ...entry, id: '1', sequence: 1, kind: 'gate_opened', at: '', by: null, reason: null };
  const { printed } = await ranAgainst(withHistory(other), ['history', 'prm_1']);
  expect(printed.join('\n')).not.toContain('Comments:');
});

test.each(['bash', 'zsh', 'fish'])('completion of %s knows the word', async (shell) => {
  const { printed } = await ranAgainst(taken, ['completion', shell]);
  expect(printed.join('\n')).toMatch(/\bcomment\b/);
});
