import { builtinPrincipals, type WorkspaceId } from '@proviso/domain';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import pg from 'pg';
import { type Journal, openJournal, openPump, type Pump } from './index.ts';

const workspace: WorkspaceId = `wsp_${'1'.repeat(32)}`;

let database: TestDatabase;
let journal: Journal;
let pump: Pump;
let superuser: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  const { appUrl: url, pumpUrl, vaultKeyHex } = database;
  journal = await openJournal({ url, connectionsMax: 4, origin: 'test', vaultKeyHex, durable: false });
  pump = await openPump({ url: pumpUrl, durable: false });
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  await journal.submit({
    workspace,
    actor: builtinPrincipals.founder.id,
    command: { kind: 'OpenWorkspace', workspace, name: 'one' },
    idempotencyKey: 'open',
    authn: 'local/test',
  });
});

afterAll(async () => {
  await superuser.end();
  await pump.close();
  await journal.close();
});

/** One leadership of the sequencer, as after each start of a worker. */
async function lead(): Promise<void> {
  const leadership = await pump.lead('sequencer');
  if (leadership === null) throw new Error('expected to lead');
  await leadership.sequence(100);
  await leadership.resign();
}

const log = () => journal.reads(workspace).log();

describe('the log', () => {
  it('keeps its incarnation from leader to leader', async () => {
    const before = await log();
    expect(before).toMatchObject({ incarnation: expect.stringMatching(/^[0-9a-f]{32}$/), last: -1 });
    await lead();
    await lead();
    expect(await log()).toEqual({ incarnation: before.incarnation, last: 0 });
  });

  it.each([
    // A dump that is put back writes a table of its own, whichever way it is put back.
    ['a dump', 'create temp table kept as table proviso.log; truncate proviso.log; insert into proviso.log table kept'],
    // The folder of a stopped server, put back: what changed is when the server started.
    ['a copied folder', `update proviso.log set home = replace(home, split_part(home, ' ', 1), '1795000000.000001')`],
  ])('is another one when it was put back from %s, before any position is given again', async (_what, restore) => {
    const before = await log();
    await superuser.query(`begin; ${restore}; commit; drop table if exists kept`);
    expect(await log()).toEqual(before);
    await lead();
    const after = await log();
    expect([after.last, after.incarnation === before.incarnation]).toEqual([before.last, false]);
    await lead();
    expect(await log()).toEqual(after);
  });
});
