import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createDatabase, testServers } from '@proviso/testkit';
import pg from 'pg';
import { migrate } from './index.ts';

// Schemas that were in use once, with rows as the product of that day wrote them, brought to the newest. The roles are
// those of the whole server: the first database that a test makes has made them.

const folder = new URL('./migrations/', import.meta.url);
const [workspace, prototype, promotion] = [randomUUID(), 'pro_1', 'prm_1'];
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

let superuserUrl: string;
let superuser: pg.Client;
let server: pg.Client;
let password: string;

beforeEach(async () => {
  const made = await createDatabase();
  password = new URL(made.appUrl).password;
  const url = new URL(made.superuserUrl);
  const name = `test_${randomBytes(6).toString('hex')}`;
  server = new pg.Client({ connectionString: testServers().postgresUrl });
  await server.connect();
  await server.query(`create database ${name}`);
  url.pathname = `/${name}`;
  superuserUrl = url.href;
  superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
});

afterEach(async () => {
  await superuser.end();
  await server.end();
});

/** To the newest schema. The roles are the server's, so whoever makes a database for a test at that moment waits. */
async function migrated(): Promise<readonly string[]> {
  await server.query('select pg_advisory_lock(7203100)');
  try {
    return await migrate({ superuserUrl, appPassword: password, pumpPassword: password });
  } finally {
    await server.query('select pg_advisory_unlock(7203100)');
  }
}

/** The schema as it was after that file. */
async function migratedThrough(last: string): Promise<void> {
  await superuser.query('create schema proviso authorization proviso_owner');
  await superuser.query(
    'create table proviso.migration (name text primary key, hash text not null, applied_at timestamptz not null default now())',
  );
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  for (const name of names.slice(0, names.indexOf(last) + 1)) {
    const text = await readFile(new URL(name, folder), 'utf8');
    await superuser.query(`begin; set local role proviso_owner; ${text}; commit`);
    const hash = createHash('sha256').update(text).digest('hex');
    await superuser.query('insert into proviso.migration (name, hash) values ($1, $2)', [name, hash]);
  }
}

/** One entry with its body, of which migrations read no more than this. */
async function tell(stream: string, { id, kind, body, at }: { id: string; kind: string; body: object; at: string }) {
  await superuser.query(
    `insert into proviso.entry (workspace, stream, stream_id, sseq, kind, at, bytes, hash)
     select $1, $2, $3, 1 + count(*), $4, $5::timestamptz, $6, $6 from proviso.entry
      where workspace = $1 and stream = $2 and stream_id = $3`,
    [workspace, stream, id, kind, at, Buffer.from(JSON.stringify({ kind, body }))],
  );
}

const frozen = (letter: string, at: string) => ({
  ...{ id: prototype, kind: 'candidate_frozen', at },
  body: { candidate: { id: `cnd_${letter}`, manifest: { v: 1, artifact: digestOf(letter), parts: {} } } },
});

/** A prototype with two versions, the first frozen twice, and an open promotion that has built the second. */
async function useOnce(): Promise<void> {
  await tell('prototype', frozen('a', '2026-01-01'));
  await tell('prototype', frozen('b', '2026-01-02'));
  await tell('prototype', frozen('a', '2026-01-03'));
  const opened = { promotion, prototype, candidate: { manifest: { artifact: digestOf('b') } } };
  await tell('promotion', { id: promotion, kind: 'promotion_opened', at: '2026-01-04', body: opened });
  const built = { gate: 'build', attempt: 1, artifact: digestOf('c') };
  await tell('promotion', { id: promotion, kind: 'artifact_built', at: '2026-01-05', body: built });
  await tell('promotion', { id: promotion, kind: 'artifact_built', at: '2026-01-06', body: built });
  // A build that had nothing to do made its own sources: one row, not two.
  const same = { gate: 'build', attempt: 2, artifact: digestOf('b') };
  await tell('promotion', { id: promotion, kind: 'artifact_built', at: '2026-01-07', body: same });
  await superuser.query(
    `insert into proviso.promotion_status (workspace, id, prototype, open) values ($1, $2, $3, true)`,
    [workspace, promotion, prototype],
  );
  await superuser.query(
    `insert into proviso.evidence (workspace, digest, kind, at) values ($1, $2, 'artifact', now())`,
    [workspace, digestOf('a')],
  );
}

const rowsOf = async (text: string) => (await superuser.query(text)).rows as readonly Record<string, unknown>[];

const kept = (letter: string, day: string) => ({
  ...{ workspace, prototype, digest: digestOf(letter), bytes: '0' },
  ...{ frozen_on: day, removed_at: null },
});

it('counts and may let go what was frozen and built before anybody counted it, from the schema before limits', async () => {
  await migratedThrough('0004-lighter-rows.sql');
  await useOnce();
  const applied = await migrated();
  expect(applied).toEqual(expect.arrayContaining(['0005-limits.sql', '0010-build.sql']));
  expect(
    await rowsOf(
      `select workspace, prototype, digest, bytes, to_char(frozen_at, 'YYYY-MM-DD') as frozen_on, removed_at from proviso.artifact order by digest`,
    ),
  ).toEqual([kept('a', '2026-01-03'), kept('b', '2026-01-02'), kept('c', '2026-01-06')]);
  // Known to hold a place when its next claim says so, weighed when the collector comes by.
  expect(await rowsOf('select open, place from proviso.promotion_status')).toEqual([{ open: true, place: null }]);
  expect(await rowsOf('select bytes from proviso.evidence')).toEqual([{ bytes: null }]);
  expect(await rowsOf('select * from proviso.build')).toEqual([]);
  expect(await migrated()).toEqual([]);
});

it('leaves its owner no way to look through the rows of all workspaces', async () => {
  await migratedThrough('0004-lighter-rows.sql');
  await useOnce();
  await migrated();
  await superuser.query('set role proviso_owner');
  for (const table of ['entry', 'artifact', 'build']) {
    expect(await rowsOf(`select * from proviso.${table}`)).toEqual([]);
  }
});

it('refuses a file that was edited after it was applied', async () => {
  await migratedThrough('0004-lighter-rows.sql');
  await superuser.query(`update proviso.migration set hash = 'other' where name = '0001-spine.sql'`);
  await expect(migrated()).rejects.toThrow('expected migration 0001-spine.sql as it was applied, got an edited file');
});
