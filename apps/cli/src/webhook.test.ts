import { openApi } from './api.ts';
import { parseConfig } from './config.ts';
import { type Answering, openFakeApi, problem } from './fake-api.ts';
import { runProgram } from './program.ts';
import { explain } from './trouble.ts';

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

/** Runs the command against a fake and gives all that a shell would see. */
async function run(...words: readonly string[]) {
  const fake = await openFakeApi(answer);
  const printed: string[] = [];
  const asked = new AbortController();
  try {
    const code = await runProgram(['webhook', ...words], (flags) => ({
      config: parseConfig({}, '/'),
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

test('webhook add prints the secret alone, so that it can be piped', async () => {
  const words = ['pager', 'https://pager.example/h/1', '--type', 'dev.proviso.gate.*'];
  const { code, text, last } = await run('add', ...words);
  expect([code, text]).toEqual([0, 'whsec_1']);
  expect(last?.body).toEqual({ name: 'pager', address: 'https://pager.example/h/1', types: ['dev.proviso.gate.*'] });
  expect(last?.idempotencyKey).toBeDefined();
  expect((await run('add', 'pager', 'https://pager.example/h/1')).code).toBe(1);
});

test('webhook list says who is told of what, and who is told no more', async () => {
  const { code, text } = await run('list');
  expect(code).toBe(0);
  expect(text).toMatch(/pager +whk_a{32} +https:\/\/pager\.example +dev\.proviso\.gate\.\* +active/);
  expect(text).toContain('stopped: it answered 410');
  expect(JSON.parse((await run('list', '--json')).text)).toHaveLength(2);
});

test('webhook rotate prints the new secret, with the overlap that is asked for', async () => {
  expect((await run('rotate', 'pager', '--overlap', '1')).last?.body).toEqual({ overlapHours: 1 });
  const { text, last } = await run('rotate', pager.id);
  expect([text, last?.body]).toEqual(['whsec_2', { overlapHours: 24 }]);
  for (const hours of ['-1', '1e9', 'x', '']) expect((await run('rotate', 'pager', '--overlap', hours)).code).toBe(1);
});

test('webhook deliveries and resend show what became of an event, and send it again', async () => {
  expect((await run('deliveries', 'pager')).text).toMatch(/dlv_c{32} .*waiting +2 +500 answered/);
  const { code, last } = await run('resend', 'pager', delivery.id);
  expect([code, last?.body]).toEqual([0, { delivery: delivery.id }]);
});

test('webhook remove forgets it; a name that is none is told, and a no has its number', async () => {
  expect((await run('remove', 'pager')).text).toBe('pager is told nothing more; its address is forgotten.');
  expect(await run('remove', 'nobody')).toMatchObject({ code: 1, last: { method: 'GET' } });
  expect((await run('resend', 'old', delivery.id)).code).toBe(6);
});
