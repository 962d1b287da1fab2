import type { Connection } from './api.ts';
import { messageLines } from './message-lines.ts';

/** Where messages come from and go to. */
export interface RelayPorts {
  readonly connection: Connection;
  readonly input: AsyncIterable<Uint8Array | string>;
  /** One message on one line; nothing else may be said there. */
  readonly send: (line: string) => void;
  /** What nobody waits for an answer to. */
  readonly say: (line: string) => void;
  readonly interrupted: AbortSignal;
}

/** A call may wait for a lock of the journal; whoever asked gives up about then as well. */
const callMsMax = 60_000;
/** A program that asks faster than it is answered waits here. */
const underWayMax = 16;

type Json = Readonly<Record<string, unknown>>;

/**
 * Hands on messages of the Model Context Protocol from a program beside us to the door of agents, and its answers back.
 * What is said is theirs; here is only the other way of sending it, so there is one source of tools. Ends when the input
 * does and everything is answered.
 */
export async function relayMessages(ports: RelayPorts): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const agreed: Agreed = { version: null };
  for await (const line of messageLines(ports.input)) {
    const one = hand(line, agreed, ports).finally(() => void underWay.delete(one));
    underWay.add(one);
    if (underWay.size >= underWayMax) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

/** The revision that the older handshake agreed on; the newer ones say theirs with each message. */
interface Agreed {
  version: string | null;
}

async function hand(line: string, agreed: Agreed, ports: RelayPorts): Promise<void> {
  const message = objectIn(line);
  if (message === null) return ports.send(failed(null, parseError, 'expected one JSON object a line'));
  const { id = null } = message;
  const told = await asked(line, message, agreed, ports).catch((error: unknown) => {
    const why = error instanceof Error && error.name === 'TimeoutError' ? 'in time' : `at ${ports.connection.url}`;
    return failed(id, serverError, `expected the API to answer ${why}, got no answer`);
  });
  if (told === null) return;
  if (id === null) ports.say(`a message was not taken: ${told}`);
  else ports.send(told);
}

/** The answer as one line; null for what is not answered. */
async function asked(line: string, message: Json, agreed: Agreed, ports: RelayPorts): Promise<string | null> {
  const { url, token } = ports.connection;
  const answer = await fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...{ accept: 'application/json, text/event-stream', ...revisionHeaders(message, agreed) },
    },
    body: line,
    // A redirect would carry the token elsewhere.
    redirect: 'error',
    signal: AbortSignal.any([ports.interrupted, AbortSignal.timeout(callMsMax)]),
  });
  const told = objectIn(await answer.text());
  if (told?.['jsonrpc'] === '2.0') {
    if (message['method'] === 'initialize') agreed.version = textIn(told, 'result', 'protocolVersion');
    return JSON.stringify(told);
  }
  if (answer.ok && (told === null || message['id'] === undefined)) return null;
  return failed(message['id'] ?? null, serverError, wordsOf(told, answer.status), told);
}

/** What the protocol wants to see beside a message when it comes over HTTP. */
function revisionHeaders({ method, params }: Json, { version }: Agreed): Readonly<Record<string, string>> {
  const own = textIn(params, '_meta', 'io.modelcontextprotocol/protocolVersion');
  if (own === null) return version === null ? {} : { 'mcp-protocol-version': version };
  const name = textIn(params, 'name');
  return {
    'mcp-protocol-version': own,
    ...(typeof method === 'string' ? { 'mcp-method': method } : {}),
    ...(name !== null && /^[\x21-\x7e]+$/.test(name) ? { 'mcp-name': name } : {}),
  };
}

/** JSON-RPC's own number for a line that cannot be read, and the one for what a server says in its own words. */
const parseError = -32_700;
const serverError = -32_000;

function failed(id: unknown, code: number, message: string, problem: Json | null = null): string {
  const { status, code: name, rule, whoCan } = problem ?? {};
  const data = problem === null ? {} : { data: { status, code: name, rule, whoCan } };
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...data } });
}

function wordsOf(problem: Json | null, status: number): string {
  const { detail, code } = problem ?? {};
  if (typeof detail === 'string' && typeof code === 'string') return `${detail} (${code})`;
  return `expected an answer of Proviso's API, got status ${status} with something else`;
}

function objectIn(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

function textIn(value: unknown, ...path: readonly string[]): string | null {
  const found = path.reduce<unknown>((at, step) => {
    return typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  }, value);
  return typeof found === 'string' ? found : null;
}
