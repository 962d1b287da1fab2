import type {
  Digest,
  EvidenceRef,
  PersonId,
  PersonState,
  PolicyState,
  PromotionId,
  PrototypeState,
  StreamState,
  WorkspaceId,
  WorkspaceState,
} from '@proviso/domain';
import { sameContent, uuidOf } from '@proviso/domain';
import type { Page, Reads, Receipt } from '../port.ts';
import type { Row, Session } from '../session.ts';
import { statement } from '../statement.ts';
import type { Vault } from '../vault/vault.ts';
import { entryReads } from './entries.ts';
import { laneReads } from './lanes.ts';
import { lookReads } from './looks.ts';
import { readUsage } from '../submit/load.ts';
import { peopleReads } from './people.ts';
import { promotionReads } from './promotions.ts';
import { pageOf, type Query } from './query.ts';

const readState = statement(
  'read.state',
  `select state, revision from proviso.stream where workspace = $1 and kind = $2 and id = $3`,
);
const listStates = statement(
  'read.states',
  `select id, state, revision from proviso.stream where workspace = $1 and kind = $2 and id > $3 order by id limit $4`,
);
// How somebody writes a repository is theirs; at GitHub its letters are the same whether large or small.
const prototypesByRepository = statement(
  'read.prototypes_from',
  `select state, revision from proviso.stream
    where workspace = $1 and kind = 'prototype' and exists (
      select 1 from json_array_elements(state->'candidates') as one
       where one->'provenance'->>'kind' = 'github' and lower(one->'provenance'->>'repository') = lower($2))
    order by id limit $3`,
);
const readReceipt = statement(
  'read.receipt',
  `select receipt from proviso.idempotency where workspace = $1 and key = $2`,
);
const policyByName = statement(
  'read.policy_named',
  `select state from proviso.stream where workspace = $1 and kind = 'policy' and state->>'name' = $2 limit 1`,
);
const readEvidence = statement(
  'read.evidence',
  `select digest, kind from proviso.evidence where workspace = $1 and digest = $2`,
);
const listArtifacts = statement(
  'read.artifacts',
  `select digest from proviso.evidence where workspace = $1 and kind = 'artifact' order by at desc, digest limit $2`,
);

// More than a workspace shuts out in a day. Those who were disabled come first, since people who have just signed in and
// wait for a role are in this list, too. A right that was given on (`from`) is one to vote and none to look.
const listShutOut = statement(
  'read.shut_out',
  `select id from proviso.stream where workspace = $1 and kind = 'person'
      and updated_at > clock_timestamp() - $2 * interval '1 millisecond'
      and ((state->>'disabled')::boolean or not exists (
        select 1 from json_array_elements(state->'bindings') as held where held->>'from' is null and held->>'role' = any($3::text[])))
    order by (state->>'disabled')::boolean desc, updated_at desc limit 1000`,
);

const listPlaces = statement(
  'read.places',
  `select id, place from proviso.promotion_status where workspace = $1 and open and place is not null order by ordinal limit 1000`,
);
const readRemoved = statement(
  'read.artifact_removed',
  `select bool_and(removed_at is not null) as removed from proviso.artifact where workspace = $1 and digest = $2`,
);

/** Everything that can be read in one workspace; row-level security is the second lock behind the parameter. */
export function readsOf(session: Session, vault: Vault, workspace: WorkspaceId): Reads {
  const query: Query = (what, ...values) =>
    session.transaction(workspace, (transaction) => transaction.run(what, [uuidOf(workspace), ...values]));
  const view = async <State extends StreamState>(kind: string, id: string) => {
    const [row] = await query(readState, kind, id);
    return row === undefined ? null : revised<State>(row);
  };
  const state = async <State extends StreamState>(kind: string, id: string) =>
    (await view<State>(kind, id))?.state ?? null;
  const views = async <State extends StreamState>(
    kind: string,
    page: { after?: string; limit: number },
  ): Promise<Page<Revised<State>>> => {
    const rows = await query(listStates, kind, page.after ?? '', page.limit + 1);
    return pageOf(rows, page.limit, (row) => revised<State>(row));
  };
  return {
    ...promotionReads(query),
    ...laneReads(query),
    ...lookReads(query),
    ...entryReads(query, (ids) => vault.open(session, workspace, ids)),
    prototype: (id) => view<PrototypeState>('prototype', id),
    prototypes: (page) => views<PrototypeState>('prototype', page),
    prototypesFrom: async (repository, limit) =>
      (await query(prototypesByRepository, repository, limit)).map((row) => revised<PrototypeState>(row)),
    candidateByManifest: async (id, manifestDigest) => {
      const prototype = await state<PrototypeState>('prototype', id);
      return prototype === null ? null : (sameContent(prototype, { manifestDigest }) ?? null);
    },
    receipt: async (key) => ((await query(readReceipt, key))[0]?.receipt as Receipt | undefined) ?? null,
    policy: (id) => view<PolicyState>('policy', id),
    policyNamed: async (name) => ((await query(policyByName, name))[0]?.state as PolicyState | undefined) ?? null,
    policies: (page) => views<PolicyState>('policy', page),
    person: (id) => state<PersonState>('person', id),
    people: async (page) => {
      const { items, next } = await views<PersonState>('person', page);
      return { items: items.map((one) => one.state), next };
    },
    shutOutWithin: async (ms, roles) => (await query(listShutOut, ms, roles)).map((row) => row.id as PersonId),
    ...peopleReads(query, {
      open: (ids) => vault.open(session, workspace, ids),
      openAll: (person, limit) => vault.openAll(session, { workspace, person, limit }),
    }),
    workspaceName: async () => (await state<WorkspaceState>('workspace', workspace))?.name ?? null,
    workspace: () => view<WorkspaceState>('workspace', workspace),
    usage: () => session.transaction(workspace, (transaction) => readUsage(transaction, workspace, '')),
    places: async () =>
      (await query(listPlaces)).map((row) => ({
        promotion: row.id as PromotionId,
        waits: row.place !== 'running',
      })),
    artifactRemoved: async (digest: Digest) => (await query(readRemoved, digest))[0]?.removed === true,
    evidence: async (digest: Digest) => {
      const [row] = await query(readEvidence, digest);
      return row === undefined ? null : ({ kind: String(row.kind), digest } satisfies EvidenceRef);
    },
    artifacts: async (limit) => (await query(listArtifacts, limit)).map((row) => row.digest as Digest),
  };
}

interface Revised<State> {
  readonly state: State;
  readonly revision: number;
}

function revised<State extends StreamState>(row: Row): Revised<State> {
  return { state: row.state as State, revision: Number(row.revision) };
}
