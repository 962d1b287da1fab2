import { type Deployment, grantToken, openDeployment, pickText, sequence } from './deployment.contract.ts';
import { createServer } from './server.ts';

let here: Deployment;
let address: string;

beforeAll(async () => {
  here = await openDeployment();
  await here.app.listen(0, '127.0.0.1');
  address = await here.app.getUrl();
  await sequence(here);
});

afterAll(async () => {
  await here.close();
});

function log() {
  return here.parts.journal.reads(here.workspace).log();
}

/** Reads the stream until a text has come; the test's own time bounds it. */
async function readUntil(wanted: RegExp, headers: Record<string, string> = {}, meanwhile = async () => {}) {
  const stop = new AbortController();
  const response = await fetch(`${address}/v1/events`, {
    headers: { authorization: `Bearer ${here.tokens.aud}`, ...headers },
    signal: stop.signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      if (wanted.test(text)) return;
    }
  })();
  await meanwhile();
  await reading;
  stop.abort();
  return { type: response.headers.get('content-type'), text };
}

const beaten = /^: connected\n\n(: alive\n\n){2,}$/;

describe('live events', () => {
  /** Follows with each token until the server ends it; after two beats of all something happens to their readers. */
  async function followed(tokens: readonly string[], happens: () => Promise<unknown>): Promise<string[]> {
    const beating = Promise.withResolvers<void>();
    let silent = tokens.length;
    const beats = (): void => {
      silent -= 1;
      if (silent === 0) beating.resolve();
    };
    const [texts] = await Promise.all([
      Promise.all(tokens.map((token) => follow(token, beats))),
      beating.promise.then(happens),
    ]);
    return texts;
  }

  /** Follows until the server ends the stream, and says so when it has heard two beats. */
  async function follow(token: string, beats: () => void): Promise<string> {
    const app = await createServer({ ...here.parts, heartbeatMs: 20 });
    try {
      await app.listen(0, '127.0.0.1');
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${await app.getUrl()}/v1/events`, { headers });
      let text = '';
      let count = 0;
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString('utf8');
        const before = count;
        count = text.split(': alive\n\n').length - 1;
        if (before < 2 && count >= 2) beats();
      }
      // The loop ends because the server ended the stream.
      return text;
    } finally {
      await app.close();
    }
  }

  it('say every 15 s that they are alive, and end when their reader may not read any more', async () => {
    expect(here.parts.heartbeatMs).toBe(15_000);
    const end = () => here.post('ada', `/v1/people/${here.people.kim}/disable`, {});
    expect(await followed([here.tokens.kim], end)).toEqual([expect.stringMatching(beaten)]);
  });

  it('end when those by whom their reader acts are shut out: who lent the token, and who answers for a machine', async () => {
    const roles = [{ role: 'administrator' }, { role: 'auditor' }];
    const gone = pickText((await here.post('ada', '/v1/people', { name: 'Leaves', roles })).body, 'id');
    const asThey = { headers: { authorization: `Bearer ${await grantToken(here, gone)}` } };
    const machine = { name: 'CI', kind: 'service', actsFor: gone, roles: [{ role: 'auditor' }] };
    const service = pickText((await here.post('ada', '/v1/people', machine)).body, 'id');
    const payload = { scopes: ['read'] };
    const lent = await here.ask(null, 'POST', `/v1/people/${here.people.aud}/tokens`, { ...asThey, payload });
    const machines = await here.post('ada', `/v1/people/${service}/tokens`, payload);
    const tokens = [lent, machines].map(({ body }) => pickText(body, 'token'));
    const end = () => here.post('ada', `/v1/people/${gone}/disable`, {});
    expect(await followed(tokens, end)).toEqual(tokens.map(() => expect.stringMatching(beaten)));
  });

  it('begin with a comment at once and carry ledger positions', async () => {
    const live = await readUntil(/prototype_registered/, {}, async () => {
      await here.post('bea', '/v1/prototypes', { name: 'live' });
      await sequence(here);
    });
    expect(live.type).toBe('text/event-stream');
    expect(live.text.startsWith(': connected\n\n')).toBe(true);
    expect(live.text).toMatch(/event: entry\nid: [0-9a-f]{32}\.\d+\ndata: \{"position":\d+,"stream":"prototype"/);
    expect(live.text).not.toContain('workspace_opened');
  });

  it('go on after the last id that was seen', async () => {
    const { incarnation } = await log();
    const all = await readUntil(/prototype_registered/, { 'last-event-id': `${incarnation}.0` });
    const ids = [...all.text.matchAll(/^id: [0-9a-f]{32}\.(\d+)$/gm)].map(([, position]) => Number(position));
    expect(ids.length).toBeGreaterThan(3);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const some = await readUntil(/prototype_registered/, { 'last-event-id': `${incarnation}.${ids[1]}` });
    expect(some.text).toContain(`id: ${incarnation}.${ids[2]}\n`);
    expect(some.text).not.toContain(`id: ${incarnation}.${ids[1]}\n`);
  });

  it.each(['1.0', 'future', 'nonsense'])('begin anew for a position of another log: %s', async (id) => {
    const { incarnation } = await log();
    const header = id === 'future' ? `${incarnation}.99999999` : id;
    const { text } = await readUntil(/event: reset\nid: [0-9a-f]{32}\.\d+/, { 'last-event-id': header });
    expect(text).not.toContain('event: entry');
  });
});
