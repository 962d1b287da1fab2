import { builtinPrincipals, type Digest, type PrototypeState, type WorkspaceId } from '@proviso/domain';
import type { FolderStore } from '@proviso/evidence';
import { fileDigest, readFrozen } from '@proviso/intake';
import type { Journal, Leadership, NamedEvidence, OutdatedArtifact, Reads, Weighed } from '@proviso/journal';
import type { Clock, Log } from '../ports.ts';

/** Orphans only cost room, so looking for them is rare. */
const everyMs = 3_600_000;
/** Longer than any upload, scan or canary: what was put before its entry commits must outlive the way to it. */
const graceMs = 24 * 3_600_000;
/** Rows read at once. */
const pageMax = 1_000;
/** Rows of each kind (tokens, sessions, prompts) that are removed in a round; what is left over waits an hour longer. */
const pastMax = 10_000;
/** A prototype has one or two open promotions; more than a page of them is one that is needed anyway. */
const openMax = 100;

/** What the collector needs. */
export interface CollectorPorts {
  readonly journal: Pick<Journal, 'submit' | 'reads'>;
  readonly evidence: FolderStore;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Lets go of the files of versions and of builds that nothing needs any more of tokens and sessions that have long
 * let nobody in and of prompts about what ended long ago, then removes documents that no entry of any workspace names, nor any manifest that an entry names. When one manifest cannot be read nothing is removed at all: what cannot be
 * told is kept.
 *
 * In two phases, so that nobody loses what they just froze: the entry `artifact_removed`, decided under the locks of all
 * who could need the files; an hour later at the earliest the files, and of those only what nobody has put again
 * meanwhile. If we die in between, the next round goes on from the entries.
 */
export function evidenceCollector(ports: CollectorPorts): (leadership: Leadership) => Promise<void> {
  const { evidence, clock, log } = ports;
  let dueAt = clock.now();
  return async (leadership) => {
    if (clock.now() < dueAt) return;
    dueAt = clock.now() + everyMs;
    await letGo(ports, leadership);
    const past = await leadership.sweepPast(pastMax);
    if (Object.values(past).some((gone) => gone > 0)) log.info({ ...past }, 'past.swept');
    const referenced = await referencedBy(leadership, evidence);
    const collected = await evidence.collectOrphans({ referenced, olderThanMs: graceMs, now: clock.now() });
    if (collected.removed.length > 0 || collected.temporariesRemoved > 0) {
      const { removed, removedBytes, temporariesRemoved } = collected;
      log.info({ removed: removed.length, removedBytes, temporariesRemoved }, 'evidence.collected');
    }
  };
}

/** The first phase. Each version is an entry of its own, and each workspace's sum one more. */
async function letGo(ports: CollectorPorts, leadership: Leadership): Promise<void> {
  const round = `collector/${leadership.epoch}/${ports.clock.now()}`;
  const sums = new Map<WorkspaceId, { artifacts: number; bytes: number }>();
  for await (const outdated of outdatedIn(leadership)) {
    const bytes = await removeArtifact(ports, outdated, round);
    if (bytes === null) continue;
    const sum = sums.get(outdated.workspace) ?? { artifacts: 0, bytes: 0 };
    sums.set(outdated.workspace, { artifacts: sum.artifacts + 1, bytes: sum.bytes + bytes });
  }
  for (const [workspace, sum] of sums) {
    await ports.journal.submit({
      ...asKeeper(workspace, `${round}/sweep`),
      command: { kind: 'RecordSweep', workspace, ...sum },
    });
    ports.log.info({ workspace, ...sum }, 'artifacts.let_go');
  }
}

/** Page by page to the end: what is needed stays in the list for good, and must not hide what comes behind it. */
async function* outdatedIn(leadership: Leadership): AsyncGenerator<OutdatedArtifact> {
  let page = await leadership.outdated(null, pageMax);
  while (page.length > 0) {
    yield* page;
    page = await leadership.outdated(page.at(-1) ?? null, pageMax);
  }
}

/** The bytes that were let go; null when a lane or a promotion still needs them. */
async function removeArtifact(
  { journal }: CollectorPorts,
  { workspace, prototype, digest, bytes }: OutdatedArtifact,
  round: string,
): Promise<number | null> {
  const reads = journal.reads(workspace);
  const state = (await reads.prototype(prototype))?.state;
  if (state === undefined || (await isNeeded(reads, state, digest))) return null;
  const receipt = await journal.submit({
    ...asKeeper(workspace, `${round}/${prototype}/${digest}`),
    command: { kind: 'RemoveArtifact', prototype, artifact: digest },
  });
  return receipt.kind === 'accepted' && receipt.entries.length > 0 ? bytes : null;
}

/** The same question as the journal's, without its locks: it keeps a refusal an hour and version out of the journal. */
async function isNeeded(reads: Reads, { id, lanes }: PrototypeState, digest: Digest): Promise<boolean> {
  const placed = await Promise.all([reads.lane(lanes.staging), reads.lane(lanes.production)]);
  const releases = placed.flatMap((lane) => [lane?.state.stable, lane?.state.previous, lane?.state.canary]);
  if (releases.some((release) => release?.artifact === digest || release?.source === digest)) return true;
  const open = await reads.promotions({ prototype: id, open: true, limit: openMax });
  return open.items.some(({ state }) => state.candidate.manifest.artifact === digest || state.built === digest);
}

function asKeeper(workspace: WorkspaceId, idempotencyKey: string) {
  return { workspace, actor: builtinPrincipals.keeper.id, idempotencyKey, authn: 'service/worker' };
}

/** What has to stay, and on the way what it weighs: the limits of a workspace go by that. */
async function referencedBy(leadership: Leadership, evidence: FolderStore): Promise<ReadonlySet<Digest>> {
  const sizes = new Map<string, number>();
  for await (const { digest, sizeBytes } of evidence.list()) sizes.set(digest, sizeBytes);
  const referenced = new Set<Digest>();
  let after = '';
  for (
    let page = await leadership.evidence(after, pageMax);
    page.length > 0;
    page = await leadership.evidence(after, pageMax)
  ) {
    const weighed: Weighed[] = [];
    for (const named of page) {
      const { digests, filesBytes } = await within(named, evidence);
      for (const digest of digests) referenced.add(digest);
      weighed.push({ digest: named.digest, bytes: sizes.get(named.digest) ?? 0, filesBytes });
    }
    await leadership.weigh(weighed);
    after = page.at(-1)?.digest ?? after;
  }
  return referenced;
}

/** A document, and when it is the manifest of an artifact that somebody keeps also every file of it. */
async function within(
  { kind, digest, filesGone }: NamedEvidence,
  evidence: FolderStore,
): Promise<{ readonly digests: readonly Digest[]; readonly filesBytes: number | null }> {
  if (kind !== 'artifact' || filesGone) return { digests: [digest], filesBytes: null };
  const { files } = await readFrozen(evidence, digest);
  const filesBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { digests: [digest, ...files.map(fileDigest)], filesBytes };
}
