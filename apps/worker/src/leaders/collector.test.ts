import { randomUUID } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { builtinPrincipals, type Digest, idFrom, type PromotionId, type PrototypeId, uuidOf } from '@proviso/domain';
import { folderStore, type FolderStore } from '@proviso/evidence';
import { manifestBytes } from '@proviso/intake';
import { openPump, type Pump } from '@proviso/journal';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import pg from 'pg';
import { openWorld, type World } from '../world.contract.ts';
import { type CollectorPorts, evidenceCollector } from './collector.ts';

const dayMs = 86_400_000;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let database: TestDatabase;
let world: World;
let pump: Pump;
let store: FolderStore;
let superuser: pg.Client;
let prototype: PrototypeId;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ database });
  pump = await openPump({ url: world.pumpUrl, durable: false });
  store = folderStore(world.evidenceFolder);
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
}, 60_000);

afterAll(async () => {
  await superuser.end();
  await pump.close();
  await world.close();
});

beforeEach(async () => {
  prototype = await world.openPrototype();
  await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: { retentionDays: 0 } });
});

afterEach(async () => {
  await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
});

const put = async (text: string): Promise<Digest> => (await store.put(Buffer.from(text))).digest;

/** An artifact of one file, as intake would have put it: the file first. */
async function artifactOf(text: string): Promise<{ artifact: Digest; file: Digest }> {
  const file = await put(text);
  const sha256 = file.slice('sha256:'.length);
  const files = [{ path: 'a.mjs', mode: 'file', sizeBytes: Buffer.byteLength(text), sha256 }] as const;
  return { artifact: (await store.put(manifestBytes({ v: 1, files }))).digest, file };
}

/** Freezes a version by a builder who is added for it. */
async function freeze(text: string, version = 'v1') {
  const made = await artifactOf(text);
  const builder = idFrom('psn', randomUUID());
  const founder = builtinPrincipals.founder.id;
  const bindings = [{ role: 'builder' }] as const;
  await world.submit(founder, { kind: 'AddPerson', person: builder, principal: 'human', bindings });
  const manifestDigest = await put(JSON.stringify({ artifact: made.artifact }));
  const manifest = { v: 1, artifact: made.artifact, parts: {} } as const;
  const provenance = { kind: 'upload', uploader: builder, authors: [] } as const;
  const id = idFrom('cnd', randomUUID());
  const candidate = { id, version, manifestDigest, manifest, sizeBytes: Buffer.byteLength(text), provenance };
  await world.submit(builder, { kind: 'FreezeCandidate', prototype, candidate });
  return { ...made, id };
}

/** Opens a promotion of a frozen version and reports what its build has made, as the worker's build does. */
async function build(text: string, made: { readonly artifact: Digest }): Promise<PromotionId> {
  const source = await freeze(text);
  const { promotion } = await world.promote(prototype, source.artifact, { builds: true });
  await pass(promotion, 'readiness');
  await pass(promotion, 'build', { artifact: made.artifact, artifactBytes: 7 });
  return promotion;
}

/** The worker's own claim and report of one gate. */
async function pass(
  promotion: PromotionId,
  gate: 'readiness' | 'build',
  more: { readonly artifact?: Digest; readonly artifactBytes?: number } = {},
): Promise<void> {
  const worker = builtinPrincipals.worker.id;
  const [idempotencyKey, claimant] = [randomUUID(), randomUUID()];
  const command = { kind: 'Claim', promotion, step: gate, claimant } as const;
  const asked = { workspace: world.workspace, actor: worker, command, idempotencyKey, authn: 'test' };
  const claimed = await world.journal.submit(asked);
  if (claimed.kind !== 'accepted' || claimed.answer.kind !== 'granted') throw new Error('expected a grant');
  const { attempt, fence } = claimed.answer;
  const evidence = [{ kind: 'report', digest: await put(`report ${claimant}`) }];
  const told = { gate, attempt, fence, verdict: 'pass', reasons: [], evidence, measure: null } as const;
  await world.submit(worker, { kind: 'Report', promotion, ...told, ...more });
}

