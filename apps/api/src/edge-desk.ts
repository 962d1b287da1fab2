import { readingRoles } from '@proviso/authority';
import {
  type Digest,
  type PrototypeState,
  type Release,
  configurationOf,
  leaseMs,
  needsLease,
  previewLinkMs,
  previewSessionMs,
  runOrderOf,
} from '@proviso/domain';
import type { FolderStore } from '@proviso/evidence';
import { contractFileName, readContractFile } from '@proviso/gates';
import { type Manifest, fileDigest, readFrozen, readFrozenFile } from '@proviso/intake';
import type { EdgeLane } from '@proviso/journal';
import { boundedMap } from './bounded-map.ts';
import type { Caller } from './caller.ts';
import type { EdgeReport } from './edge-report.ts';
import { type Logger, breakageOf } from './log.ts';
import type { EdgeOrdersResource } from './resources.ts';
import type { ReleaseOrderResource } from './edge-orders-shape.ts';
import type { RestoredLanes } from './restored-lanes.ts';

/** Contracts and manifests kept in memory; a lane has two at a time, so this serves some hundred lanes without a read. */
const keptMax = 500;

/** Candidates whose manifests are searched for one file; older ones were fetched long ago. */
const searchedMax = 500;

/** Files that were found to belong to a workspace: those of some dozen candidates of ordinary size. */
const permittedMax = 100_000;

/** Manifests that an edge may ask for; older ones than so many are in no lane any more. */
const artifactsMax = 10_000;

type RunContract = ReleaseOrderResource['contract'];
type LaneOrder = EdgeOrdersResource['lanes'][number];

/** What edges are told, and which documents they may fetch. */
export interface EdgeDesk {
  /** Answers a report; a lane whose row is behind what the edge has seen is raised before. */
  readonly orders: (caller: Caller, report: EdgeReport) => Promise<EdgeOrdersResource>;
  /** True for the manifests of this workspace's candidates and for the files in them. */
  readonly mayFetch: (caller: Pick<Caller, 'workspace' | 'reads'>, digest: Digest) => Promise<boolean>;
}

interface Ports {
  readonly store: FolderStore;
  readonly restored: RestoredLanes;
  readonly log: Logger;
}

/** Everything kept is addressed by digest, so nothing in here can grow old. */
export function openEdgeDesk({ store, restored, log }: Ports): EdgeDesk {
  const contracts = boundedMap<Digest, RunContract>(keptMax);
  const manifests = boundedMap<Digest, Manifest>(keptMax);
  const permitted = boundedMap<string, true>(permittedMax);
  const told = boundedMap<Digest, true>(keptMax);
  const manifestOf = async (artifact: Digest): Promise<Manifest> => {
    const manifest = manifests.get(artifact) ?? (await readFrozen(store, artifact));
    manifests.set(artifact, manifest);
    return manifest;
  };
  const contractOf = async (artifact: Digest): Promise<RunContract | null> => {
    const known = contracts.get(artifact);
    if (known !== undefined) return known;
    try {
      const bytes = await readFrozenFile(store, await manifestOf(artifact), contractFileName);
      const found = bytes === undefined ? null : readContractFile(bytes);
      if (found === null || !found.ok) throw new Error('expected a contract, got none that can be read');
      const contract = contractView(runOrderOf(found.value));
      contracts.set(artifact, contract);
      return contract;
    } catch (error) {
      // Edges ask every second: once is enough.
      if (told.get(artifact) === undefined) {
        log.warn({ artifact, ...breakageOf(error) }, 'a release is left out: its contract cannot be read');
      }
      told.set(artifact, true);
      return null;
    }
  };
  return {
    orders: async (caller, report) => {
      const read = await caller.reads.edgeLanes();
      const lanes = (await restored.notice(caller, read, report.lanes)) ? await caller.reads.edgeLanes() : read;
      return {
        incarnation: incarnationOf(lanes),
        shutOut: [...(await caller.reads.shutOutWithin(previewLinkMs + previewSessionMs, readingRoles))],
        lanes: await Promise.all(lanes.map((lane) => orderOf(lane, contractOf))),
      };
    },
    mayFetch: async ({ workspace, reads }, digest) => {
      if (permitted.get(`${workspace} ${digest}`) !== undefined) return true;
      const artifacts = await reads.artifacts(artifactsMax);
      if (artifacts.includes(digest)) return true;
      for (const artifact of artifacts.slice(0, searchedMax)) {
        const files = (await manifestOf(artifact).catch(() => null))?.files.map(fileDigest) ?? [];
        if (!files.includes(digest)) continue;
        // The others of the same candidate are asked for next.
        for (const file of files) permitted.set(`${workspace} ${file}`, true);
        return true;
      }
      return false;
    },
  };
}

async function orderOf(
  { lane, prototype }: EdgeLane,
  contractOf: (artifact: Digest) => Promise<RunContract | null>,
): Promise<LaneOrder> {
  const { state, leaseRemainingMs } = lane;
  const order = async (release: Release | null) => releaseOrder(release, prototype, contractOf);
  const [stable, canary] = await Promise.all([order(state.stable), order(state.canary)]);
  return {
    lane: state.id,
    environment: state.environment,
    hosts: [state.host],
    fence: state.fence,
    stable,
    canary,
    weightPercent: state.weight,
    // A lease is never longer than the one rule allows, and a lapsed one is said as 0 and not left out.
    leaseRemainingMs: needsLease(state) ? Math.min(leaseMs, Math.max(0, Math.floor(leaseRemainingMs ?? 0))) : null,
    closed: false,
    configuration: configurationOrder(state),
  };
}

async function releaseOrder(
  release: Release | null,
  prototype: PrototypeState,
  contractOf: (artifact: Digest) => Promise<RunContract | null>,
): Promise<ReleaseOrderResource | null> {
  if (release === null) return null;
  const contract = await contractOf(release.source ?? release.artifact);
  if (contract === null) return null;
  return { release: release.id, artifactDigest: release.artifact, trusted: prototype.trusted, contract };
}

/** Where the values lie, for the one who looks there; what people set and when stays here. */
function configurationOrder(state: EdgeLane['lane']['state']): LaneOrder['configuration'] {
  const { revision, variables, secrets } = configurationOf(state);
  const order: LaneOrder['configuration'] = { revision, variables: {}, secrets: {} };
  for (const [name, { value }] of Object.entries(variables)) order.variables[name] = value;
  for (const [name, { reference, at }] of Object.entries(secrets)) order.secrets[name] = { reference, at };
  return order;
}

function contractView(order: ReturnType<typeof runOrderOf>): RunContract {
  const { secrets, ...rest } = order;
  const own = { start: [...order.start], environment: { ...order.environment }, egress: [...order.egress] };
  return { ...rest, ...own, ...(secrets !== undefined && { secrets: secrets.map((secret) => ({ ...secret })) }) };
}

/** The newest incarnation among the lanes: all of them grow together when a backup is restored. */
function incarnationOf(lanes: readonly EdgeLane[]): string {
  return String(Math.max(1, ...lanes.map(({ lane }) => lane.state.fence.incarnation)));
}
