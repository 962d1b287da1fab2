import { packed } from '../candidate.ts';
import type { Witnesses } from './witnesses.ts';

/** A version whose share of bad answers is known, and changes when a visitor says so. */
export interface FickleOrder {
  readonly name: string;
  readonly version: string;
  readonly badShare: number;
}

/**
 * A visitor brings a draw, and each version answers badly whoever drew less than its share of bad answers: so of every
 * request that the canary answered it is known what stable would have made of it.
 */
const server = `import { createServer } from 'node:http';
const version = process.env.VERSION;
let badShare = Number(process.env.BAD_SHARE);
const listening = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://here');
  response.setHeader('x-version', version);
  if (pathname === '/healthz') return response.end('well');
  if (pathname === '/turn') {
    if (searchParams.get('version') === version) badShare = Number(searchParams.get('bad'));
    return response.end(version);
  }
  const answer = () => {
    response.statusCode = Number(searchParams.get('luck') ?? 1) < badShare ? 500 : 200;
    response.end(version);
  };
  const slowMs = Number(searchParams.get('slow') ?? 0);
  if (slowMs > 0) setTimeout(answer, slowMs);
  else answer();
}).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => {
  listening.close(() => process.exit(0));
  listening.closeIdleConnections();
});
`;

/** The version as an archive. */
export function fickleArchive(order: FickleOrder): Uint8Array<ArrayBuffer> {
  return packed({ 'server.mjs': server, 'proviso.yaml': contractOf(order), 'cases.yaml': '[]' });
}

/** Tries until the version was met: at a share of 5 % one in twenty visitors meets it. */
const turnTriesMax = 2_000;

/** Turns one version of a lane: visitors ask until one of them has met it. */
export async function turn(
  witnesses: Witnesses,
  lane: { readonly host: string; readonly version: string; readonly badShare: number },
): Promise<void> {
  const { host, version, badShare } = lane;
  for (let tries = 0; tries < turnTriesMax; tries += 1) {
    const { version: met } = await witnesses.ask(host, `/turn?version=${version}&bad=${badShare}`);
    if (met === version) return;
  }
  throw new Error(`expected ${version} of ${host} to be met within ${turnTriesMax} requests, got others only`);
}

function contractOf({ name, version, badShare }: FickleOrder): string {
  return `prototype: ${name}
owner: Bea Builder
requirements: { users: 10, dataClass: internal, runbook: none yet }
run: { kind: node, start: [server.mjs], environment: { VERSION: ${version}, BAD_SHARE: '${badShare}' } }
probes: { health: /healthz, smoke: [{ path: /, expect: { status: 200 } }] }
evaluation: { cases: cases.yaml }
objective: { errorRateMax: 0.2 }
`;
}
