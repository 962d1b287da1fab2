import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWTPayload, SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair } from 'jose';
// @ts-expect-error: the package brings no types; what is used of it is said below
import Untyped from 'oidc-provider';
import type { OidcConfig } from './config.ts';

const Provider = Untyped as new (issuer: string, configuration: object) => { callback(): Handle };
type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A real OpenID provider on this machine, which a test may make lie where a hostile one would. */
export interface TestProvider {
  readonly oidc: OidcConfig;
  /** Signs somebody in at the provider's own pages, as a browser would, and gives the address that it leads back to. */
  readonly walk: (url: string, subject: string) => Promise<URL>;
  /** What is done to the next answers of its token endpoint; null: nothing. */
  tamper: ((tokens: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>) | null;
  /** Another ID token, signed as the provider signs: only its claims are wrong. */
  readonly signed: (claims: JWTPayload) => Promise<string>;
  /** The same by a key that is not the provider's. */
  readonly forged: (claims: JWTPayload) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Redirects of one sign-in: login, consent and back are six. */
const stepsMax = 15;

/** Starts one for an API at that address. People are whoever signs in: their password is not looked at. */
export async function startProvider(publicUrl: string): Promise<TestProvider> {
  const [keys, strangers] = [await generateKeyPair('RS256', { extractable: true }), await generateKeyPair('RS256')];
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const jwk = { ...(await exportJWK(keys.privateKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const handle = quietly(() => new Provider(issuer, configurationOf(publicUrl, jwk)).callback());
  const header = { alg: 'RS256', kid: 'one' };
  const own: TestProvider = {
    oidc: {
      ...{ issuer, clientId: 'proviso', clientSecret: 'only-for-tests-only-for-tests-only' },
      ...{ workspace: `wsp_${randomUUID().replaceAll('-', '')}`, administrators: [], keepLocalTokens: true },
    },
    walk: (url, subject) => walk(url, subject, publicUrl),
    tamper: null,
    signed: (claims) => new SignJWT(claims).setProtectedHeader(header).sign(keys.privateKey),
    forged: (claims) => new SignJWT(claims).setProtectedHeader(header).sign(strangers.privateKey),
    close: () => ended(server),
  };
  server.on('request', (request, response) => {
    const { tamper } = own;
    if (tamper !== null && request.url === '/token') {
      const end = response.end.bind(response) as (text: string) => typeof response;
      response.end = ((chunk: unknown) => {
        const said = JSON.parse(String(chunk)) as Record<string, unknown>;
        void tamper(said).then((other) => {
          const text = JSON.stringify(other);
          response.setHeader('content-length', Buffer.byteLength(text));
          end(text);
        });
        return response;
      }) as typeof response.end;
    }
    void handle(request, response);
  });
  return own;
}

/** The package tells at each start that memory is no database and its pages are for development: here both is wanted. */
function quietly<Made>(make: () => Made): Made {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}

/** Changes claims of the ID token in an answer; `sign` says how the result is signed. */
export function withClaims(
  change: (claims: JWTPayload) => JWTPayload,
  sign: (claims: JWTPayload) => Promise<string> | string,
): NonNullable<TestProvider['tamper']> {
  return async (tokens) => ({ ...tokens, id_token: await sign(change(decodeJwt(String(tokens['id_token'])))) });
}

/** A token that nobody has signed, and that says so. */
export function unsigned(claims: JWTPayload): string {
  return new UnsecuredJWT(claims).encode();
}

function configurationOf(publicUrl: string, jwk: object) {
  const client = { redirect_uris: [`${publicUrl}/login/callback`], grant_types: ['authorization_code'] };
  const secret = { client_secret: 'only-for-tests-only-for-tests-only', response_types: ['code'] };
  return {
    clients: ['proviso', 'other'].map((client_id) => ({ client_id, ...secret, ...client })),
    jwks: { keys: [jwk] },
    cookies: { keys: ['only-for-tests'] },
    ttl: Object.fromEntries(
      ['Interaction', 'Session', 'Grant', 'AccessToken', 'IdToken', 'AuthorizationCode'].map((name) => [name, 600]),
    ),
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id.slice(0, 1).toUpperCase()}${id.slice(1)} of the provider`,
        email: `${id}@example.test`,
      }),
    }),
  };
}

async function walk(url: string, subject: string, publicUrl: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = new URL(url);
  let form: URLSearchParams | null = null;
  for (let step = 0; step < stepsMax; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(at, {
      method: form === null ? 'GET' : 'POST',
      body: form,
      headers: { cookie },
      redirect: 'manual',
    });
    for (const told of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (told.split(';')[0] ?? '').split('=');
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    const page = await answer.text();
    form = location === null ? formOn(page, subject) : null;
    at = new URL(location ?? /action="([^"]+)"/.exec(page)?.[1] ?? at.href, at);
    if (at.href.startsWith(`${publicUrl}/login/callback`)) return at;
  }
  throw new Error(`expected the provider to lead back within ${stepsMax} steps, got to ${at.href}`);
}

function formOn(page: string, subject: string): URLSearchParams {
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
  if (prompt === undefined) throw new Error(`expected a page of the provider with a form, got ${page.slice(0, 200)}`);
  return new URLSearchParams({ prompt, login: subject, password: 'any' });
}

async function ended(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
}
