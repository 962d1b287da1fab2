import { createServer } from 'node:http';
import { join } from 'node:path';
import { newFolder } from './release-fixture.ts';
import { type AnswerListener, openUpstream, probeHealth } from './upstream.ts';

test('a release that listens on a socket in a folder is asked and probed like one with a port', async () => {
  const folder = newFolder();
  const socketPath = join(folder.path, 'release.sock');
  const server = createServer((request, response) => response.end(`${request.url} for ${request.headers.host}`));
  await new Promise<void>((resolve) => server.listen(socketPath, () => resolve()));
  const upstream = openUpstream({ socketPath });
  const text = await new Promise<string>((resolve, reject) => {
    let heard = '';
    const listener: AnswerListener = {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: (_flow, part) => {
        heard += String(part);
      },
      onResponseEnd: () => resolve(heard),
      onResponseError: (_flow, error) => reject(error),
      onRequestUpgrade: () => reject(new Error('expected an answer')),
    };
    upstream.send({ method: 'GET', path: '/a', headers: ['host', 'b'], body: null, upgrade: null }, listener);
  });
  expect(text).toBe('/a for b');
  expect(await probeHealth({ socketPath }, { path: '/', timeoutMs: 2_000 })).toBe(true);
  await upstream.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await probeHealth({ socketPath }, { path: '/', timeoutMs: 2_000 })).toBe(false);
  folder.remove();
});