/** Nobody needs what was built for it any more. */
async function cancel(promotion: PromotionId): Promise<void> {
  await world.submit(world.operator, { kind: 'Cancel', promotion });
}

async function keptBytes(): Promise<number> {
  return (await world.journal.reads(world.workspace).usage()).diskBytes;
}

/** One round of the collector, as the leader that it is a part of. */
async function collect(over: Partial<CollectorPorts> = {}): Promise<void> {
  const leadership = await pump.lead('reconciler');
  if (leadership === null) throw new Error('expected to lead');
  const clock = { now: () => Date.now(), pause: async () => undefined };
  try {
    await evidenceCollector({ journal: world.journal, evidence: store, clock, log, ...over })(leadership);
  } finally {
    await leadership.resign();
  }
}

/** The hour between the entry and the files, gone by; and files as old as they are after a retention. */
async function waitOver(...documents: readonly Digest[]): Promise<void> {
  await superuser.query(`update proviso.artifact set removed_at = removed_at - interval '2 hours'`);
  const past = new Date(Date.now() - 40 * dayMs);
  for (const digest of documents) await utimes(pathOf(digest), past, past);
}

function pathOf(digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  return join(world.evidenceFolder, 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex);
}

async function entries(kind: string): Promise<number> {
  const { rows } = await superuser.query(`select 1 from proviso.entry where kind = $1`, [kind]);
  return rows.length;
}

const present = async (...digests: readonly Digest[]) => Promise.all(digests.map((digest) => store.has(digest)));
const later = { now: () => Date.now() + 2 * dayMs, pause: async () => undefined };

describe('the collection of orphans', () => {
  it('keeps what an entry names and the files of its artifacts, and removes the rest after its grace', async () => {
    await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
    const { artifact, file } = await freeze('kept');
    const orphan = await put('nobody names me');
    await collect();
    expect(await store.has(orphan)).toBe(true);
    await collect({ clock: later });
    expect(await present(artifact, file, orphan)).toEqual([true, true, false]);
  });

  it('removes nothing when it cannot tell what a manifest names', async () => {
    const orphan = await put('nobody names me either');
    const evidence = { ...store, get: async () => await Promise.reject(new Error('a disk that is away')) };
    await freeze('told by nobody');
    await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
    await expect(collect({ clock: later, evidence })).rejects.toThrow('a disk that is away');
    expect(await store.has(orphan)).toBe(true);
  });
});

