import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { routedFetch } from './routed-fetch.ts';

it('asks for its own host, whatever a probe says', async () => {
  const server = createServer((request, response) => response.end(`${request.method} ${request.headers.host}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const init = { method: 'POST', headers: { Host: 'other.localhost' }, body: '{}', redirect: 'manual' } as const;
    const signal = new AbortController().signal;
    const answer = await routedFetch('desk.localhost', 'gate-pass')(`http://127.0.0.1:${port}/x`, { ...init, signal });
    let body = '';
    for await (const chunk of answer.body ?? []) body += new TextDecoder().decode(chunk);
    expect([answer.status, body]).toEqual([200, 'POST desk.localhost']);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
