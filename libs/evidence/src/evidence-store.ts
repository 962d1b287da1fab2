import type { Readable } from 'node:stream';
import type { Digest } from './digest.ts';

/** What may be put: bytes in memory, or anything that yields chunks, such as a request body or a file stream. */
export type EvidenceContent = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * How to put a document. The media type is a hint for stores that serve documents themselves; it is no part of the
 * address, and a store may forget it, so whoever needs it records it beside the digest.
 */
export type PutOptions = { readonly mediaType?: string; readonly sizeMaxBytes?: number };

/** The address and size of a document that is durable: it survives a crash that happens after `put` has answered. */
export type StoredEvidence = { readonly digest: Digest; readonly sizeBytes: number };

/** One line of `list`; the time is when the document was last put, which is what the grace period counts from. */
export type ListedEvidence = StoredEvidence & { readonly storedAtMs: number };

/**
 * A store of documents addressed by their SHA-256. Whoever can write to the storage behind it is not trusted: every read
 * is hashed again. An adapter passes `evidenceStoreContract`, whatever it stores on.
 */
export type EvidenceStore = {
  /** Stores and answers only when durable. Putting the same content again is harmless and renews its age. */
  put(content: EvidenceContent, options?: PutOptions): Promise<StoredEvidence>;
  /** The whole document, checked against its digest; `evidence_corrupt` when the bytes are not the ones that were put. */
  get(digest: string, options?: { readonly sizeMaxBytes?: number }): Promise<Uint8Array>;
  /** The document as a stream that fails with `evidence_corrupt` before its end; believe nothing until it has ended. */
  open(digest: string): Promise<Readable>;
  has(digest: string): Promise<boolean>;
  /** Every stored document once, in order of digest, for collection and audits. */
  list(): AsyncIterable<ListedEvidence>;
  /** Removes a document and tells whether it was there. Only collection and erasure call this. */
  remove(digest: string): Promise<boolean>;
};

/** The default cap of one document, equal to the largest archive that intake accepts, which is the largest thing kept. */
export const EVIDENCE_BYTES_MAX = 100 * 1024 * 1024;
