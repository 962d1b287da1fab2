import { readFile, writeFile } from 'node:fs/promises';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import pg from 'pg';
import { openJournal, openPump } from './index.ts';

const golden = new URL('../grants.matrix.txt', import.meta.url);

let database: TestDatabase;
let superuser: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
});

afterAll(async () => {
  await superuser.end();
});

/** Role × table × verb, and which rows each policy shows, as the database itself tells it. */
async function grants(): Promise<string> {
  const { rows } = await superuser.query<{
    table: string;
    role: string;
    verbs: string;
    rows: string;
    forced: boolean;
  }>(`
    select c.relname as table, r.rolname as role, c.relforcerowsecurity as forced,
           coalesce((select string_agg(v, ' ' order by v) from unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as v
                      where has_table_privilege(r.oid, c.oid, v)), '-') as verbs,
           coalesce((select string_agg(p.polname || case when p.polqual is null then '' else ': ' || pg_get_expr(p.polqual, p.polrelid) end, '; ' order by p.polname)
                       from pg_policy p where p.polrelid = c.oid and r.oid = any(p.polroles)), '-') as rows
      from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'proviso'
      cross join pg_roles r
     where c.relkind = 'r' and c.relname <> 'migration' and r.rolname in ('proviso_app', 'proviso_pump', 'proviso_owner')
     order by c.relname, r.rolname`);
  const head = ['table', 'role', 'forced', 'verbs', 'rows'];
  const lines = rows.map((row) => [row.table, row.role, row.forced ? 'yes' : 'no', row.verbs, row.rows]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]?.length ?? 0)));
  return `${[head, ...lines]
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

describe('the database roles', () => {
  it('may do exactly what the golden file says', async () => {
    const actual = await grants();
    if (process.env.PROVISO_UPDATE_GOLDEN === 'yes') await writeFile(golden, actual);
    expect(actual).toBe(await readFile(golden, 'utf8'));
  });

  it('see no row of any table without a workspace', async () => {
    const app = new pg.Client({ connectionString: database.appUrl });
    await app.connect();
    const { rows: tables } = await superuser.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'proviso'
        where c.relkind = 'r' and has_table_privilege('proviso_app', c.oid, 'select')`,
    );
    await superuser.query(`insert into proviso.evidence values (gen_random_uuid(), 'sha256:x', 'plant', now())`);
    for (const { name } of tables) expect((await app.query(`select * from proviso.${name}`)).rows).toEqual([]);
    await expect(
      app.query(`insert into proviso.evidence values (gen_random_uuid(), 'sha256:y', 'plant', now())`),
    ).rejects.toMatchObject({ code: '42501' });
    await app.end();
  });

  it('cannot rewrite or remove an entry', async () => {
    const app = new pg.Client({ connectionString: database.appUrl });
    await app.connect();
    for (const text of [
      'update proviso.entry set kind = kind',
      'delete from proviso.entry',
      'truncate proviso.entry',
    ]) {
      await expect(app.query(text)).rejects.toMatchObject({ code: '42501' });
    }
    await app.end();
  });
});

describe('opening the journal', () => {
  it('refuses a superuser', async () => {
    const options = {
      url: database.superuserUrl,
      connectionsMax: 1,
      origin: 'test',
      vaultKeyHex: database.vaultKeyHex,
    };
    await expect(openJournal({ ...options, durable: false })).rejects.toMatchObject({ code: 'unsafe_role' });
    await expect(openPump({ url: database.superuserUrl, durable: false })).rejects.toMatchObject({
      code: 'unsafe_role',
    });
  });

  it('refuses a server that may forget what it acknowledged', async () => {
    const options = { url: database.appUrl, connectionsMax: 1, origin: 'test', vaultKeyHex: database.vaultKeyHex };
    await expect(openJournal(options)).rejects.toMatchObject({ code: 'unsafe_role' });
  });

  it('refuses a migration that was edited after it was applied', async () => {
    const { migrate } = await import('./migrate.ts');
    await superuser.query(`update proviso.migration set hash = 'edited'`);
    await expect(
      migrate({ superuserUrl: database.superuserUrl, appPassword: 'only-for-tests', pumpPassword: 'only-for-tests' }),
    ).rejects.toThrow('edited file');
  });
});
