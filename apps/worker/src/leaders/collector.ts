import type { Digest, EvidenceRef } from '@proviso/domain';
import type { FolderStore } from '@proviso/evidence';
import { fileDigest, readFrozen } from '@proviso/intake';
import type { Leadership } from '@proviso/journal';
import type { Clock, Log } from '../ports.ts';

/** Orphans only cost room, so looking for them is rare. */
const everyMs = 3_600_000;
/** Longer than any upload, scan or canary: what was put before its entry commits must outlive the way to it. */
const graceMs = 24 * 3_600_000;
/** Rows read at once. */
const pageMax = 1_000;

/** What the collector needs. */
export interface CollectorPorts {
  readonly evidence: FolderStore;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Removes documents that no entry of any workspace names, nor any manifest that an entry names. When one manifest cannot
 * be read nothing is removed at all: what cannot be told is kept.
 */
export function evidenceCollector({ evidence, clock, log }: CollectorPorts): (leadership: Leadership) => Promise<void> {
  let dueAt = clock.now();
  return async (leadership) => {
    if (clock.now() < dueAt) return;
    dueAt = clock.now() + everyMs;
    const referenced = await referencedBy(leadership, evidence);
    const collected = await evidence.collectOrphans({ referenced, olderThanMs: graceMs, now: clock.now() });
    if (collected.removed.length > 0 || collected.temporariesRemoved > 0) {
      const { removed, removedBytes, temporariesRemoved } = collected;
      log.info({ removed: removed.length, removedBytes, temporariesRemoved }, 'evidence.collected');
    }
  };
}

async function referencedBy(
  leadership: Leadership,
  evidence: CollectorPorts['evidence'],
): Promise<ReadonlySet<Digest>> {
  const referenced = new Set<Digest>();
  let after = '';
  for (
    let page = await leadership.evidence(after, pageMax);
    page.length > 0;
    page = await leadership.evidence(after, pageMax)
  ) {
    for (const named of page) for (const digest of await within(named, evidence)) referenced.add(digest);
    after = page.at(-1)?.digest ?? after;
  }
  return referenced;
}

/** A document, and when it is the manifest of an artifact also every file of it. */
async function within({ kind, digest }: EvidenceRef, evidence: CollectorPorts['evidence']): Promise<readonly Digest[]> {
  if (kind !== 'artifact') return [digest];
  const { files } = await readFrozen(evidence, digest);
  return [digest, ...files.map(fileDigest)];
}
