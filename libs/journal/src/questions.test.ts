import { randomUUID } from 'node:crypto';
import { type Question, idFrom } from '@proviso/domain';
import { createDatabase } from '@proviso/testkit';
import pg from 'pg';
import { type Journal, openJournal, openPump } from './index.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let journal: Journal;

beforeAll(async () => {
  database = await createDatabase();
  const { appUrl: url, vaultKeyHex } = database;
  journal = await openJournal({ url, connectionsMax: 8, origin: 'test', vaultKeyHex, durable: false });
});

afterAll(async () => {
  await journal.close();
});

function question(id: string = randomUUID()): Question {
  const of = { repository: 'acme/app', commit: 'a'.repeat(40), environment: 'production' };
  return { id, kind: 'rule', ...of, run: 7_000_000_000, pull: null };
}

it('keeps a question once, however often it is asked, and tells it to its own workspace alone', async () => {
  const [here, there] = [0, 1].map(() => journal.questions(idFrom('wsp', randomUUID())));
  const one = question();
  expect(await Promise.all([here?.ask(one), here?.ask(one), here?.ask(one)])).toEqual(
    expect.arrayContaining([true, false, false]),
  );
  expect(await there?.take(10, 1_000)).toEqual([]);
  expect(await here?.take(10, 0)).toEqual([
    { ...one, askedAgoMs: expect.any(Number), said: null, saidAgoMs: null, reports: 0 },
  ]);
});

it('gives a question to one process at a time, and back when that one died with it', async () => {
  const register = journal.questions(idFrom('wsp', randomUUID()));
  for (let count = 0; count < 20; count += 1) await register.ask(question());
  const taken = await Promise.all(Array.from({ length: 4 }, () => register.take(8, 60_000)));
  const ids = taken.flat().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (let more = await register.take(8, 60_000); more.length > 0; more = await register.take(8, 60_000))
    ids.push(...more.map(({ id }) => id));
  expect(new Set(ids).size).toBe(20);
  await register.putOff(ids[0] ?? '', 0);
  expect((await register.take(8, 0)).map(({ id }) => id)).toEqual([ids[0]]);
});

it('remembers what was said, and gives out nothing that was answered', async () => {
  const register = journal.questions(idFrom('wsp', randomUUID()));
  const { id } = question('one');
  await register.ask(question('one'));
  await register.told(id, { said: 'waiting', restMs: 0 });
  expect(await register.take(1, 0)).toMatchObject([{ id, said: 'waiting', reports: 1, saidAgoMs: expect.any(Number) }]);
  await register.close(id, 'approved');
  await register.told(id, { said: 'late', restMs: 0 });
  expect(await register.take(1, 0)).toEqual([]);
  expect(await register.ask(question('one'))).toBe(false);
});

it('keeps an answered question for thirty days and an open one for good, and shows the role that removes them no others', async () => {
  const workspace = idFrom('wsp', randomUUID());
  const register = journal.questions(workspace);
  const [superuser, pumped] = [database.superuserUrl, database.pumpUrl].map(
    (connectionString) => new pg.Client({ connectionString }),
  ) as [pg.Client, pg.Client];
  const pump = await openPump({ url: database.pumpUrl, durable: false });
  await Promise.all([superuser.connect(), pumped.connect()]);
  const asked = async (id: string, days: number, answer: string | null): Promise<void> => {
    await register.ask(question(id));
    if (answer !== null) await register.close(id, answer);
    const age = `update proviso.question set asked_at = now() - $2 * interval '1 day' where id = $1`;
    await superuser.query(age, [id, days]);
  };
  try {
    await asked('old', 31, 'approved');
    await asked('young', 29, 'approved');
    await asked('open', 400, null);
    expect((await pumped.query('select id from proviso.question')).rows).toEqual([{ id: 'old' }]);
    await expect(pumped.query('select commit from proviso.question')).rejects.toThrow('permission denied');
    const leadership = await pump.lead('reconciler');
    expect(await leadership?.sweepPast(10)).toEqual({ tokens: 0, sessions: 0, prompts: 0, questions: 1 });
    await leadership?.resign();
    expect([await register.ask(question('old')), await register.ask(question('young'))]).toEqual([true, false]);
  } finally {
    await Promise.all([superuser.end(), pumped.end(), pump.close()]);
  }
});