describe('the files of a version that nothing needs', () => {
  it('go after the retention and a wait, with an entry each and one for the sweep; the manifest stays', async () => {
    const { artifact, file } = await freeze('let go');
    const [each, sums] = [await entries('artifact_removed'), await entries('artifacts_swept')];
    await collect();
    expect((await entries('artifact_removed')) - each).toBeGreaterThan(0);
    expect(await entries('artifacts_swept')).toBe(sums + 1);
    expect(await present(artifact, file)).toEqual([true, true]);
    await waitOver(artifact, file);
    await collect();
    expect(await present(artifact, file)).toEqual([true, false]);
    expect(await world.journal.reads(world.workspace).artifactRemoved(artifact)).toBe(true);
  });

  it('stay while another prototype keeps the same files', async () => {
    const { file } = await freeze('shared');
    await collect();
    prototype = await world.openPrototype();
    await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
    const { artifact } = await freeze('shared');
    await waitOver(artifact, file);
    await collect();
    expect(await present(artifact, file)).toEqual([true, true]);
  });

  it('are whole for whoever freezes the same content while they are removed, in whatever order it happens', async () => {
    for (let round = 0; round < 12; round += 1) {
      await world.submit(world.operator, {
        ...{ kind: 'SetLimits', workspace: world.workspace, limits: { retentionDays: 0 } },
      });
      const text = `raced ${round}`;
      const { artifact, file } = await freeze(text);
      await collect();
      await waitOver(artifact, file);
      await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
      // One of each order: the collector first, the freeze first, and both at once.
      const both = [async () => await collect(), async () => void (await freeze(text, `again-${round}`))];
      await Promise.all(both.toSorted(() => (round % 2 === 0 ? 1 : -1)).map(async (work) => await work()));
      await collect();
      expect([round, ...(await present(artifact, file))]).toEqual([round, true, true]);
      expect(await world.journal.reads(world.workspace).artifactRemoved(artifact)).toBe(false);
    }
  }, 60_000);

  it('are gone in the end wherever the collector dies, and what is needed is not', async () => {
    const kept = await freeze('needed after all');
    const { file } = await freeze('dies on the way', 'v2');
    const { journal } = world;
    const dying = (at: string): Partial<CollectorPorts> => ({
      journal: {
        ...journal,
        submit: async (submission) => {
          const receipt = await journal.submit(submission);
          if (submission.command.kind === at) throw new Error('killed');
          return receipt;
        },
      },
      evidence: {
        ...store,
        collectOrphans: async (rule) => {
          if (at !== 'files') return await store.collectOrphans(rule);
          await store.remove(file);
          throw new Error('killed');
        },
      },
    });
    await expect(collect(dying('RemoveArtifact'))).rejects.toThrow('killed');
    await collect(dying('RecordSweep')).catch(() => undefined);
    await waitOver(file);
    await expect(collect(dying('files'))).rejects.toThrow('killed');
    const again = await freeze('needed after all', 'v3');
    await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
    await collect({ clock: later });
    expect(await present(kept.artifact, again.file, file)).toEqual([true, true, false]);
  });
});

describe('the files that a build has left', () => {
  it('are counted from the report on, stay while their promotion is open, and go like those of a version', async () => {
    const before = await keptBytes();
    const made = await artifactOf('built and let go');
    const promotion = await build('sources', made);
    expect(await keptBytes()).toBe(before + Buffer.byteLength('sources') + 7);
    await collect();
    await waitOver(made.artifact, made.file);
    await collect();
    expect(await present(made.artifact, made.file)).toEqual([true, true]);
    const full = await keptBytes();
    await cancel(promotion);
    await collect();
    expect(await keptBytes()).toBe(full - Buffer.byteLength('sources') - 7);
    await waitOver(made.artifact, made.file);
    await collect();
    expect(await present(made.artifact, made.file)).toEqual([true, false]);
  });

  it('are kept again when another promotion builds the same, in whatever order that and their removal happen', async () => {
    for (let round = 0; round < 6; round += 1) {
      const text = `built and raced ${round}`;
      const made = await artifactOf(text);
      const limits = { retentionDays: 0 };
      await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits });
      await cancel(await build(`sources of ${round}`, made));
      await collect();
      await waitOver(made.artifact, made.file);
      // From here on only the files that were let go are at stake, not the sources of who builds again.
      await world.submit(world.operator, { kind: 'SetLimits', workspace: world.workspace, limits: {} });
      const again = async () => {
        // What a build makes is put first, then reported.
        await artifactOf(text);
        await build(`other sources of ${round}`, made);
      };
      const both = [async () => await collect(), again];
      await Promise.all(both.toSorted(() => (round % 2 === 0 ? 1 : -1)).map(async (work) => await work()));
      await collect();
      expect([round, ...(await present(made.artifact, made.file))]).toEqual([round, true, true]);
      expect(await world.journal.reads(world.workspace).artifactRemoved(made.artifact)).toBe(false);
    }
  }, 60_000);

  it('are gone in the end when the collector dies between the entry and the files', async () => {
    const made = await artifactOf('built, and the collector dies');
    await cancel(await build('sources of a death', made));
    const { journal } = world;
    const dying: CollectorPorts['journal'] = {
      ...journal,
      submit: async (submission) => {
        const receipt = await journal.submit(submission);
        if (submission.command.kind === 'RemoveArtifact' && submission.command.artifact === made.artifact)
          throw new Error('killed');
        return receipt;
      },
    };
    await expect(collect({ journal: dying })).rejects.toThrow('killed');
    await waitOver(made.artifact, made.file);
    await collect();
    expect(await present(made.artifact, made.file)).toEqual([true, false]);
  });

  it('are those of a version too when somebody uploads what was built, and stay as long as either is needed', async () => {
    const made = await artifactOf('built and uploaded');
    const promotion = await build('sources of both', made);
    const { artifact } = await freeze('built and uploaded', 'v9');
    expect(artifact).toBe(made.artifact);
    await collect();
    expect(await world.journal.reads(world.workspace).artifactRemoved(artifact)).toBe(false);
    await cancel(promotion);
    await collect();
    expect(await world.journal.reads(world.workspace).artifactRemoved(artifact)).toBe(true);
  });
});

