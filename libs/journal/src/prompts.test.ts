import { randomBytes, randomUUID } from 'node:crypto';
import {
  type PromotionId,
  type Prompt,
  type PromptRegister,
  type PromptWish,
  type PrototypeId,
  type WorkspaceId,
  idFrom,
  uuidOf,
} from '@proviso/domain';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import pg from 'pg';
import { type Journal, openJournal, openPump } from './index.ts';

let database: TestDatabase;
let journal: Journal;

beforeAll(async () => {
  database = await createDatabase();
  const { appUrl: url, vaultKeyHex } = database;
  journal = await openJournal({ url, connectionsMax: 4, origin: 'test', vaultKeyHex, durable: false });
});

afterAll(async () => {
  await journal.close();
});

function register(): PromptRegister {
  return journal.prompts(idFrom('wsp', randomUUID()), 'slack');
}

const cursor = { incarnation: 'one', position: 7 };
/** A step past entries about nothing that stands anywhere. */
const still = { cursor, named: [], prototypes: [], all: false, wishes: [] };
const promotion: PromotionId = idFrom('prm', randomUUID());

function wish(key: string, over: Partial<PromptWish> = {}) {
  const token = randomBytes(32).toString('base64url');
  return { key, promotion, conversation: 'C1', thread: null, once: false, token, ...over };
}

/** One copy that stands, as its follower left it. */
async function standing(prompts: PromptRegister, key = 'a', over: Partial<PromptWish> = {}) {
  await prompts.lease('one', 60_000);
  await prompts.advance(1, { ...still, wishes: [wish(key, over)] });
  const shown = { key, address: `at ${key}`, shown: 1, revision: 1, drawn: 'x', final: false };
  expect(await prompts.settle(1, shown)).toBe(true);
  return shown;
}

/** What is behind after a copy was drawn: it rests for a moment, so that a burst of votes is one drawing. */
async function dueSoon(prompts: PromptRegister): Promise<readonly Prompt[]> {
  expect(await prompts.due(10)).toEqual([]);
  const endsAt = performance.now() + 10_000;
  for (;;) {
    const due = await prompts.due(10);
    if (due.length > 0 || performance.now() > endsAt) return due;
  }
}

it('finds what stands in a conversation, of its own workspace and channel alone', async () => {
  const prompts = register();
  await standing(prompts, 'a', { conversation: 'acme/app@1' });
  await register().lease('other', 1_000);
  expect(await prompts.inConversation('acme/app@1')).toMatchObject([{ key: 'a', address: 'at a' }]);
  expect(await prompts.inConversation('acme/app@2')).toEqual([]);
  expect(await register().inConversation('acme/app@1')).toEqual([]);
});

it('finds what was drawn last in a conversation in which more stands than anybody reads', async () => {
  const prompts = register();
  await prompts.lease('one', 60_000);
  const conversation = 'acme/app@1';
  const old = Array.from({ length: 1_050 }, (_, index) => wish(`prm_${index}/check`, { conversation }));
  expect(await prompts.advance(1, { cursor, named: [], prototypes: [], all: false, wishes: old })).toBe(true);
  await standing(prompts, 'prm_z/check', { conversation });
  const found = await prompts.inConversation(conversation);
  expect([found.length, found[0]]).toMatchObject([1_000, { key: 'prm_z/check' }]);
});

