import { readFile } from 'node:fs/promises';
import * as client from '@proviso/client';
import { connect, decide, followEvents, readMe, readPromotion, uploadCandidate } from '@proviso/client';
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
});
