import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** AES-256-GCM as node:crypto offers it. */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Notes that others keep for us, in a cookie or an address: nobody reads or changes them, and each purpose has a key of
 * its own. Nothing is stored here, so strangers who begin a thousand sign-ins fill no table.
 */
export interface SealedNotes<Note> {
  readonly seal: (note: Note) => string;
  /** Null for what is not ours, was changed, is for another purpose, or is over. */
  readonly open: (text: string) => Note | null;
}

/** What a note is for, how long it is good, and whose clock says so. */
export interface NoteOptions {
  readonly vaultKeyHex: string;
  readonly purpose: 'signing-in' | 'pairing' | 'slack-link';
  readonly validMs: number;
  readonly now: () => number;
}

/** Notes for one purpose. Their content is only ever our own JSON, so it is not looked at twice. */
export function sealedNotes<Note>({ vaultKeyHex, purpose, validMs, now }: NoteOptions): SealedNotes<Note> {
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(vaultKeyHex, 'hex'), '', `proviso ${purpose}`, 32));
  return {
    seal: (note) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const text = JSON.stringify({ note, until: now() + validMs });
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open: (text) => {
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length <= nonceBytes + tagBytes) return null;
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
        decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
        const { note, until } = JSON.parse(plain.toString('utf8')) as { note: Note; until: number };
        return until > now() ? note : null;
      } catch {
        return null;
      }
    },
  };
}
