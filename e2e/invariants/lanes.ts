import type { Finding, InvariantName } from './finding.ts';
import { byStream, type Entry, type Snapshot } from './snapshot.ts';

/** A release as lane entries name it. */
export interface Release {
  readonly id: string;
  readonly promotion: string;
  readonly artifact: string;
}

/** A lane's row, the part that is checked. */
export interface LaneRow {
  readonly id: string;
  readonly environment: string;
  readonly host: string;
  readonly stable: Release | null;
  readonly canary: Release | null;
  readonly weight: number;
  readonly fence: { readonly incarnation: number; readonly counter: number };
  readonly owner: string | null;
}

interface LaneTold {
  weight: number;
  incarnation: number;
  counter: number;
  owner: string | null;
  stable: Release | null;
  previous: Release | null;
  canary: Release | null;
}

type Say = (invariant: InvariantName, entry: Entry, detail: string) => void;

/** I5 and I3 about lanes: told once more from their entries, compared with their rows and with the promotions' rows. */
export function laneFindings(snapshot: Snapshot): readonly Finding[] {
  const found: Finding[] = [];
  const artifactAt = artifactsOf(snapshot.entries);
  for (const [name, chain] of byStream(snapshot.entries)) {
    if (!name.startsWith('lane/')) continue;
    const told: LaneTold = {
      ...{ weight: 0, incarnation: 1, counter: 0, owner: null },
      ...{ stable: null, previous: null, canary: null },
    };
    const say: Say = (invariant, entry, detail) =>
      found.push({ invariant, subject: name, detail: `entry ${entry.sseq}, ${entry.kind}: ${detail}` });
    for (const entry of chain) tell(told, { entry, artifactAt, say });
    const row = lanesOf(snapshot).find(({ id }) => `lane/${id}` === name);
    if (row !== undefined) found.push(...rowFindings(name, told, row));
  }
  return [...found, ...endedFindings(snapshot)];
}

/** The rows of all lanes. */
export function lanesOf({ streams }: Snapshot): readonly LaneRow[] {
  return streams.flatMap(({ kind, state }) => (kind === 'lane' && state !== null ? [state as unknown as LaneRow] : []));
}

/** The artifact that alone may be deployed for a promotion at an entry: what its opening fixed or its last build made. */
type ArtifactAt = (promotion: string, at: Entry) => string | undefined;

function artifactsOf(entries: readonly Entry[]): ArtifactAt {
  const made = entries.flatMap(({ kind, id, streamId, said }) => {
    const body = said.body as { candidate: { manifest: { artifact: string } }; artifact: string };
    if (kind === 'promotion_opened') return [{ id, streamId, artifact: body.candidate.manifest.artifact }];
    return kind === 'artifact_built' ? [{ id, streamId, artifact: body.artifact }] : [];
  });
  return (promotion, at) => made.findLast((one) => one.streamId === promotion && one.id < at.id)?.artifact;
}

interface At {
  readonly entry: Entry;
  readonly artifactAt: ArtifactAt;
  readonly say: Say;
}

function tell(told: LaneTold, { entry, artifactAt, say }: At): void {
  const { body } = entry.said;
  switch (entry.kind) {
    case 'lane_acquired':
      if (told.owner !== null) say('I5', entry, 'expected a free lane');
      told.owner = String(body.promotion);
      return;
    case 'lane_released':
      if (told.owner === body.promotion) told.owner = null;
      if (told.owner === null && told.weight % 100 !== 0)
        say('I5', entry, `expected no share left, got ${told.weight}`);
      return;
    case 'release_deployed': {
      const release = body.release as Release;
      if (release.artifact !== artifactAt(release.promotion, entry))
        say('I3', entry, 'expected the artifact of the candidate');
      if (release.promotion !== told.owner) say('I5', entry, 'expected a release of the owner');
      return moved(told, { canary: release, weight: 0 });
    }
    case 'weight_set':
      if (Number(body.percent) > 0 && (told.owner === null || told.canary === null))
        say('I5', entry, 'expected an owner and a canary for a share');
      return moved(told, { weight: Number(body.percent) });
    case 'release_settled':
      return moved(told, { previous: told.stable, stable: told.canary, canary: null, weight: 0 });
    case 'release_withdrawn':
      return moved(told, { canary: null, weight: 0 });
    case 'release_retired':
      return moved(told, { stable: null, previous: null, canary: null, weight: 0 });
    case 'stable_restored':
      return moved(told, { stable: body.release as Release | null, previous: null, canary: null, weight: 0 });
    case 'incarnation_raised':
      return raised(told, entry, say);
    default:
  }
}

function raised(told: LaneTold, entry: Entry, say: Say): void {
  const { incarnation, counter } = entry.said.body.fence as LaneRow['fence'];
  if (incarnation <= told.incarnation || counter <= told.counter)
    say('I4', entry, `expected a fence above ${told.incarnation}.${told.counter}, got ${incarnation}.${counter}`);
  Object.assign(told, { incarnation, counter });
}

function moved(told: LaneTold, change: Partial<LaneTold>): void {
  Object.assign(told, change);
  told.counter += 1;
}

function rowFindings(subject: string, told: LaneTold, row: LaneRow): readonly Finding[] {
  const found: Finding[] = [];
  const expect = (invariant: InvariantName, what: string, both: readonly [unknown, unknown]): void => {
    if (both[0] === both[1]) return;
    found.push({ invariant, subject, detail: `${what}: the entries say ${both[0]}, the row says ${both[1]}` });
  };
  expect('I4', 'incarnation', [told.incarnation, row.fence.incarnation]);
  expect('I4', 'fence', [told.counter, row.fence.counter]);
  expect('I5', 'weight', [told.weight, row.weight]);
  expect('I5', 'owner', [told.owner, row.owner]);
  expect('I3', 'stable', [told.stable?.artifact, row.stable?.artifact]);
  expect('I3', 'canary', [told.canary?.artifact, row.canary?.artifact]);
  return found;
}

/** A promotion that has ended has no share of its own left, and one that went live is what it says. */
function endedFindings(snapshot: Snapshot): readonly Finding[] {
  const lanes = lanesOf(snapshot);
  return snapshot.streams.flatMap(({ kind, id, state }): readonly Finding[] => {
    if (kind !== 'promotion' || state === null || state.outcome === null) return [];
    const { weight, outcome } = state as { weight: number; outcome: string };
    const holding = lanes.filter((lane) => lane.owner === id || (lane.canary?.promotion === id && lane.weight > 0));
    const left = holding.filter(({ environment }) => environment === 'production').map((lane) => lane.id);
    const found: Finding[] = [];
    const subject = `promotion/${id}`;
    if (weight !== (outcome === 'live' ? 100 : 0)) {
      found.push({ invariant: 'I5', subject, detail: `${outcome} with weight ${weight}` });
    }
    if (left.length > 0) found.push({ invariant: 'I5', subject, detail: `${outcome} and still in ${left.join(', ')}` });
    return found;
  });
}