describe('following', () => {
  it('is for one process at a time, and goes on where the one before was', async () => {
    const prompts = register();
    expect(await prompts.lease('one', 60_000)).toEqual({ epoch: 1, cursor: null });
    expect(await prompts.lease('two', 60_000)).toBeNull();
    expect(await prompts.advance(1, still)).toBe(true);
    expect(await prompts.lease('one', 60_000)).toEqual({ epoch: 1, cursor });
    await prompts.release('one');
    expect(await prompts.lease('two', 60_000)).toEqual({ epoch: 2, cursor });
  });

  it('under an epoch that is over writes nothing', async () => {
    const prompts = register();
    const shown = await standing(prompts);
    await prompts.release('one');
    await prompts.lease('two', 60_000);
    const past = { incarnation: 'one', position: 99 };
    const late = { ...still, cursor: past, named: [promotion], all: true, wishes: [wish('late')] };
    expect(await prompts.advance(1, late)).toBe(false);
    expect(await prompts.begin(1, 'a')).toBe(false);
    expect(await prompts.settle(1, { ...shown, address: 'elsewhere' })).toBe(false);
    await prompts.putOff(1, { key: 'a', forMs: 0, givenUp: 'late', isCertain: true });
    expect(await prompts.lease('two', 60_000)).toMatchObject({ cursor });
    expect(await prompts.due(10)).toEqual([]);
    expect(await prompts.disturb('a', 'elsewhere')).toBe('at a');
    expect(await dueSoon(prompts)).toMatchObject([{ key: 'a', address: 'at a', drawn: null }]);
  });
});

describe('a copy', () => {
  it('is registered once, however often it is wished for, and keeps its token', async () => {
    const prompts = register();
    await prompts.lease('one', 60_000);
    const first = wish('a');
    for (const wishes of [[first], [wish('a')]]) await prompts.advance(1, { ...still, wishes });
    expect(await prompts.due(10)).toMatchObject([{ key: 'a', token: first.token, wanted: 1, shown: 0 }]);
    expect(await prompts.byToken(first.token)).toMatchObject({ key: 'a', promotion });
    expect(await register().byToken(first.token)).toBeNull();
  });

  it('is behind as soon as something happened to its promotion, or to everything, unless it is said once', async () => {
    const prompts = register();
    const shown = await standing(prompts);
    await standing(prompts, 'once', { once: true });
    expect(await prompts.due(10)).toEqual([]);
    const other: PromotionId = idFrom('prm', randomUUID());
    await prompts.advance(1, { ...still, named: [other] });
    expect(await prompts.due(10)).toEqual([]);
    await prompts.advance(1, { ...still, named: [promotion] });
    expect(await dueSoon(prompts)).toMatchObject([{ key: 'a', wanted: 2, shown: 1 }]);
    await prompts.settle(1, { ...shown, shown: 2, final: true });
    await prompts.advance(1, { ...still, all: true });
    expect(await prompts.due(10)).toEqual([]);
  });

  it('that somebody else has written over while it was drawn is not taken for drawn', async () => {
    const prompts = register();
    const shown = await standing(prompts);
    await prompts.advance(1, { ...still, named: [promotion] });
    await prompts.disturb('a', shown.address);
    expect(await prompts.settle(1, { ...shown, shown: 2, drawn: 'y' })).toBe(true);
    expect(await dueSoon(prompts)).toMatchObject([{ key: 'a', wanted: 3, shown: 2, drawn: null }]);
  });

  it('waits for the one in whose thread it belongs, and then knows where that stands', async () => {
    const prompts = register();
    await prompts.lease('one', 60_000);
    const wishes = [wish('a'), wish('b', { thread: 'a' })];
    await prompts.advance(1, { ...still, wishes });
    expect((await prompts.due(10)).map(({ key }) => key)).toEqual(['a']);
    await prompts.settle(1, { key: 'a', address: 'at a', shown: 1, revision: 1, drawn: 'x', final: false });
    expect(await prompts.due(10)).toMatchObject([{ key: 'b', threadAddress: 'at a' }]);
  });

  it('whose posting was cut off says since when, until that is settled', async () => {
    const prompts = register();
    await prompts.lease('one', 60_000);
    await prompts.advance(1, { ...still, wishes: [wish('a')] });
    await prompts.begin(1, 'a');
    await prompts.putOff(1, { key: 'a', forMs: 0, givenUp: null, isCertain: false });
    const [due] = await prompts.due(10);
    expect(due).toMatchObject({ tries: 1, postingSince: expect.any(Number) });
    await prompts.putOff(1, { key: 'a', forMs: 60_000, givenUp: null, isCertain: true });
    expect(await prompts.due(10)).toEqual([]);
    expect(await prompts.byToken(due?.token ?? '')).toMatchObject({ tries: 2, postingSince: null });
  });
});

