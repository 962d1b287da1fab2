import { createHmac, randomUUID } from 'node:crypto';
import { type PersonId, previewLinkMs, previewPassText, previewPath } from '@proviso/domain';
import type { Config } from './config.ts';
import { Problem } from './problem.ts';

/** What a link needs of the settings: the key that edges share, and where people reach them. */
export type PreviewConfig = Pick<Config, 'previewKeyHex' | 'edgePublicUrl'>;

/** Whether this deployment can give links at all. */
export function hasPreviews({ previewKeyHex, edgePublicUrl }: PreviewConfig): boolean {
  return previewKeyHex !== null && edgePublicUrl !== null;
}

/**
 * A link for one person to one staging host, good once and for five minutes. Nothing is kept: the edge believes the
 * signature, and remembers which links it has opened.
 */
export function previewLink(
  { previewKeyHex, edgePublicUrl }: PreviewConfig,
  { host, person, now }: { readonly host: string; readonly person: PersonId; readonly now: number },
): { readonly url: string; readonly expiresAt: number } {
  if (previewKeyHex === null || edgePublicUrl === null)
    throw new Problem('preview_unavailable', 'expected previews to be set up: an operator sets their key and address');
  const expiresAt = now + previewLinkMs;
  const text = previewPassText({ use: 'link', host, person, issuedAt: now, expiresAt, nonce: randomUUID() });
  const signature = createHmac('sha256', Buffer.from(previewKeyHex, 'hex')).update(text).digest('hex');
  const url = new URL(previewPath, edgePublicUrl);
  url.hostname = host;
  return { url: `${url.href}?token=${text}~${signature}`, expiresAt };
}
