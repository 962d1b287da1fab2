import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { JournalFailure } from '../failure.ts';

/** AES-256-GCM as node:crypto offers it: 12 bytes of nonce, 16 of tag. */
const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts under a 32-byte key; nonce, tag and ciphertext in one buffer. */
export function seal(key: Buffer, plain: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Decrypts; a wrong key or a changed byte is a failure, never garbage. */
export function unseal(key: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes));
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
  } catch (error) {
    throw new JournalFailure(
      'vault_unreadable',
      'expected the vault key that this database was sealed with, got another',
      error,
    );
  }
}

/** A commitment that tells nothing about a short text: a random salt is sealed beside it. */
export function commit(text: string): { readonly sealedText: Buffer; readonly commitment: string } {
  const salt = randomBytes(16);
  const sealedText = Buffer.from(JSON.stringify({ salt: salt.toString('hex'), text }));
  return { sealedText, commitment: `sha256:${createHash('sha256').update(salt).update(text).digest('hex')}` };
}