it('what happens to a lane is about the open promotions of its prototype', async () => {
  const workspace = idFrom('wsp', randomUUID());
  const prompts = journal.prompts(workspace, 'slack');
  const of = { workspace, days: 0 };
  await withSuperuser(async (superuser) => {
    const mine = await silent(superuser, { ...of, open: true, prototype: 'pro_mine' });
    const theirs = await silent(superuser, { ...of, open: true, prototype: 'pro_theirs' });
    const ended = await silent(superuser, { ...of, open: false, prototype: 'pro_mine' });
    const found = async () => new Map((await prompts.due(10)).map(({ promotion: about, wanted }) => [about, wanted]));
    await prompts.advance(1, { ...still, prototypes: ['pro_mine'] });
    expect(await found()).toEqual(
      new Map([
        [mine, 2],
        [theirs, 1],
        [ended, 1],
      ]),
    );
    // Named and of the prototype, it is still behind by one.
    await prompts.advance(1, { ...still, named: [mine], prototypes: ['pro_mine'], all: true });
    expect(await found()).toEqual(
      new Map([
        [mine, 3],
        [theirs, 2],
        [ended, 2],
      ]),
    );
  });
});

interface Silent {
  readonly workspace: WorkspaceId;
  readonly open: boolean;
  readonly days: number;
  readonly prototype?: PrototypeId;
}

/** A promotion to which nothing has happened for so long, with one copy. */
async function silent(
  superuser: pg.Client,
  { workspace, open, days, prototype = 'pro_1' }: Silent,
): Promise<PromotionId> {
  const id: PromotionId = idFrom('prm', randomUUID());
  const at = [uuidOf(workspace), id];
  await superuser.query(
    `insert into proviso.stream (workspace, kind, id, revision, head, updated_at)
     values ($1, 'promotion', $2, 1, '', now() - $3 * interval '1 day')`,
    [...at, days],
  );
  const status = `insert into proviso.promotion_status (workspace, id, prototype, open) values ($1, $2, $3, $4)`;
  await superuser.query(status, [...at, prototype, open]);
  const prompts = journal.prompts(workspace, 'slack');
  await prompts.lease('one', 60_000);
  const wishes = [wish(`of ${id}`, { promotion: id })];
  expect(await prompts.advance(1, { ...still, wishes })).toBe(true);
  return id;
}

async function withSuperuser(work: (superuser: pg.Client) => Promise<void>): Promise<void> {
  const superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  try {
    await work(superuser);
  } finally {
    await superuser.end();
  }
}

describe('copies of what has ended', () => {
  const workspace = idFrom('wsp', randomUUID());

  it('go after thirty days of silence, and the role that removes them sees no others', async () => {
    const pumped = new pg.Client({ connectionString: database.pumpUrl });
    const pump = await openPump({ url: database.pumpUrl, durable: false });
    await pumped.connect();
    try {
      await withSuperuser(async (superuser) => {
        const old = await silent(superuser, { workspace, open: false, days: 31 });
        const young = await silent(superuser, { workspace, open: false, days: 29 });
        const open = await silent(superuser, { workspace, open: true, days: 400 });
        expect((await pumped.query('select promotion from proviso.prompt')).rows).toEqual([{ promotion: old }]);
        await expect(pumped.query('select token from proviso.prompt')).rejects.toThrow('permission denied');
        const leadership = await pump.lead('reconciler');
        expect(await leadership?.sweepPast(10)).toMatchObject({ prompts: 1 });
        await leadership?.resign();
        const left = (await journal.prompts(workspace, 'slack').due(10)).map(({ promotion: of }) => of);
        expect(left.toSorted()).toEqual([young, open].toSorted());
      });
    } finally {
      await Promise.all([pumped.end(), pump.close()]);
    }
  });
});
