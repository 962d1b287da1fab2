import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// The prototype behind both proxies: one process with a port for each arm. Prints its two ports, ends with its parent.
const body = JSON.stringify({ answer: 'x'.repeat(180) });
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const ports = await Promise.all(
  ['stable', 'canary'].map(
    (arm) =>
      new Promise<number>((resolve) => {
        const server = createServer((_request, response) =>
          response.writeHead(200, { ...head, 'x-arm': arm }).end(body),
        );
        server.keepAliveTimeout = 60_000;
        server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      }),
  ),
);
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
