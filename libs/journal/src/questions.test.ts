import { randomUUID } from 'node:crypto';
import { type Question, idFrom } from '@proviso/domain';
import { createDatabase } from '@proviso/testkit';
import { type Journal, openJournal } from './index.ts';

let journal: Journal;

beforeAll(async () => {
  const { appUrl: url, vaultKeyHex } = await createDatabase();
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
