import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type EvidenceStoreSubject, evidenceStoreContract } from './evidence-store.contract.ts';
import { expectFailure } from './expect-failure.contract.ts';
import { documentPath, temporaryFolder } from './folder-layout.ts';
import { type Digest, folderStore, parseDigest } from './index.ts';

const HOUR_MS = 3_600_000;
const roots: string[] = [];

afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function freshRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'proviso-evidence-'));
  roots.push(root);
  return root;
}

async function freshSubject(): Promise<EvidenceStoreSubject> {
  const root = await freshRoot();
  const tamper = (digest: string, bytes: Uint8Array) => writeFile(documentPath(root, parseDigest(digest)), bytes);
  return { store: folderStore(root), tamper };
}

describe('the folder store', () => {
  evidenceStoreContract(freshSubject);

  test('leaves no temporary file behind after a put, a refused put and a broken put', async () => {
    const root = await freshRoot();
    const store = folderStore(root);
    await store.put(Buffer.from('kept'));
    await expectFailure(store.put(Buffer.from('too large'), { sizeMaxBytes: 2 }), 'evidence_too_large');
    expect(await readdir(temporaryFolder(root))).toEqual([]);
  });

  test('says that it is unavailable, and worth a retry, when its folder cannot be written', async () => {
    const root = await freshRoot();
    await writeFile(join(root, 'a-file'), '');
    const failure = await folderStore(join(root, 'a-file'))
      .put(Buffer.from('x'))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'evidence_unavailable', retryable: true });
  });

  test('ignores files that some other program put into its folders', async () => {
    const root = await freshRoot();
    const store = folderStore(root);
    const { digest } = await store.put(Buffer.from('x'));
    await writeFile(join(documentPath(root, digest), '..', 'notes.txt'), 'not ours');
    await writeFile(join(root, 'sha256', 'README'), 'not ours');
    for await (const listed of store.list()) expect(listed.digest).toBe(digest);
  });
});

describe('collecting orphans', () => {
  const now = Date.now();

  async function age(root: string, digest: Digest, ageMs: number): Promise<void> {
    const seconds = (now - ageMs) / 1000;
    await utimes(documentPath(root, digest), seconds, seconds);
  }

  test('removes old documents that nobody references and keeps the young and the referenced', async () => {
    const root = await freshRoot();
    const store = folderStore(root);
    const [old, young, kept] = await Promise.all(['old', 'young', 'kept'].map((word) => store.put(Buffer.from(word))));
    if (!old || !young || !kept) throw new Error('expected three documents');
    await age(root, old.digest, 2 * HOUR_MS);
    await age(root, kept.digest, 2 * HOUR_MS);
    const rule = { referenced: new Set<string>([kept.digest]), olderThanMs: HOUR_MS, now };
    expect(await store.collectOrphans(rule)).toEqual({
      removed: [old.digest],
      removedBytes: 3,
      temporariesRemoved: 0,
    });
    expect(await store.has(young.digest)).toBe(true);
    expect(await store.has(kept.digest)).toBe(true);
  });

  test('spares a document that is put again while its references are being asked', async () => {
    const root = await freshRoot();
    const store = folderStore(root);
    const { digest } = await store.put(Buffer.from('reborn'));
    await age(root, digest, 2 * HOUR_MS);
    const referenced = async () => {
      await store.put(Buffer.from('reborn'));
      return false;
    };
    expect((await store.collectOrphans({ referenced, olderThanMs: HOUR_MS, now })).removed).toEqual([]);
    expect(await store.get(digest)).toEqual(Buffer.from('reborn'));
  });

  test('puts back a referenced document that a collector had set aside when it died', async () => {
    const root = await freshRoot();
    const store = folderStore(root);
    const { digest } = await store.put(Buffer.from('aside'));
    await store.remove(digest);
    const name = `aside-00000000-0000-4000-8000-000000000000-${digest}`;
    await writeFile(join(temporaryFolder(root), name), 'aside');
    await store.collectOrphans({ referenced: async () => true, olderThanMs: HOUR_MS, now });
    expect(await store.get(digest)).toEqual(Buffer.from('aside'));
    expect(await readdir(temporaryFolder(root))).toEqual([]);
  });
});

/** Puts documents of 3 MB for ever; asks to go on in the middle of each, and prints its digest once it is stored. */
const writerSource = (module: string) => `
  import { createInterface } from 'node:readline';
  const { folderStore } = await import(${JSON.stringify(module)});
  const store = folderStore(process.argv[1]);
  const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (let round = 0; ; round += 1) {
    const chunk = new Uint8Array(64 * 1024).fill(round % 251);
    chunk.set(new TextEncoder().encode('round ' + round + ' of ' + process.pid));
    async function* chunks() {
      for (let i = 0; i < 48; i += 1) {
        if (i === 24) { console.log('half'); await answers.next(); }
        yield chunk;
      }
    }
    console.log((await store.put(chunks())).digest);
  }`;

/** Starts a writer and kills it in the middle of a document, after so many stored ones whose digests it returns. */
async function killWriter(root: string, storedBeforeKill: number): Promise<string[]> {
  const source = writerSource(new URL('./index.ts', import.meta.url).href);
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'half') acknowledged.push(line);
    else if (acknowledged.length < storedBeforeKill) child.stdin.write('go on\n');
    else child.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}

test('a writer killed midway leaves every acknowledged document whole and nothing half-written to read', async () => {
  const root = await freshRoot();
  const store = folderStore(root);
  const acknowledged: string[] = [];
  for (const stored of [0, 1, 3]) acknowledged.push(...(await killWriter(root, stored)));
  expect(acknowledged).toHaveLength(4);
  for (const digest of acknowledged) expect((await store.get(digest)).byteLength).toBe(48 * 64 * 1024);
  for await (const listed of store.list()) {
    expect((await store.get(listed.digest)).byteLength).toBe(listed.sizeBytes);
  }
  expect(await readdir(temporaryFolder(root))).toHaveLength(3);
  const rule = { referenced: async () => true, olderThanMs: 0, now: Date.now() + HOUR_MS };
  expect(await store.collectOrphans(rule)).toMatchObject({ removed: [], temporariesRemoved: 3 });
  expect(await readdir(temporaryFolder(root))).toEqual([]);
}, 60_000);
