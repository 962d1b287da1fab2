import { request } from 'node:http';
import type { HttpAnswer, HttpFetch } from '@proviso/gates';

/**
 * HTTP to one host of the router. The Host header chooses the lane or trial, and no request can choose another: a probe
 * that names a Host of its own is overruled.
 */
export function routedFetch(host: string): HttpFetch {
  return async (url, init) =>
    await new Promise<HttpAnswer>((resolve, reject) => {
      const own = Object.entries(init.headers).filter(([name]) => name.toLowerCase() !== 'host');
      const headers = { ...Object.fromEntries(own), host };
      const sent = request(url, { method: init.method, headers, signal: init.signal, agent: false }, (answer) =>
        resolve({ status: answer.statusCode ?? 0, body: answer }),
      );
      sent.on('error', reject);
      sent.end(init.body);
    });
}
