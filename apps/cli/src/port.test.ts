import { createServer } from 'node:net';
import { LOOPBACK, freePort } from '@proviso/servers';
import { choosePort } from './port.ts';
import { Trouble } from './trouble.ts';

const use = { name: 'API', flag: '--port' };

test('a taken port is told with its number, its use and the flag that moves it', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, LOOPBACK, () => resolve((server.address() as { port: number }).port));
  });
  try {
    const trouble = await choosePort(port, use).catch((error: unknown) => error as Trouble);
    expect(trouble).toBeInstanceOf(Trouble);
    expect(trouble).toMatchObject({
      exitCode: 1,
      message: `expected port ${port} to be free for the API, got it taken by another program`,
      advice: expect.stringContaining('--port'),
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a free port is taken as asked for, and zero finds one', async () => {
  const free = await freePort();
  await expect(choosePort(free, use)).resolves.toBe(free);
  await expect(choosePort(0, use)).resolves.toBeGreaterThan(0);
});
