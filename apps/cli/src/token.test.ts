import { type Answering, problem } from './fake-api.ts';
import { ranAgainst } from './ran-program.contract.ts';

const token = {
  ...{ id: `tok_${'1'.repeat(32)}`, expiresAt: '2027-01-01T00:00:00.000Z', issuedBy: null },
  ...{ scopes: ['read'], lastUsedOn: '2026-12-24' },
};
const sam = { id: `psn_${'a'.repeat(32)}`, name: 'Sam Security', kind: 'human', tokens: [token] };
const twins = ['b', 'c'].map((digit) => ({ ...sam, id: `psn_${digit.repeat(32)}`, name: 'Twin' }));

const answer: Answering = ({ method, path }) => {
  if (path === '/v1/me') return { status: 200, body: { person: sam } };
  if (method === 'GET' && path.startsWith('/v1/people?'))
    return { status: 200, body: { items: [...twins, sam], next: null } };
  if (path === `/v1/people/${sam.id}/tokens`)
    return { status: 201, body: { id: token.id, token: 'prv_secret', expiresAt: token.expiresAt, scopes: null } };
  if (path === '/v1/me/tokens') return { status: 201, body: { ...token, token: 'prv_narrow' } };
  if (path === '/v1/me/tokens/revoke') return { status: 200, body: { id: token.id } };
  if (path === `/v1/people/${sam.id}/tokens/revoke`) return { status: 200, body: { ...sam, tokens: [] } };
  return problem(404, 'not_found');
};

async function run(...words: readonly string[]) {
  return await ranAgainst(answer, ['token', ...words]);
}

test('token list says when each ends and who issued it', async () => {
  const { code, printed } = await run('list');
  expect(code).toBe(0);
  expect(printed.join('\n')).toMatch(/tok_1{32} +read +2027-01-01 +2026-12-24 +the deployment/);
});

test('token issue prints the token alone, so that it can be piped', async () => {
  const { printed, said, calls } = await run('issue', 'Sam Security', '--days', '7');
  expect(printed).toEqual(['prv_secret']);
  expect(said.join('\n')).toContain('2027-01-01');
  expect(calls.at(-1)?.body).toEqual({ validDays: 7 });
});

test('token issue narrows the token where it is told to', async () => {
  const { calls } = await run('issue', 'Sam Security', '--scope', 'build', 'evidence');
  expect(calls.at(-1)?.body).toEqual({ validDays: 90, scopes: ['build', 'evidence'] });
});

test('token create issues a narrow token to oneself, and only a narrow one', async () => {
  const { printed, said, calls } = await run('create', '--scope', 'read', '--days', '7');
  expect(calls.at(-1)).toMatchObject({ path: '/v1/me/tokens', body: { validDays: 7, scopes: ['read'] } });
  expect([printed, said.join('\n')]).toEqual([['prv_narrow'], expect.stringContaining('narrowed to read')]);
  expect((await run('create')).code).toBe(1);
  expect((await run('create', '--scope', 'everything')).code).toBe(1);
});

test('token revoke takes back a token of the own without any role', async () => {
  const { code, calls } = await run('revoke', token.id);
  expect([code, calls.at(-1)]).toEqual([0, expect.objectContaining({ path: '/v1/me/tokens/revoke' })]);
});

test('token revoke names the token and its person', async () => {
  const { code, calls } = await run('revoke', token.id, 'Sam Security');
  expect(code).toBe(0);
  expect(calls.at(-1)).toMatchObject({ path: `/v1/people/${sam.id}/tokens/revoke`, body: { token: token.id } });
});

test('a name that nobody has, or two have, changes nothing', async () => {
  for (const name of ['Nobody', 'Twin']) {
    const { code, said, calls } = await run('revoke', token.id, name);
    expect([code, calls.every(({ method }) => method === 'GET')]).toEqual([1, true]);
    expect(said.join('\n')).toContain(name);
  }
});
