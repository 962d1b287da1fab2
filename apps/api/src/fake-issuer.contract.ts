import { createServer } from 'node:http';
import { type CryptoKey, type JWK, type JWTPayload, SignJWT, exportJWK, generateKeyPair } from 'jose';

/** A CI system of a test's own: discovery and keys over HTTP, and tokens signed with them. */
export interface FakeIssuer {
  readonly url: string;
  readonly key: CryptoKey;
  readonly publicKey: JWK;
  /** How often its keys were asked for. */
  readonly asked: () => number;
  /** From now on it answers so; null: as it should. */
  answer: ((path: string) => { status: number; headers?: Record<string, string>; body: string } | null) | null;
  readonly sign: (claims: JWTPayload, header?: { alg?: string; kid?: string }, key?: CryptoKey) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Opens the fake on a free port of this machine. */
export async function openFakeIssuer(): Promise<FakeIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'RS256', use: 'sig' };
  let asked = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/keys') asked += 1;
    const other = issuer.answer?.(path) ?? null;
    if (other !== null) return void response.writeHead(other.status, other.headers).end(other.body);
    const told: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
      '/keys': { keys: [jwk] },
    };
    response.writeHead(told[path] === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(told[path] ?? {}));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const issuer: FakeIssuer = {
    url: `http://127.0.0.1:${port}`,
    key: privateKey,
    publicKey: jwk,
    asked: () => asked,
    answer: null,
    sign: async (claims, { alg = 'RS256', kid = 'first' } = {}, key = privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(key),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}
