import { connect } from 'node:net';
import { quantile } from '../line.ts';

/** What a round of a closed loop showed. */
export interface Round {
  readonly requests: number;
  readonly p50Ms: number;
  /** The share of answers that came from the canary. */
  readonly canaryShare: number;
}

/** Each visitor keeps the cookie of its first answer for so many requests, and is then somebody new. */
const REQUESTS_PER_VISITOR = 10;

/** So many connections, each with one request under way at any time: whoever answers faster is asked more. */
export async function closedLoop(load: { port: number; connections: number; requests: number }): Promise<Round> {
  const took: number[] = [];
  const arms = { canary: 0 };
  const each = Math.ceil(load.requests / load.connections);
  await Promise.all(
    Array.from({ length: load.connections }, () => converse({ port: load.port, requests: each, took, arms })),
  );
  return { requests: took.length, p50Ms: quantile(took, 0.5), canaryShare: arms.canary / took.length };
}

interface Talk {
  readonly port: number;
  readonly requests: number;
  readonly took: number[];
  readonly arms: { canary: number };
}

/** On a bare socket: a client library would cost more than what is measured. */
function converse({ port, requests, took, arms }: Talk): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    let [sent, begunMs, cookie, heard] = [0, 0, '', ''];
    const ask = (): void => {
      if (sent === requests) {
        socket.destroy();
        return resolve();
      }
      if (sent % REQUESTS_PER_VISITOR === 0) cookie = '';
      sent += 1;
      heard = '';
      begunMs = performance.now();
      socket.write(
        `GET /some/page?x=1 HTTP/1.1\r\nhost: bench.localhost\r\naccept: */*\r\nuser-agent: bench\r\n${cookie}\r\n`,
      );
    };
    socket.on('connect', ask).on('error', reject);
    socket.on('close', () => reject(new Error('expected an answer, got the end of the connection')));
    socket.on('data', (part) => {
      heard += part.toString('latin1');
      const end = heard.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(heard)?.[1]);
      if (heard.length < end + 4 + length) return;
      took.push(performance.now() - begunMs);
      if (!heard.startsWith('HTTP/1.1 200')) return reject(new Error(`expected 200, got ${heard.slice(0, 40)}`));
      if (heard.includes('x-arm: canary')) arms.canary += 1;
      const given = /set-cookie: ([^;\r]+)/i.exec(heard)?.[1];
      if (given !== undefined) cookie = `cookie: ${given}\r\n`;
      ask();
    });
  });
}
