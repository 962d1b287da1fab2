import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** What a test sees of one call. */
export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
}

/** An API of a test's own: it speaks HTTP, and what it answers is the test's. */
export interface FakeApi {
  readonly url: string;
  readonly calls: readonly SeenCall[];
  close(): Promise<void>;
}

/** What one call is answered; `count` tells how often this path was asked before. */
export type Answering = (call: SeenCall, count: number) => { readonly status: number; readonly body: unknown };

/** Opens the fake on a free port. Multipart bodies come as their fields, files as their size. */
export async function openFakeApi(answer: Answering): Promise<FakeApi> {
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const bytes = await buffer(request);
      const call: SeenCall = {
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization,
        idempotencyKey: request.headers['idempotency-key']?.toString(),
        body: await bodyOf(new Uint8Array(bytes), request.headers['content-type'] ?? ''),
      };
      const count = calls.filter(({ method, path }) => method === call.method && path === call.path).length;
      calls.push(call);
      const { status, body } = answer(call, count);
      response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
      response.end(JSON.stringify(body));
    })();
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<unknown> {
  if (bytes.byteLength === 0) return null;
  if (type.startsWith('application/json')) return JSON.parse(new TextDecoder().decode(bytes));
  const form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === 'string' ? value : value.size]));
}

/** A problem as the API words it. */
export function problem(status: number, code: string, more: object = {}): { status: number; body: unknown } {
  return { status, body: { status, code, detail: `refused: ${code}`, ...more } };
}
