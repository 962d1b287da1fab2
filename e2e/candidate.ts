import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { tarOf } from '@proviso/testkit';
import type { Door } from './door.ts';

/** A candidate's files by their paths, as the archive that is uploaded. */
export function packed(files: Readonly<Record<string, string | Buffer>>): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) }));
  return new Uint8Array(gzipSync(tarOf(entries), { level: 1 }));
}

/** Uploads a version of a prototype and gives the candidate's id. */
export async function uploadedCandidate(
  door: Door,
  version: { readonly prototype: string; readonly version: string; readonly archive: Uint8Array<ArrayBuffer> },
): Promise<string> {
  const form = new FormData();
  form.set('version', version.version);
  form.set('archive', new Blob([version.archive], { type: 'application/gzip' }), 'candidate.tar.gz');
  const path = `/v1/prototypes/${version.prototype}/candidates`;
  return (await door.post<{ candidate: { id: string } }>(path, form)).candidate.id;
}

/** Two cores under load; whatever nobody votes on comes to a stand within seconds on an idle machine. */
const standMsMax = 50_000;
const pollMs = 200;

/** Waits until a promotion goes on no more by itself; `seen` is given every answer on the way. */
export async function stoodStill<Shown extends { readonly state: string; readonly headline: string }>(
  door: Door,
  promotion: string,
  seen: (shown: Shown) => void = () => undefined,
): Promise<Shown> {
  const deadline = performance.now() + standMsMax;
  for (;;) {
    const shown = await door.get<Shown>(`/v1/promotions/${promotion}`);
    seen(shown);
    if (shown.state !== 'running' && shown.state !== 'queued') return shown;
    if (performance.now() > deadline)
      throw new Error(`expected ${promotion} to come to a stand, got ${shown.headline}`);
    await pause(pollMs);
  }
}
