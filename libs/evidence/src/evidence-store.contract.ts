import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { expectFailure } from './expect-failure.contract.ts';
import type { EvidenceStore } from './evidence-store.ts';

/** What an adapter brings to the contract: a fresh store, and a way to damage a stored document behind its back. */
export type EvidenceStoreSubject = {
  readonly store: EvidenceStore;
  readonly tamper: (digest: string, bytes: Uint8Array) => Promise<void>;
};

/** The promises of `EvidenceStore`, run by the test of every adapter against the real thing. */
export function evidenceStoreContract(fresh: () => Promise<EvidenceStoreSubject>): void {
  describe('keeps what was put', () => {
    keepsWhatWasPut(fresh);
  });
  describe('trusts nothing it reads', () => {
    trustsNothingItReads(fresh);
  });
  describe('holds its bounds', () => {
    holdsItsBounds(fresh);
  });
}

function keepsWhatWasPut(fresh: () => Promise<EvidenceStoreSubject>): void {
  test('under the SHA-256 of its bytes, whole or in chunks', async () => {
    const { store } = await fresh();
    const whole = await store.put(text('a report'), { mediaType: 'text/plain' });
    const chunked = await store.put(chunks('a ', '', 'report'));
    expect(whole).toEqual({ digest: `sha256:${sha256('a report')}`, sizeBytes: 8 });
    expect(chunked).toEqual(whole);
    expect(await store.get(whole.digest)).toEqual(Buffer.from('a report'));
    expect(await readAll(await store.open(whole.digest))).toEqual(Buffer.from('a report'));
  });

  test('even when it is empty', async () => {
    const { store } = await fresh();
    const { digest, sizeBytes } = await store.put(new Uint8Array());
    expect(sizeBytes).toBe(0);
    expect((await store.get(digest)).byteLength).toBe(0);
    expect((await readAll(await store.open(digest))).byteLength).toBe(0);
  });

  test('once, when many put the same at the same time', async () => {
    const { store } = await fresh();
    const answers = await Promise.all(Array.from({ length: 20 }, () => store.put(chunks('same', ' bytes'))));
    expect(new Set(answers.map((answer) => answer.digest)).size).toBe(1);
    expect(await listed(store)).toEqual([answers[0]?.digest]);
  });

  test('and lists it in order until it is removed', async () => {
    const { store } = await fresh();
    const digests = [];
    for (const word of ['one', 'two', 'three']) digests.push((await store.put(text(word))).digest);
    expect(await listed(store)).toEqual(digests.toSorted());
    expect(await store.remove(digests[0] ?? '')).toBe(true);
    expect(await store.remove(digests[0] ?? '')).toBe(false);
    expect(await store.has(digests[0] ?? '')).toBe(false);
    expect(await listed(store)).toEqual(digests.slice(1).toSorted());
  });
}

function trustsNothingItReads(fresh: () => Promise<EvidenceStoreSubject>): void {
  test.each([
    ['changed', 'a rep0rt'],
    ['truncated', 'a rep'],
    ['lengthened', 'a report and more'],
    ['emptied', ''],
  ])('and calls a %s document corrupt', async (_how, damaged) => {
    const { store, tamper } = await fresh();
    const { digest } = await store.put(text('a report'));
    await tamper(digest, text(damaged));
    await expectFailure(store.get(digest), 'evidence_corrupt');
    await expectFailure(store.open(digest).then(readAll), 'evidence_corrupt');
  });

  test('and heals a corrupt document when the right bytes are put again', async () => {
    const { store, tamper } = await fresh();
    const { digest } = await store.put(text('a report'));
    await tamper(digest, text('lies'));
    await store.put(text('a report'));
    expect(await store.get(digest)).toEqual(Buffer.from('a report'));
  });

  test('and never withholds that a large document was damaged in its middle', async () => {
    const { store, tamper } = await fresh();
    const bytes = new Uint8Array(300_000).fill(7);
    const { digest } = await store.put(bytes);
    await tamper(digest, bytes.with(150_000, 8));
    await expectFailure(store.open(digest).then(readAll), 'evidence_corrupt');
  });

  test.each([
    ['../../etc/passwd'],
    [`sha256:${'A'.repeat(64)}`],
    [`sha256:${'a'.repeat(63)}/`],
    [`sha512:${'a'.repeat(64)}`],
    [''],
  ])('and refuses %j as a digest', async (digest) => {
    const { store } = await fresh();
    await expectFailure(store.get(digest), 'digest_malformed');
    await expectFailure(store.open(digest), 'digest_malformed');
    await expectFailure(store.has(digest), 'digest_malformed');
    await expectFailure(store.remove(digest), 'digest_malformed');
  });
}

function holdsItsBounds(fresh: () => Promise<EvidenceStoreSubject>): void {
  test('and says that a document is missing', async () => {
    const { store } = await fresh();
    const digest = `sha256:${sha256('never put')}`;
    expect(await store.has(digest)).toBe(false);
    await expectFailure(store.get(digest), 'evidence_missing');
    await expectFailure(store.open(digest).then(readAll), 'evidence_missing');
  });

  test('and accepts a document of exactly the cap but none of one byte more', async () => {
    const { store } = await fresh();
    expect((await store.put(chunks('12', '34'), { sizeMaxBytes: 4 })).sizeBytes).toBe(4);
    await expectFailure(store.put(chunks('12', '345'), { sizeMaxBytes: 4 }), 'evidence_too_large');
    expect(await store.has(`sha256:${sha256('12345')}`)).toBe(false);
  });

  test('and stops reading an endless source at the cap, closing it', async () => {
    const { store } = await fresh();
    const source = endless();
    await expectFailure(store.put(source.chunks(), { sizeMaxBytes: 10_000 }), 'evidence_too_large');
    expect(source.given()).toBeLessThanOrEqual(12);
    expect(source.closed()).toBe(true);
  });

  test('and hands back the very error of a source that breaks, storing nothing', async () => {
    const { store } = await fresh();
    const error = new Error('the client went away');
    await expect(store.put(breaking(error))).rejects.toBe(error);
    expect(await listed(store)).toEqual([]);
  });

  test('and refuses to load more than the reader allows', async () => {
    const { store } = await fresh();
    const { digest } = await store.put(text('a report'));
    await expectFailure(store.get(digest, { sizeMaxBytes: 7 }), 'evidence_too_large');
    expect((await store.get(digest, { sizeMaxBytes: 8 })).byteLength).toBe(8);
  });
}

async function listed(store: EvidenceStore): Promise<string[]> {
  const digests = [];
  for await (const { digest } of store.list()) digests.push(digest);
  return digests;
}

async function readAll(stream: Readable): Promise<Buffer> {
  const read = [];
  for await (const chunk of stream) read.push(chunk);
  return Buffer.concat(read);
}

async function* chunks(...words: string[]): AsyncGenerator<Uint8Array> {
  for (const word of words) yield text(word);
}

async function* breaking(error: Error): AsyncGenerator<Uint8Array> {
  yield text('half');
  throw error;
}

function endless() {
  let given = 0;
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      while (true) {
        given += 1;
        yield new Uint8Array(1000);
      }
    } finally {
      closed = true;
    }
  }
  return { chunks: source, given: () => given, closed: () => closed };
}

function text(word: string): Uint8Array {
  return new TextEncoder().encode(word);
}

function sha256(word: string): string {
  return createHash('sha256').update(word).digest('hex');
}
