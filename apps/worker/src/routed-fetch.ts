import { request } from 'node:http';
import type { HttpAnswer, HttpFetch } from '@proviso/gates';
import { GATE_HEADER } from '@proviso/targets';

const ours = new Set(['host', GATE_HEADER]);

/**
 * HTTP to one host of the router. The Host header chooses the lane or trial, and no request can choose another: a probe
 * that names a Host of its own is overruled. The pass lets it in where visitors need an invitation.
 */
export function routedFetch(host: string, gatePass: string): HttpFetch {
  return async (url, init) =>
    await new Promise<HttpAnswer>((resolve, reject) => {
      const own = Object.entries(init.headers).filter(([name]) => !ours.has(name.toLowerCase()));
      const headers = { ...Object.fromEntries(own), host, [GATE_HEADER]: gatePass };
      const sent = request(url, { method: init.method, headers, signal: init.signal, agent: false }, (answer) =>
        resolve({ status: answer.statusCode ?? 0, body: answer }),
      );
      sent.on('error', reject);
      sent.end(init.body);
    });
}
