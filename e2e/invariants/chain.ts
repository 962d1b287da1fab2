import { createHash } from 'node:crypto';
import type { Finding } from './finding.ts';
import { byStream, type Entry, type Snapshot } from './snapshot.ts';

/** Every stream is numbered without a gap or a fork, each entry names the one before by hash, and the row is the head. */
export function chainFindings({ entries, streams }: Snapshot): readonly Finding[] {
  const found: Finding[] = [];
  const rows = new Map(streams.map((row) => [`${row.kind}/${row.id}`, row]));
  const chains = byStream(entries);
  for (const [name, chain] of chains) {
    found.push(...linkFindings(name, chain));
    const last = chain.at(-1);
    const row = rows.get(name);
    if (row !== undefined && last !== undefined && (row.revision !== last.sseq || row.head !== last.hash)) {
      found.push(finding(name, `expected the row at ${last.sseq}, got ${row.revision}`));
    }
  }
  for (const row of rows.keys()) if (!chains.has(row)) found.push(finding(row, 'expected entries behind a row'));
  return found;
}

function linkFindings(name: string, chain: readonly Entry[]): readonly Finding[] {
  const found: Finding[] = [];
  let before = '0'.repeat(64);
  chain.forEach((entry, index) => {
    const { said } = entry;
    if (entry.sseq !== index + 1) found.push(finding(name, `expected number ${index + 1}, got ${entry.sseq}`));
    if (said.sseq !== entry.sseq || said.stream !== name)
      found.push(finding(name, `entry ${entry.id} says another place`));
    if (said.sprev !== before) found.push(finding(name, `entry ${entry.sseq} names another one before it`));
    const hash = createHash('sha256').update(entry.bytes).digest('hex');
    if (hash !== entry.hash) found.push(finding(name, `entry ${entry.sseq} has another hash than its bytes`));
    before = entry.hash;
  });
  return found;
}

function finding(subject: string, detail: string): Finding {
  return { invariant: 'chain', subject, detail };
}
