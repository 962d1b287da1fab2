import { chainFindings } from './invariants/chain.ts';
import { acknowledgementFindings, type Acknowledgement } from './invariants/acknowledgement.ts';
import { digestFindings } from './invariants/digests.ts';
import type { Finding } from './invariants/finding.ts';
import { laneFindings } from './invariants/lanes.ts';
import { readSnapshot, type Snapshot } from './invariants/snapshot.ts';
import { storyFindings } from './invariants/story.ts';
import { readWorld, worldFindings, type WorldOrder } from './invariants/world.ts';

/** What is checked: the database as its superuser sees it, the documents, and what clients were told. */
export interface CheckOrder {
  readonly databaseUrl: string;
  readonly evidenceFolder: string;
  readonly acknowledged: readonly Acknowledgement[];
  /** Since when there is a worker and a database to sequence; null while there is not. */
  readonly sequencedSinceMs: number | null;
}

/** What came of a check; the numbers say that there was something to check. */
export interface CheckResult {
  readonly findings: readonly Finding[];
  readonly entries: number;
  readonly promotions: number;
  readonly reports: number;
  readonly acknowledged: number;
}

/**
 * Checks everything that must hold at any instant: the chain, I1 to I4, and what I5 says about the rows. It shares no code
 * with the product; it reads the entries and folds them with a few lines of its own.
 */
export async function checkJournal(order: CheckOrder): Promise<CheckResult> {
  const snapshot = await readSnapshot(order.databaseUrl);
  const findings = [
    ...chainFindings(snapshot),
    ...acknowledgementFindings(snapshot, order),
    ...storyFindings(snapshot),
    ...laneFindings(snapshot),
    ...(await digestFindings(snapshot, order.evidenceFolder)),
  ];
  return { findings, ...sizesOf(snapshot), acknowledged: order.acknowledged.length };
}

/** How long edges, Temporal and rows may disagree: the reconciler looks every 10 s at what rested for 30. */
const agreementMsMax = 60_000;
const againMs = 1_000;

/**
 * Checks what the world must come to within a minute of any crash: I5 at the edge, I7 and I10. What was found in every
 * look until the bound is a violation; what passed was a lag.
 */
export async function checkWorld(order: WorldOrder, patienceMs = agreementMsMax): Promise<readonly Finding[]> {
  const deadline = Date.now() + patienceMs;
  let lasting: readonly Finding[] | null = null;
  for (;;) {
    const world = await readWorld(order);
    // Read last: whatever the edge served a moment ago was decided before this.
    const snapshot = await readSnapshot(order.databaseUrl);
    const found = worldFindings(snapshot, world);
    const instant = found.filter((finding) => finding.lasting === false);
    if (instant.length > 0) return instant;
    const keys = new Set(found.map(keyOf));
    lasting = lasting === null ? found : lasting.filter((finding) => keys.has(keyOf(finding)));
    if (lasting.length === 0) return [];
    if (Date.now() > deadline) return lasting;
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

function keyOf({ invariant, subject, detail }: Finding): string {
  return `${invariant} ${subject} ${detail}`;
}

function sizesOf({ entries }: Snapshot): Pick<CheckResult, 'entries' | 'promotions' | 'reports'> {
  return {
    entries: entries.length,
    promotions: entries.filter(({ kind }) => kind === 'promotion_opened').length,
    reports: entries.filter(({ kind }) => kind === 'gate_reported').length,
  };
}
