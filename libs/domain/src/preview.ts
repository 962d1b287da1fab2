import { type PersonId, isId } from './id.ts';

/** How long the link to a preview may be opened: long enough for a click, too short to be passed around. */
export const previewLinkMs = 5 * 60_000;
/** How long a person who opened it may look: a working day. */
export const previewSessionMs = 8 * 3_600_000;
/** How long an edge lets people look without hearing from the API who was shut out meanwhile. */
export const previewUnheardMs = 5 * 60_000;
/** Where a link is opened, on the host of the lane. */
export const previewPath = '/-proviso/preview';

/** Who may look at which host until when. A link is exchanged once for a session; neither passes for the other. */
export interface PreviewPass {
  readonly use: 'link' | 'session';
  readonly host: string;
  readonly person: PersonId;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** A link is known again by it. */
  readonly nonce: string;
}

/** Letters that stand in addresses and cookies as they are, and none of them the one between the fields. */
const form = /^(link|session)~([a-z0-9.-]{1,253})~(psn_[0-9a-f]{32})~(\d{1,15})~(\d{1,15})~([0-9a-f-]{36})$/;

/** What is signed: the fields in their one form. */
export function previewPassText({ use, host, person, issuedAt, expiresAt, nonce }: PreviewPass): string {
  return [use, host, person, issuedAt, expiresAt, nonce].join('~');
}

/** The pass of a text whose signature was found right; null when it is none. */
export function readPreviewPass(text: string): PreviewPass | null {
  const found = form.exec(text);
  if (found === null) return null;
  const [, use, host = '', person = '', issuedAt, expiresAt, nonce = ''] = found;
  if (!isId('psn', person)) return null;
  const kind = use === 'link' ? 'link' : 'session';
  return { use: kind, host, person, issuedAt: Number(issuedAt), expiresAt: Number(expiresAt), nonce };
}
