import { type Deployment, openDeployment, sequence } from './deployment.contract.ts';
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

describe('live events', () => {
  it('say every 15 s that they are alive, and end when their reader may not read any more', async () => {
    expect(here.parts.heartbeatMs).toBe(15_000);
    const app = await createServer({ ...here.parts, heartbeatMs: 20 });
    try {
      await app.listen(0, '127.0.0.1');
      const response = await fetch(`${await app.getUrl()}/v1/events`, {
        headers: { authorization: `Bearer ${here.tokens.kim}` },
      });
      let text = '';
      let revoked = false;
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString('utf8');
        const beats = text.split(': alive\n\n').length - 1;
        if (beats < 2 || revoked) continue;
        revoked = true;
        await here.post('ada', `/v1/people/${here.people.kim}/disable`, {});
      }
      // The loop ends because the server ended the stream.
      expect(text).toMatch(/^: connected\n\n(: alive\n\n){2,}$/);
    } finally {
      await app.close();
    }
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
