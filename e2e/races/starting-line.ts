import { Agent, createServer, type IncomingMessage, request as ask, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A door before the API's: votes wait here until as many as are expected stand side by side, then all go at once. */
export interface StartingLine {
  readonly url: string;
  /** The next so many votes go together. */
  expect(count: number): void;
  close(): Promise<void>;
}

/** A process that never comes must not hold the others for good; the round then shows who is missing. */
const waitMsMax = 45_000;

/** Opens one on a free port of this machine. Everything that is no vote passes as it comes. */
export async function openStartingLine(apiUrl: string): Promise<StartingLine> {
  const agent = new Agent({ keepAlive: true });
  const standing: (() => void)[] = [];
  let expected = 1;
  let patience: NodeJS.Timeout | undefined;
  const go = (): void => {
    clearTimeout(patience);
    for (const one of standing.splice(0)) one();
  };
  const server = createServer((incoming, outgoing) => {
    void buffer(incoming).then((body) => {
      const pass = (): void => forward({ apiUrl, agent, body }, incoming, outgoing);
      if (!isVote(incoming)) return pass();
      standing.push(pass);
      if (standing.length >= expected) go();
    });
  });
  // A voter that keeps its connection must not find it closed in the instant in which it votes.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    expect: (count) => {
      expected = count;
      clearTimeout(patience);
      patience = setTimeout(go, waitMsMax);
    },
    close: async () => {
      go();
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A vote by a program, or the form of the page. */
function isVote({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && (url.endsWith('/decisions') || url.startsWith('/decide/'));
}

function forward(
  { apiUrl, agent, body }: { readonly apiUrl: string; readonly agent: Agent; readonly body: Buffer },
  { url = '/', method, headers }: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const sent = ask(new URL(url, apiUrl), { agent, method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  // What the API does not answer is told as it is: a connection that ends.
  sent.on('error', () => outgoing.destroy());
  sent.end(body);
}
