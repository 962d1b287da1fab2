import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Actor, Answer, Deployment } from './deployment.contract.ts';

/** A browser as far as our pages can tell: it keeps cookies, says where its forms come from, and runs no script. */
export interface Browser {
  readonly cookies: Map<string, string>;
  readonly get: (url: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  /** Sends a form of our own page; `form` is taken from the last page that had one. */
  readonly post: (
    url: string,
    fields?: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
}

/** What a command line sends along; its verifier is `verifier`. */
export const verifier = 'v'.repeat(43);
/** The address at which a command line lets its person be asked. */
export const pairingQuery = `port=40000&challenge=${createHash('sha256').update(verifier).digest('base64url')}&state=${'s'.repeat(20)}`;

/** Opens a browser that nobody is signed in in. */
export function openBrowser(fastify: FastifyInstance): Browser {
  const cookies = new Map<string, string>();
  let form = '';
  const send = async (
    method: 'GET' | 'POST',
    url: string,
    headers: Readonly<Record<string, string>>,
    payload?: string,
  ) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = { ...(cookie === '' ? {} : { cookie }), ...headers };
    const response = await fastify.inject({
      method,
      url,
      headers: sent,
      ...(payload === undefined ? {} : { payload }),
    });
    for (const told of [response.headers['set-cookie'] ?? []].flat()) keep(cookies, told);
    form = /name="form" value="([^"]+)"/.exec(response.body)?.[1] ?? form;
    return { status: response.statusCode, headers: response.headers, body: {}, text: response.body };
  };
  return {
    cookies,
    get: (url, headers = {}) => send('GET', url, { 'sec-fetch-site': 'none', ...headers }),
    post: (url, fields = {}, headers = {}) => {
      const type = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
      const own = url === '/login' ? {} : { form };
      return send('POST', url, { ...type, ...headers }, new URLSearchParams({ ...own, ...fields }).toString());
    },
  };
}

function keep(cookies: Map<string, string>, told: string): void {
  const [pair = '', ...rules] = told.split('; ');
  const [name = '', value = ''] = pair.split('=');
  if (rules.includes('Max-Age=0')) cookies.delete(name);
  else cookies.set(name, value);
}

/** A browser in which one of the cast is signed in by their own token, with a page of ours open. */
export async function signedIn(here: Deployment, actor: Actor): Promise<Browser> {
  return await signedInBy(here, here.tokens[actor]);
}

/** The same for whoever has this token. */
export async function signedInBy({ fastify }: Pick<Deployment, 'fastify'>, token: string): Promise<Browser> {
  const browser = openBrowser(fastify);
  const answer = await browser.post('/login', { token });
  if (answer.status !== 303) throw new Error(`expected a person with a token to be signed in, got ${answer.status}`);
  await browser.get(`/login/cli?${pairingQuery}`);
  return browser;
}

/** A vote as the page's form sends it. */
export function voteForm(
  digests: { artifactDigest: string; evidenceDigest: string },
  over: Readonly<Record<string, string>> = {},
) {
  return { key: randomUUID(), verdict: 'approve', reason: '', attempt: '1', ...digests, ...over };
}
