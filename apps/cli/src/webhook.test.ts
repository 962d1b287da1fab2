import { type Answering, problem } from './fake-api.ts';
import { ranAgainst } from './ran-program.contract.ts';

const pager = {
  ...{ id: `whk_${'a'.repeat(32)}`, name: 'pager', origin: 'https://pager.example', types: ['dev.proviso.gate.*'] },
  ...{ active: true, stopped: null, previousSecretUntil: null, actions: [] },
};
const gone = { ...pager, id: `whk_${'b'.repeat(32)}`, name: 'old', active: false, stopped: 'gone' };
const delivery = {
  ...{ id: `dlv_${'c'.repeat(32)}`, type: 'dev.proviso.gate.reported', subject: 'prm_1', state: 'waiting' },
  ...{ attempts: 2, createdAt: '2026-01-02T03:04:05.000Z', dueAt: null, endedAt: null, status: 500 },
  failure: 'answered',
};

const answer: Answering = ({ method, path }) => {
  if (method === 'GET' && path === '/v1/webhooks') return { status: 200, body: { items: [pager, gone], next: null } };
  if (method === 'POST' && path === '/v1/webhooks') return { status: 201, body: { webhook: pager, secret: 'whsec_1' } };
  if (path === `/v1/webhooks/${pager.id}/secret`) return { status: 201, body: { webhook: pager, secret: 'whsec_2' } };
  if (path === `/v1/webhooks/${pager.id}/remove`) return { status: 200, body: pager };
  if (path.startsWith(`/v1/webhooks/${pager.id}/deliveries?`))
    return { status: 200, body: { items: [delivery], next: null } };
  if (path === `/v1/webhooks/${pager.id}/deliveries/resend`) return { status: 202, body: delivery };
  return problem(409, 'webhook_stopped');
};

/** Runs the command; the last call tells what it asked for. */
async function run(...words: readonly string[]) {
  const ran = await ranAgainst(answer, ['webhook', ...words]);
  return { ...ran, last: ran.calls.at(-1) };
}

test('webhook add prints the secret alone, so that it can be piped', async () => {
  const words = ['pager', 'https://pager.example/h/1', '--type', 'dev.proviso.gate.*'];
  const { code, printed, last } = await run('add', ...words);
  expect([code, printed]).toEqual([0, ['whsec_1']]);
  expect(last?.body).toEqual({ name: 'pager', address: 'https://pager.example/h/1', types: ['dev.proviso.gate.*'] });
  expect(last?.idempotencyKey).toBeDefined();
  expect((await run('add', 'pager', 'https://pager.example/h/1')).code).toBe(1);
});

test('webhook list says who is told of what, and who is told no more', async () => {
  const { code, printed } = await run('list');
  const text = printed.join('\n');
  expect(code).toBe(0);
  expect(text).toMatch(/pager +whk_a{32} +https:\/\/pager\.example +dev\.proviso\.gate\.\* +active/);
  expect(text).toContain('stopped: it answered 410');
  expect(JSON.parse((await run('list', '--json')).printed.join('\n'))).toHaveLength(2);
});

test('webhook rotate prints the new secret, with the overlap that is asked for', async () => {
  expect((await run('rotate', 'pager', '--overlap', '1')).last?.body).toEqual({ overlapHours: 1 });
  const { printed, last } = await run('rotate', pager.id);
  expect([printed, last?.body]).toEqual([['whsec_2'], { overlapHours: 24 }]);
  for (const hours of ['-1', '1e9', 'x', '']) expect((await run('rotate', 'pager', '--overlap', hours)).code).toBe(1);
});

test('webhook deliveries and resend show what became of an event, and send it again', async () => {
  expect((await run('deliveries', 'pager')).printed.join('\n')).toMatch(/dlv_c{32} .*waiting +2 +500 answered/);
  const { code, last } = await run('resend', 'pager', delivery.id);
  expect([code, last?.body]).toEqual([0, { delivery: delivery.id }]);
});

test('webhook remove forgets it; a name that is none is told, and a no has its number', async () => {
  const { printed } = await run('remove', 'pager');
  expect(printed).toEqual(['pager is told nothing more; its address is forgotten.']);
  expect(await run('remove', 'nobody')).toMatchObject({ code: 1, last: { method: 'GET' } });
  expect((await run('resend', 'old', delivery.id)).code).toBe(6);
});
