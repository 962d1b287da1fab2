import { Agent, request } from 'node:http';

/** How quickly a document was answered while something else went on. */
export interface Responsiveness {
  readonly asked: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const perSecond = 20;
const answerMsMax = 5_000;

/** Asks at a steady rate, whether or not earlier answers have come: a service that stands still is not spared. */
export function askSteadily(url: string, token: string): { readonly end: () => Promise<Responsiveness> } {
  const agent = new Agent({ keepAlive: true });
  const open = new Set<Promise<void>>();
  const tookMs: number[] = [];
  let failed = 0;
  const beat = setInterval(() => {
    const startedMs = performance.now();
    const answer = statusOf(url, { agent, token }).then((status) => {
      open.delete(answer);
      tookMs.push(performance.now() - startedMs);
      if (status !== 200) failed += 1;
    });
    open.add(answer);
  }, 1_000 / perSecond);
  return {
    end: async () => {
      clearInterval(beat);
      await Promise.all(open);
      agent.destroy();
      const sorted = tookMs.toSorted((a, b) => a - b);
      const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
      return { asked: sorted.length, failed, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    },
  };
}

/** The status, or 0 when none came. */
function statusOf(url: string, { agent, token }: { readonly agent: Agent; readonly token: string }): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(url, { agent, headers, timeout: answerMsMax }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
    });
    sent.on('timeout', () => sent.destroy()).on('error', () => resolve(0));
    sent.end();
  });
}
