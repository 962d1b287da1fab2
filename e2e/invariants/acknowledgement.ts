import type { Finding } from './finding.ts';
import type { Entry, Snapshot } from './snapshot.ts';

/** A change of which a client was told that it is recorded. */
export interface Acknowledgement {
  readonly person: string;
  readonly keyHash: string;
  readonly entries: readonly number[];
  readonly decision: string | null;
}

/** A living sequencer needs milliseconds; with both cores busy, and just after a restart, some seconds. */
const positionMsMax = 15_000;

/** I1: what was acknowledged is there exactly once, and each decision has one entry with one position. */
export function acknowledgementFindings(
  snapshot: Snapshot,
  order: { readonly acknowledged: readonly Acknowledgement[]; readonly sequencedSinceMs: number | null },
): readonly Finding[] {
  return [
    ...order.acknowledged.flatMap((told) => toldFindings(snapshot, told)),
    ...decisionFindings(snapshot),
    ...positionFindings(snapshot, order.sequencedSinceMs),
  ];
}

function toldFindings({ entries }: Snapshot, told: Acknowledgement): readonly Finding[] {
  const found: Finding[] = [];
  const say = (detail: string): void => {
    found.push({ invariant: 'I1', subject: told.decision ?? `key ${told.keyHash.slice(0, 12)}`, detail });
  };
  // Entries are ordered by id, and ids are what the answer named.
  for (const id of told.entries) {
    const here = entries.filter((entry) => entry.id === id);
    if (here.length !== 1) say(`expected the acknowledged entry ${id} once, got it ${here.length} times`);
    if (here.some((entry) => entry.said.idem !== told.keyHash)) say(`expected entry ${id} under the key that was sent`);
  }
  if (told.decision === null) return found;
  const recorded = entries.filter((entry) => decisionOf(entry)?.id === told.decision);
  if (recorded.length !== 1) say(`expected the acknowledged decision once, got it ${recorded.length} times`);
  return found;
}

function decisionFindings({ entries, streams }: Snapshot): readonly Finding[] {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const decision = decisionOf(entry);
    if (decision !== null) counts.set(decision.id, (counts.get(decision.id) ?? 0) + 1);
  }
  const stored = streams.flatMap((row) => (row.kind === 'promotion' ? decisionsIn(row.state) : []));
  const missing = stored.filter((id) => counts.get(id) !== 1);
  const extra = [...counts.keys()].filter((id) => !stored.includes(id));
  const twice = stored.filter((id, index) => stored.indexOf(id) !== index);
  return [...missing, ...extra, ...twice].map(
    (subject): Finding => ({ invariant: 'I1', subject, detail: 'expected one entry for one decision' }),
  );
}

function positionFindings({ entries, leaves, nowMs }: Snapshot, since: number | null): readonly Finding[] {
  const found: Finding[] = [];
  leaves.forEach((index, place) => {
    if (index !== place) found.push(positioned(`leaf ${index}`, `expected position ${place}`));
  });
  for (const { id, position, pending, atMs } of entries) {
    if ((position === null) !== pending) found.push(positioned(`entry ${id}`, 'expected a position or to be pending'));
    if (since !== null && pending && nowMs - Math.max(atMs, since) > positionMsMax) {
      found.push(positioned(`entry ${id}`, `expected a position within ${positionMsMax} ms`));
    }
  }
  return found;
}

function positioned(subject: string, detail: string): Finding {
  return { invariant: 'I1', subject, detail };
}

function decisionOf({ kind, said }: Entry): { readonly id: string } | null {
  return kind === 'decision_recorded' ? (said.body.decision as { id: string }) : null;
}

function decisionsIn(state: Readonly<Record<string, unknown>> | null): readonly string[] {
  const gates = (state?.gates ?? []) as readonly { readonly decisions: readonly { readonly id: string }[] }[];
  return gates.flatMap((gate) => gate.decisions.map(({ id }) => id));
}
