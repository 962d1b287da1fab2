import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import {
  type GitHubApp,
  type GitHubMessage,
  OutletFailure,
  type Spot,
  openGitHubAnswers,
  openGitHubApp,
  openGitHubOutlet,
  openSlackCalls,
} from './index.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

let answer: Answer = () => undefined;
const seen: string[] = [];
const server = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`);
  request.resume();
  answer(request, response);
});

/** Where nobody who asks Slack or GitHub has anything to say. */
const stranger = createServer((request, response) => {
  seen.push(`elsewhere ${request.method} ${request.url}`);
  request.resume();
  response.writeHead(200, json).end('{"ok":true,"ts":"1.1","id":7}');
});
let [origin, elsewhere] = ['', ''];

beforeAll(async () => {
  [origin, elsewhere] = [await listening(server), await listening(stranger)];
});

afterAll(() => {
  for (const one of [server, stranger]) {
    one.closeAllConnections();
    one.close();
  }
});

async function listening(one: Server): Promise<string> {
  one.listen(0, '127.0.0.1');
  await once(one, 'listening');
  const address = one.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return `http://127.0.0.1:${address.port}`;
}

beforeEach(() => {
  seen.splice(0);
});

const json = { 'content-type': 'application/json; charset=utf-8' };
const html = '<!doctype html><title>Bad Gateway</title>';

const kinds: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  'the page of a proxy': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html),
  'a page that says it is JSON': (response) => response.writeHead(200, json).end(html),
  'half of it': (response) => response.writeHead(200, json).end('{"ok":true,"ts":"1.'),
  nothing: (response) => response.writeHead(200, json).end(),
  'a list': (response) => response.writeHead(200, json).end('[]'),
  null: (response) => response.writeHead(200, json).end('null'),
  'no content': (response) => response.writeHead(204).end(),
  'a type that is none': (response) => response.writeHead(200, { 'content-type': ';;' }).end('{}'),
  'an answer without end': (response) => {
    response.writeHead(200, json);
    const part = Buffer.alloc(1_048_576, ' ');
    const more = (): void => {
      while (!response.destroyed && response.write(part));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  },
  'a line that breaks': (response) => {
    response.writeHead(200, { ...json, 'content-length': '99' }).write('{"ok":true');
    setImmediate(() => response.destroy());
  },
  'a way elsewhere': (response) => response.writeHead(302, { location: `${elsewhere}/x` }).end(),
  'a way elsewhere with all that was said': (response) => response.writeHead(307, { location: `${elsewhere}/x` }).end(),
};

async function failure(work: () => Promise<unknown>): Promise<OutletFailure> {
  const got = await work().then(
    (value) => value,
    (error: unknown) => error,
  );
  if (got instanceof OutletFailure) return got;
  throw new Error(`expected an OutletFailure, got ${String(got)}`);
}

const message = { text: 'a', blocks: [], broadcast: false };
const spot: Spot = { conversation: 'C1', thread: null, token: 'x'.repeat(43) };

function slack() {
  return openSlackCalls({ apiUrl: `${origin}/api/`, botToken: 'xoxb-1', conversations: { main: 'C1', groups: {} } });
}

function expectPause({ more }: OutletFailure): void {
  expect(more.retryAfterMs).toBeGreaterThanOrEqual(1_000);
  expect(more.retryAfterMs).toBeLessThanOrEqual(3_600_000);
}

