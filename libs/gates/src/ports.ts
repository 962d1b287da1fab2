/** Where a gate stores what its verdict rests on; the store of `@proviso/evidence` fits. */
export interface EvidencePort {
  put(bytes: Uint8Array, options?: { readonly mediaType?: string }): Promise<{ readonly digest: `sha256:${string}` }>;
}

/** What a gate sends over HTTP. Redirects are never followed: a release may not send a gate elsewhere. */
export interface HttpInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
}

/** The part of an answer that gates read. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** The global `fetch` fits; so does a client that goes through a sandbox's socket. */
export type HttpFetch = (url: string, init: HttpInit) => Promise<HttpAnswer>;

/** Stores one JSON document with stable key order as given. Whoever calls has stripped the secrets. */
export async function putJson(evidence: EvidencePort, document: object): Promise<`sha256:${string}`> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
  const stored = await evidence.put(bytes, { mediaType: 'application/json' });
  return stored.digest;
}
