import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as client from '@proviso/client';
import {
  connect,
  decide,
  followEvents,
  followLive,
  LiveRefused,
  readMe,
  readPromotion,
  uploadCandidate,
} from '@proviso/client';
import { type Deployment, archiveOf, atApproval, openDeployment } from './deployment.contract.ts';

let here: Deployment;
let baseUrl: string;

beforeAll(async () => {
  here = await openDeployment();
  await here.app.listen(0, '127.0.0.1');
  baseUrl = await here.app.getUrl();
});

afterAll(async () => {
  await here.close();
});

describe('the generated client', () => {
  it('offers a function for every operation of the committed document', async () => {
    const text = await readFile(new URL('../openapi.json', import.meta.url), 'utf8');
    const operations = [...text.matchAll(/"operationId": "(\w+)"/g)].map(([, name]) => name ?? '');
    expect(operations.length).toBeGreaterThan(40);
    expect(operations.filter((name) => typeof Reflect.get(client, name) !== 'function')).toEqual([]);
  });

  it('asks, decides and uploads as the person of its token, and gets problems as data', async () => {
    const { prototype, promotion, gate, digests } = await atApproval(here, 'by-client');
    const sam = connect({ baseUrl, token: here.tokens.sam });
    const bea = connect({ baseUrl, token: here.tokens.bea });
    expect((await readMe({ client: sam })).data?.person.id).toBe(here.people.sam);
    const own = await decide({ client: bea, path: { id: gate }, body: { verdict: 'approve', ...digests } });
    expect(own.error).toMatchObject({ code: 'own_work', status: 403 });
    const vote = await decide({ client: sam, path: { id: gate }, body: { verdict: 'approve', ...digests } });
    expect(vote.data).toMatchObject({ receipt: 'recorded' });
    const read = await readPromotion({
      client: sam,
      path: { id: promotion },
      query: { minRevision: vote.data?.revision ?? 0 },
    });
    expect(read.data?.state).toBe('waiting_for_human');
    const archive = new Blob([new Uint8Array(archiveOf('by client'))]);
    const uploaded = await uploadCandidate({ client: bea, prototype, version: 'v9', archive });
    expect(uploaded.data).toMatchObject({ created: true, candidate: { version: 'v9' } });
  });

  it('follows live events', async () => {
    const stop = new AbortController();
    const client = connect({ baseUrl, token: here.tokens.sam });
    const seen: unknown[] = [];
    const { stream } = await followEvents({
      client,
      signal: stop.signal,
      headers: { 'Last-Event-ID': '9.9' },
      sseMaxRetryAttempts: 1,
      onSseEvent: ({ event }) => {
        if (event === undefined) return;
        seen.push(event);
        stop.abort();
      },
    });
    for await (const _ of stream) break;
    expect(seen).toEqual(['reset']);
  });

  it('goes on behind the last entry that it was told, however often the line breaks, until it is told no', async () => {
    const asked: (string | undefined)[] = [];
    const entry = (position: number) => `event: entry\nid: a.${position}\ndata: {"position":${position}}\n\n`;
    const lines = [
      `: connected\n\n${entry(1)}${entry(2)}event: entry\nid: a.3\nda`,
      entry(3),
      'event: reset\nid: b.7\ndata: {}\n\n',
    ];
    const server = createServer((request, response) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      const line = lines.shift();
      if (line === undefined) return void response.writeHead(403).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(line, () => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const told: unknown[] = [];
    const following = followLive({
      ...{ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'x' },
      signal: new AbortController().signal,
      onEntry: ({ id }) => void told.push(id),
      onReset: () => void told.push('reset'),
    });
    await expect(following).rejects.toBeInstanceOf(LiveRefused);
    server.close();
    expect([told, asked]).toEqual([
      ['a.1', 'a.2', 'a.3', 'reset'],
      [undefined, 'a.2', 'a.3', 'b.7'],
    ]);
  });
});
