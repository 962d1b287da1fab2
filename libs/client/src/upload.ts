import type { Client } from './generated/client/types.gen.ts';
import { freezeCandidate } from './generated/sdk.gen.ts';

/** An archive on its way to become a candidate. */
export interface Upload {
  readonly client: Client;
  readonly prototype: string;
  readonly version: string;
  readonly archive: Blob;
  readonly filename?: string;
  /** The same key and archive again gives the same answer. */
  readonly idempotencyKey?: string;
}

/** Sends an archive as a form; the one call whose body is not JSON. */
export async function uploadCandidate(upload: Upload) {
  const { client, prototype: id, version, archive, filename = 'archive', idempotencyKey } = upload;
  const form = new FormData();
  form.append('version', version);
  form.append('archive', archive, filename);
  // Without a content type of ours, fetch writes the form's own with its boundary.
  const headers = {
    'Content-Type': null,
    ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
  };
  return freezeCandidate({
    client,
    path: { id },
    body: form as never,
    bodySerializer: (body: unknown) => body,
    headers,
  });
}
