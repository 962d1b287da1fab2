import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { startTraffic } from './traffic.ts';

interface Visit {
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly body: string;
  readonly cookie: string | undefined;
}

/** A router of the test's own; resolves `reached` at the given number of visits. */
async function openRouter(visitsWanted: number, answer: (visit: number) => { status: number; page?: string }) {
  const visits: Visit[] = [];
  const reached = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { host, cookie } = request.headers;
      visits.push({ host, cookie, path: request.url, body });
      const { status, page } = answer(visits.length);
      response.writeHead(status, page === undefined ? {} : { 'x-proviso-page': page });
      response.end();
      if (visits.length === visitsWanted) reached.resolve();
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, visits, reached: reached.promise, close };
}

const requests = [
  { method: 'POST', path: '/answer', body: { question: 'why?' } },
  { method: 'GET', path: '/page' },
] as const;

test('users come in turns, each as somebody new, to the lane that is named', async () => {
  const router = await openRouter(20, () => ({ status: 200 }));
  const traffic = startTraffic({
    routerUrl: router.url,
    host: 'my-app.localhost',
    requests,
    perSecond: 400,
    requestsMax: 1_000,
  });
  await router.reached;
  const count = await traffic.stop();
  await router.close();
  expect(count).toMatchObject({ failed: 0, turnedAway: 0 });
  expect(router.visits.every(({ host, cookie }) => host === 'my-app.localhost' && cookie === undefined)).toBe(true);
  expect(
    router.visits.filter(({ path }) => path === '/answer').every(({ body }) => body === '{"question":"why?"}'),
  ).toBe(true);
  expect(router.visits.some(({ path }) => path === '/page')).toBe(true);
});

test('never more requests are sent than the bound, and a door that opens step by step is no failure', async () => {
  const router = await openRouter(30, (visit) => {
    if (visit % 3 === 0) return { status: 503, page: 'not_open' };
    return { status: visit % 3 === 1 ? 500 : 200 };
  });
  const traffic = startTraffic({
    routerUrl: router.url,
    host: 'my-app.localhost',
    requests,
    perSecond: 500,
    requestsMax: 30,
  });
  await router.reached;
  const count = await traffic.stop();
  await router.close();
  expect(count).toEqual({ sent: 30, failed: 10, turnedAway: 10 });
});

test('a router that is away costs failures and nothing else', async () => {
  const router = await openRouter(1, () => ({ status: 200 }));
  await router.close();
  const traffic = startTraffic({
    routerUrl: router.url,
    host: 'my-app.localhost',
    requests,
    perSecond: 500,
    requestsMax: 5,
  });
  const count = await traffic.stop();
  expect(count.failed).toBe(count.sent);
});
