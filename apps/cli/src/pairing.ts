import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exitCodes } from './exit-code.ts';
import { interrupted } from './interruption.ts';
import { Trouble } from './trouble.ts';

/** Somebody signs in with a second factor meanwhile; who comes later begins again. */
const WAIT_MS = 5 * 60_000;

/** What came back to this machine, and what only we can answer for it. */
export interface Paired {
  readonly code: string;
  readonly verifier: string;
}

/** How to wait for a person. */
export interface PairingOptions {
  readonly url: string;
  /** Told the address that the person has to open. */
  readonly show: (address: string) => void;
  readonly signal: AbortSignal;
  readonly waitMs?: number;
}

/**
 * Waits on this machine until a person has let us in, in their browser, at the API (RFC 8252 with PKCE). The code alone
 * is worth nothing to whoever else sees it: the verifier never leaves this process but to the API.
 */
export async function pair({ url, show, signal, waitMs = WAIT_MS }: PairingOptions): Promise<Paired> {
  const [verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(24).toString('base64url')];
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const code = codeOf(server, state, signal, waitMs);
    show(`${url}/login/cli?${new URLSearchParams({ port: String(port), challenge, state }).toString()}`);
    return { code: await code, verifier };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Anything else that comes to the port, from whichever page, is answered and waited past. */
async function codeOf(server: Server, state: string, signal: AbortSignal, waitMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  server.on('request', (request, response) => {
    const query = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams;
    const code = query.get('code');
    const ours = request.method === 'GET' && code !== null && isSame(query.get('state') ?? '', state);
    response.writeHead(ours ? 200 : 400, {
      'content-type': 'text/plain; charset=utf-8',
      'referrer-policy': 'no-referrer',
    });
    response.end(ours ? 'You are signed in. This window can be closed.\n' : 'Nobody waits for this here.\n', () => {
      if (ours) resolve(code);
    });
  });
  const timer = setTimeout(() => {
    const message = `expected somebody to sign in within ${Math.round(waitMs / 1_000)} s, got nobody`;
    reject(new Trouble(message, { exitCode: exitCodes.timeout, advice: 'Run `proviso login` again.' }));
  }, waitMs);
  const stop = () => reject(interrupted());
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