describe('what can never be let go', () => {
  it('hides nothing that comes behind it', async () => {
    const { artifact } = await freeze('behind a thousand others');
    // Of prototypes that nobody knows, so that none of these rows can be let go.
    await superuser.query(
      `insert into proviso.artifact (workspace, prototype, digest, bytes, frozen_at)
       select $1, 'pro_' || repeat('0', 32), 'sha256:' || lpad(n::text, 64, '0'), 1, now() - interval '2 years'
         from generate_series(1, 1000) as n`,
      [uuidOf(world.workspace)],
    );
    await collect();
    await superuser.query(`delete from proviso.artifact where prototype = 'pro_' || repeat('0', 32)`);
    expect(await world.journal.reads(world.workspace).artifactRemoved(artifact)).toBe(true);
  });
});

describe('what lets nobody in any more', () => {
  const workspace = () => uuidOf(world.workspace);
  const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);
  const hashes = async (table: 'token' | 'session') =>
    (
      await superuser.query<{ hash: string }>(`select hash from proviso.${table} where hash like 'swept %' order by 1`)
    ).rows.map(({ hash }) => hash.slice('swept '.length));

  it('goes: tokens thirty days after their end, sessions two days after their sign-in; what holds stays', async () => {
    for (const [name, days] of [
      ['old', 31],
      ['young', 29],
      ['holds', -1],
    ] as const)
      await superuser.query(
        `insert into proviso.token (hash, workspace, person, expires_at) values ($1, $2, 'psn_1', $3)`,
        [...[`swept ${name}`, workspace(), daysAgo(days)]],
      );
    for (const [name, days] of [
      ['old', 2.1],
      ['young', 1.9],
    ] as const)
      await superuser.query(
        `insert into proviso.session (hash, workspace, id, person, opened_at, seen_at) values ($1, $2, $1, 'psn_1', $3, $3)`,
        [`swept ${name}`, workspace(), daysAgo(days)],
      );
    await collect();
    expect([await hashes('token'), await hashes('session')]).toEqual([['holds', 'young'], ['young']]);
  });

  it('is all that the collector`s own role can see of them, or remove', async () => {
    const pumped = new pg.Client({ connectionString: world.pumpUrl });
    await pumped.connect();
    try {
      expect((await pumped.query(`select hash from proviso.token`)).rows).toEqual([]);
      expect((await pumped.query(`delete from proviso.session`)).rowCount).toBe(0);
      await expect(pumped.query(`select person from proviso.token`)).rejects.toThrow('permission denied');
    } finally {
      await pumped.end();
    }
  });
});

describe('a version that came before all that its prototype remembers', () => {
  it('is let go like any other', async () => {
    const { artifact } = await freeze('older than all', 'v0');
    await superuser.query(
      `update proviso.stream set state = jsonb_set(state::jsonb, '{candidates}', '[]')::json where kind = 'prototype' and id = $1`,
      [prototype],
    );
    await collect();
    expect(await world.journal.reads(world.workspace).artifactRemoved(artifact)).toBe(true);
  });
});
