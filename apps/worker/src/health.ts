import { createServer, type Server } from 'node:http';
import type { Isolation } from '@proviso/isolation';

/** What the worker knows about itself. */
export interface Vitals {
  /** Queues that are worked on; 0 while Temporal is away. */
  workers: number;
  readonly leads: Map<string, boolean>;
  /** How strangers' code is kept apart here. */
  readonly isolation: Pick<Isolation, 'way' | 'limits'>;
}

/** /healthz and /metrics on 127.0.0.1; `ping` asks the journal. */
export function openHealth(vitals: Vitals, ping: () => Promise<void>): Server {
  return createServer((request, response) => {
    if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metricsOf(vitals));
    } else if (request.url === '/healthz') {
      void ping().then(
        () => answer(vitals.workers > 0),
        () => answer(false),
      );
    } else {
      response.writeHead(404).end();
    }
    function answer(well: boolean): void {
      const body = JSON.stringify({
        well,
        workers: vitals.workers,
        leads: Object.fromEntries(vitals.leads),
        isolation: vitals.isolation,
      });
      response.writeHead(well ? 200 : 503, { 'content-type': 'application/json' }).end(body);
    }
  });
}

function metricsOf({ workers, leads }: Vitals): string {
  const lines = [
    '# TYPE proviso_worker_queues gauge',
    `proviso_worker_queues ${workers}`,
    '# TYPE proviso_worker_leads gauge',
  ];
  for (const [name, leading] of leads) lines.push(`proviso_worker_leads{leader="${name}"} ${leading ? 1 : 0}`);
  return `${lines.join('\n')}\n`;
}
