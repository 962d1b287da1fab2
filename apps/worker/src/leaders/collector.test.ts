import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EvidenceRef } from '@proviso/domain';
import { folderStore, type FolderStore } from '@proviso/evidence';
import { fileDigest, manifestBytes, type Manifest } from '@proviso/intake';
import type { Leadership } from '@proviso/journal';
import { evidenceCollector } from './collector.ts';

const dayMs = 86_400_000;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let root: string;
let store: FolderStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'proviso-collector-'));
  store = folderStore(root);
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const put = async (text: string) => (await store.put(Buffer.from(text))).digest;
const namedBy = (named: readonly EvidenceRef[]) =>
  ({ evidence: async (after: string) => named.filter((one) => one.digest > after) }) as unknown as Leadership;
const clockAt = (now: number) => ({ now: () => now, pause: async () => undefined });

/** An artifact of one file, as intake would have put it. */
async function artifact(): Promise<{ manifest: EvidenceRef; file: `sha256:${string}` }> {
  const file = await put('export const answer = 42;');
  const manifest: Manifest = {
    v: 1,
    files: [{ path: 'a.mjs', mode: 'file', sizeBytes: 25, sha256: file.slice('sha256:'.length) }],
  };
  expect(fileDigest(manifest.files[0] ?? { path: '', mode: 'file', sizeBytes: 0, sha256: '' })).toBe(file);
  return { manifest: { kind: 'artifact', digest: (await store.put(manifestBytes(manifest))).digest }, file };
}

describe('the collection of orphans', () => {
  it('keeps what an entry names and the files of its artifacts, and removes the rest after its grace', async () => {
    const { manifest, file } = await artifact();
    const [report, orphan] = [await put('a report'), await put('nobody names me')];
    const collect = (now: number) =>
      evidenceCollector({ evidence: store, clock: clockAt(now), log })(
        namedBy([manifest, { kind: 'report', digest: report }]),
      );
    await collect(Date.now());
    expect(await store.has(orphan)).toBe(true);
    await collect(Date.now() + 2 * dayMs);
    expect(await Promise.all([manifest.digest, file, report, orphan].map((digest) => store.has(digest)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('removes nothing when it cannot tell what a manifest names', async () => {
    const orphan = await put('nobody names me');
    const lost: EvidenceRef = { kind: 'artifact', digest: `sha256:${'0'.repeat(64)}` };
    const collect = evidenceCollector({ evidence: store, clock: clockAt(Date.now() + 2 * dayMs), log });
    await expect(collect(namedBy([lost]))).rejects.toMatchObject({ code: 'evidence_missing' });
    expect(await store.has(orphan)).toBe(true);
  });
});
