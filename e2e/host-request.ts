import { request } from 'node:http';
import { GATE_HEADER } from '@proviso/targets';

/** A request to one host of the router. */
export interface HostRequest {
  readonly routerUrl: string;
  readonly host: string;
  readonly path: string;
  /** With a body it is a POST. */
  readonly body?: string;
  /** What lets gates in where visitors need an invitation. */
  readonly pass?: string;
}

/** Longer than any release of a test needs; whoever waits longer has met something that hangs. */
const answerMsMax = 10_000;

/** Asks one host of the router, on a connection of its own; throws when no answer comes. */
export function askHost(asked: HostRequest): Promise<{ readonly status: number; readonly text: string }> {
  const { host, body, pass } = asked;
  return new Promise((resolve, reject) => {
    const options = {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        host,
        ...(pass !== undefined && { [GATE_HEADER]: pass }),
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
      agent: false,
      timeout: answerMsMax,
    } as const;
    const sent = request(new URL(asked.path, asked.routerUrl), options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject).on('timeout', () => sent.destroy(new Error(`expected ${host} to answer, got nothing`)));
    sent.end(body);
  });
}
