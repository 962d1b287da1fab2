import type { Digest } from '@proviso/domain';
import type { EvidenceStore } from '@proviso/evidence';

/** Stores a JSON document and answers its address; it is durable before any verdict names it. */
export async function storeDocument(evidence: EvidenceStore, document: object): Promise<Digest> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
  const { digest } = await evidence.put(bytes, { mediaType: 'application/json' });
  return digest;
}
