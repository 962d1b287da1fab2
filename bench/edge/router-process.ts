import type { AddressInfo } from 'node:net';
import { type Endpoint, openUpstream, type ReleaseOrder } from '@proviso/targets';
import { openLaneTable } from '../../apps/edge/src/lane-table.ts';
import { openRouter } from '../../apps/edge/src/router.ts';

// The edge's own router with table, split and counts, on two ports that are given instead of releases that it runs.
// Prints its port; its last line, when the parent is gone, is what it counted.
const [stablePort, canaryPort, sharePercent] = process.argv.slice(2).map(Number);

const releaseOf = (release: string): ReleaseOrder => ({
  release,
  artifactDigest: 'sha256:',
  trusted: true,
  contract: { start: [], portEnvironment: 'PORT', environment: {}, health: { path: '/' } },
});
const endpoints = new Map<string, Endpoint>(
  [['rel_stable', stablePort ?? 0] as const, ['rel_canary', canaryPort ?? 0] as const].map(([release, port]) => [
    release,
    { release, errorStatusMin: 500, withheld: [], upstream: openUpstream({ port }) },
  ]),
);
const table = openLaneTable({
  boot: 'bench',
  nowMs: () => performance.now(),
  wallClock: () => new Date(),
  isReady: () => true,
  log: () => undefined,
});
const renew = (): void =>
  table.apply(
    {
      incarnation: 'bench',
      lanes: [
        {
          lane: 'bench',
          environment: 'production',
          hosts: ['bench.localhost'],
          fence: { incarnation: 1, counter: 1 },
          stable: releaseOf('rel_stable'),
          canary: releaseOf('rel_canary'),
          weightPercent: sharePercent ?? 0,
          leaseRemainingMs: 30_000,
          closed: false,
        },
      ],
    },
    performance.now(),
  );
renew();
setInterval(renew, 5_000);
const router = openRouter({
  table,
  endpoint: (_place, release) => endpoints.get(release) ?? null,
  isStarting: () => false,
  findTrial: () => null,
});
router.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify([(router.address() as AddressInfo).port])}\n`);
});
process.stdin
  .on('end', () => {
    const lane = table.get('bench');
    process.stdout.write(`${JSON.stringify(lane === null ? null : table.countsOf(lane))}\n`, () => process.exit(0));
  })
  .resume();
