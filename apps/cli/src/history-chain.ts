import { createHash } from 'node:crypto';
import type { ChainedEntry } from './reading.ts';

/** What could be proven about a stream without trusting the server's word for it. */
export type ChainFinding =
  | { readonly kind: 'whole'; readonly entries: number }
  | { readonly kind: 'broken'; readonly sequence: number; readonly why: string }
  /** The server did not send the bytes, so nothing was proven. Never counts as whole. */
  | { readonly kind: 'unproven'; readonly why: string };

/** The link of a stream's first entry. */
const genesis = '0'.repeat(64);

/** Re-computes the hash chain of one stream: each entry's bytes hash to its hash and name the hash before. */
export function verifyChain(entries: readonly ChainedEntry[]): ChainFinding {
  let before = genesis;
  for (const [index, entry] of entries.entries()) {
    const broken = (why: string): ChainFinding => ({ kind: 'broken', sequence: entry.sequence, why });
    if (entry.bytes === undefined) return { kind: 'unproven', why: 'the server did not send the bytes of the entries' };
    const hash = createHash('sha256').update(entry.bytes, 'utf8').digest('hex');
    if (hash !== bare(entry.hash)) return broken('its bytes do not have its hash');
    const told = parsed(entry.bytes);
    if (told === null) return broken('its bytes are no JSON object');
    if (told.sseq !== index + 1 || entry.sequence !== index + 1)
      return broken(`expected entry ${index + 1}, got ${entry.sequence}`);
    if (told.sprev !== before) return broken('it does not name the hash of the entry before');
    if (told.kind !== entry.kind) return broken('what is shown is not what was hashed');
    before = hash;
  }
  return { kind: 'whole', entries: entries.length };
}

/** The finding in words. */
export function chainWords(finding: ChainFinding): string {
  switch (finding.kind) {
    case 'whole':
      return `hash chain verified here: ${finding.entries} entries, none changed, none missing between them`;
    case 'broken':
      return `HASH CHAIN BROKEN at entry ${finding.sequence}: ${finding.why}`;
    case 'unproven':
      return `hash chain not verified: ${finding.why}`;
  }
}

function bare(hash: string): string {
  return hash.replace(/^sha256:/, '');
}

function parsed(bytes: string): { sseq?: unknown; sprev?: unknown; kind?: unknown } | null {
  try {
    const value: unknown = JSON.parse(bytes);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
