import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval as ticks } from 'node:timers/promises';
import { type BlobSource, digestOf } from './artifact.ts';
import { TargetFailure } from './failure.ts';
import type { ArtifactDigest, LaneOrder, ReleaseOrder, RunContract } from './protocol.ts';

// For tests only: artifacts in memory, orders around them, and a bounded wait for what processes do.

const WITHIN_MS = 15_000;

/** A store of artifacts; `blobs` is mutable, so that a test can damage one. */
export interface Shelf {
  readonly blobs: Map<string, string>;
  readonly source: BlobSource;
  readonly store: (files: Readonly<Record<string, string>>) => ArtifactDigest;
}

/** An empty store. */
export function newShelf(): Shelf {
  const blobs = new Map<string, string>();
  return {
    blobs,
    source: async (digest) => {
      const text = blobs.get(digest);
      if (text === undefined)
        throw new TargetFailure('not_found', `${digest}: expected 200, got 404`, { retryable: true });
      return (async function* () {
        yield Buffer.from(text);
      })();
    },
    store: (contents) => {
      const files = Object.entries(contents).map(([path, text]) => {
        blobs.set(digestOf(text), text);
        const mode = text.startsWith('#!') ? 'executable' : 'file';
        return { path, mode, sizeBytes: Buffer.byteLength(text), sha256: digestOf(text).slice('sha256:'.length) };
      });
      return storeManifest(blobs, { v: 1, files });
    },
  };
}

/** Stores any manifest, also one that should be refused. */
export function storeManifest(blobs: Map<string, string>, manifest: unknown): ArtifactDigest {
  const text = JSON.stringify(manifest);
  blobs.set(digestOf(text), text);
  return digestOf(text);
}

/** A server that is well. */
export const healthySource = `import { createServer } from 'node:http';
createServer((_, response) => response.end('well')).listen(process.env.PORT, process.env.HOST);`;

/** A release that runs one file with Node. */
export function newOrder(digest: ArtifactDigest, contract: Partial<RunContract> = {}, trusted = true): ReleaseOrder {
  const base = {
    start: ['node', 'main.mjs'],
    portEnvironment: 'PORT',
    environment: {},
    health: { path: '/', timeoutMs: 500 },
  };
  return { release: 'rel_1', artifactDigest: digest, trusted, contract: { ...base, ...contract } };
}

/** A lane with one canary that nobody meets, which is enough to have it run. */
export function newLane(canary: ReleaseOrder): LaneOrder {
  const fence = { incarnation: 1, counter: 1 };
  const rest = { hosts: [], fence, stable: null, weightPercent: 0, leaseRemainingMs: null, closed: false };
  return { lane: 'lane_1', environment: 'staging', canary, ...rest };
}

/** A folder of its own. */
export function newFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'proviso-targets-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Looks every few milliseconds until something holds, with a bound; gives what the look gave. */
export async function until<Found>(what: string, look: () => Found | null | false): Promise<Found> {
  const deadline = performance.now() + WITHIN_MS;
  for await (const _tick of ticks(20)) {
    const found = look();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) break;
  }
  throw new Error(`expected ${what} within ${WITHIN_MS} ms`);
}