describe('Slack', () => {
  it.each(Object.entries(kinds))('that answers %s may have done it', async (_kind, say) => {
    answer = (_request, response) => say(response);
    const failed = await failure(() => slack().outlet.post(message, spot));
    expect([failed.code, failed.more]).toEqual([expect.stringMatching(/^[a-z_]{1,40}$/), { uncertain: true }]);
    expect(seen.filter((at) => at.startsWith('elsewhere'))).toEqual([]);
  });

  it('that says no in a word that nobody has heard of has not done it', async () => {
    answer = (_request, response) => response.writeHead(200, json).end('{"ok":false,"error":"brand_new"}');
    expect(await failure(() => slack().outlet.post(message, spot))).toMatchObject({ code: 'brand_new', more: {} });
  });

  it.each(['1000000000', '-5'])(
    'that wants to be left alone for %s s is asked again within the hour',
    async (seconds) => {
      answer = (_request, response) =>
        response.writeHead(429, { ...json, 'retry-after': seconds }).end('{"ok":false,"error":"ratelimited"}');
      expectPause(await failure(() => slack().outlet.post(message, spot)));
    },
  );
});

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const check: GitHubMessage = {
  ...{ kind: 'check', name: 'Proviso', status: 'in_progress', conclusion: null, title: 'a', summary: 'b' },
  ...{ actions: [], page: 'https://proviso.example/' },
};
const commit = { conversation: `acme/app@${'a'.repeat(40)}`, thread: null, token: 'y' };

/** Whatever the App asks before the call itself is answered as it should be. */
function inApp(say: Answer): Answer {
  return (request, response) => {
    const send = (status: number, body: unknown) => response.writeHead(status, json).end(JSON.stringify(body));
    if (request.url?.endsWith('/installation') === true) return send(200, { id: 1 });
    if (request.url?.endsWith('/access_tokens') === true)
      return send(201, { token: 'ghs_good', expires_at: '2099-01-01T00:00:00Z', permissions: {} });
    return say(request, response);
  };
}

function app(): GitHubApp {
  return openGitHubApp({ apiUrl: origin, appId: '77', privateKey: key }, Date.now);
}

describe('GitHub', () => {
  it.each(Object.entries(kinds))('that answers %s may have done it', async (_kind, say) => {
    answer = inApp((_request, response) => say(response));
    const failed = await failure(() => openGitHubOutlet(app()).post(check, commit));
    expect([failed.code, failed.more]).toEqual([expect.stringMatching(/^[a-z_]{1,40}$/), { uncertain: true }]);
    const asked = await failure(() => openGitHubAnswers(app()).headOf({ repository: 'acme/app', pull: 1 }));
    expect(asked.more).toEqual({ uncertain: true });
    expect(seen.filter((at) => at.startsWith('elsewhere'))).toEqual([]);
  });

  it.each([
    ['/installation', Object.keys(kinds)],
    // The client tries a token that nobody takes for five seconds, so of those that it keeps there is one.
    ['/access_tokens', ['the page of a proxy', 'half of it', 'a list']],
  ])('that answered %s like this is asked again', async (path, answers) => {
    for (const say of answers.flatMap((one) => kinds[one] ?? [])) {
      const outlet = openGitHubOutlet(app());
      const good = inApp(({ headers }, response) =>
        response.writeHead(headers.authorization === 'token ghs_good' ? 201 : 401, json).end('{"id":5}'),
      );
      answer = (request, response) => (request.url?.endsWith(path) === true ? say(response) : good(request, response));
      expect((await failure(() => outlet.post(check, commit))).more.permanent).toBeUndefined();
      answer = good;
      expect(await outlet.post(check, commit)).toBe('check/5');
    }
  });

  it('where a repository has another name by now is asked there, in the same words', async () => {
    answer = inApp((request, response) => {
      if (request.url?.startsWith('/repos/') === false) return response.writeHead(201, json).end('{"id":5}');
      return response.writeHead(301, { location: '/repositories/1/check-runs' }).end();
    });
    expect(await openGitHubOutlet(app()).post(check, commit)).toBe('check/5');
    expect(seen.at(-1)).toBe('POST /repositories/1/check-runs');
    answer = inApp((request, response) => response.writeHead(307, { location: request.url ?? '' }).end());
    expect((await failure(() => openGitHubOutlet(app()).post(check, commit))).more).toEqual({ uncertain: true });
  });

  it.each([
    { 'retry-after': '100000000000' },
    { 'retry-after': '-1' },
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99999999999' },
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon' },
  ])('that wants to be left alone, %j, is asked again within the hour', async (headers) => {
    answer = inApp((_request, response) => response.writeHead(403, { ...json, ...headers }).end('{"message":"no"}'));
    expectPause(await failure(() => openGitHubOutlet(app()).post(check, commit)));
  });
});
