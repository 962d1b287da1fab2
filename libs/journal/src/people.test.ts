import { createHash, randomUUID } from 'node:crypto';
import {
  builtinPrincipals,
  type Command,
  type Identity,
  idFrom,
  type PersonId,
  type WorkspaceId,
} from '@proviso/domain';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import pg from 'pg';
import { type Journal, openJournal, type Submission } from './index.ts';

const [here, there] = [idFrom('wsp', randomUUID()), idFrom('wsp', randomUUID())];
const { founder, porter } = builtinPrincipals;
let database: TestDatabase;
let journal: Journal;
let superuser: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  const { appUrl: url, vaultKeyHex } = database;
  journal = await openJournal({ url, connectionsMax: 8, origin: 'test', vaultKeyHex, durable: false });
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  for (const workspace of [here, there])
    await ask(workspace, founder.id, { kind: 'OpenWorkspace', workspace, name: 'test' });
});

afterAll(async () => {
  await superuser.end();
  await journal.close();
});

const signedIn: Partial<Submission> = { door: { channel: 'page', freshAt: null } };

async function ask(workspace: WorkspaceId, actor: PersonId, command: Command, more: Partial<Submission> = {}) {
  const receipt = await journal.submit({
    workspace,
    actor,
    command,
    idempotencyKey: randomUUID(),
    authn: 'test',
    ...more,
  });
  return receipt.kind === 'accepted' ? 'accepted' : receipt.refusal.code;
}

async function added(
  workspace: WorkspaceId = here,
  bindings: Extract<Command, { kind: 'AddPerson' }>['bindings'] = [],
) {
  const person = idFrom('psn', randomUUID());
  expect(await ask(workspace, founder.id, { kind: 'AddPerson', person, principal: 'human', bindings })).toBe(
    'accepted',
  );
  return person;
}

function identity(issuer = 'github'): Identity {
  return { issuer, subject: `sha256:${createHash('sha256').update(randomUUID()).digest('hex')}` };
}

describe('an account elsewhere', () => {
  it('is linked by its person at a page only, and by nobody else', async () => {
    const [person, admin] = [await added(), await added(here, [{ role: 'administrator' }])];
    const command = { kind: 'LinkIdentity', person, identity: identity() } as const;
    expect(await ask(here, admin, command, signedIn)).toBe('not_permitted');
    expect(await ask(here, porter.id, command)).toBe('not_permitted');
    expect(await ask(here, person, command)).toBe('not_permitted');
    expect(await ask(here, person, command, signedIn)).toBe('accepted');
    expect(await journal.principalOfIdentity(command.identity)).toEqual({ workspace: here, person });
    expect((await journal.reads(here).person(person))?.identities).toEqual([command.identity]);
  });

  it('belongs to one person at most, in whichever workspace, however many ask at once', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => added()));
    const stranger = await added(there);
    const one = identity('slack:T1');
    const answers = await Promise.all([
      ...people.map((person) => ask(here, person, { kind: 'LinkIdentity', person, identity: one }, signedIn)),
      ask(there, stranger, { kind: 'LinkIdentity', person: stranger, identity: one }, signedIn),
    ]);
    expect(answers.toSorted()).toEqual(['accepted', ...Array.from({ length: 6 }, () => 'exists')]);
    const { rows } = await superuser.query('select person from proviso.identity where issuer = $1', ['slack:T1']);
    expect(rows).toHaveLength(1);
  });

  it('is let go by its person or an administrator, and may then be linked by another', async () => {
    const [person, other] = [await added(), await added()];
    const admin = await added(here, [{ role: 'administrator' }]);
    const one = identity();
    await ask(here, person, { kind: 'LinkIdentity', person, identity: one }, signedIn);
    expect(await ask(here, other, { kind: 'UnlinkIdentity', person, identity: one })).toBe('not_permitted');
    expect(await ask(here, admin, { kind: 'UnlinkIdentity', person, identity: one })).toBe('accepted');
    expect(await journal.principalOfIdentity(one)).toBeNull();
    expect(await ask(here, other, { kind: 'LinkIdentity', person: other, identity: one }, signedIn)).toBe('accepted');
  });

  it('adds one person when it signs in for the first time, also twice at once', async () => {
    const one = identity('https://login.example');
    const person = idFrom('psn', randomUUID());
    const command = { kind: 'AddPerson', person, principal: 'human', bindings: [], identity: one } as const;
    const answers = await Promise.all([ask(here, porter.id, command), ask(here, porter.id, command)]);
    expect(answers.toSorted()).toEqual(['accepted', 'exists']);
    const second = { ...command, person: idFrom('psn', randomUUID()) };
    expect(await ask(here, porter.id, second)).toBe('exists');
    expect(await journal.reads(here).person(second.person)).toBeNull();
  });

  it('stays with a person who was shut out, so that they do not come back as somebody new', async () => {
    const one = identity('https://login.example');
    const person = idFrom('psn', randomUUID());
    await ask(here, porter.id, { kind: 'AddPerson', person, principal: 'human', bindings: [], identity: one });
    const admin = await added(here, [{ role: 'administrator' }]);
    await ask(here, admin, { kind: 'DisablePerson', person });
    expect(await journal.principalOfIdentity(one)).toEqual({ workspace: here, person });
  });
});

describe('a session of a browser', () => {
  async function opened(person: PersonId) {
    const id = idFrom('ses', randomUUID());
    const hash = `sha256:${createHash('sha256').update(id).digest('hex')}` as const;
    await journal.sessions.open({ workspace: here, person, id, hash, authenticatedAt: Date.now() });
    return { id, hash };
  }

  it.each([
    ['8 hours after its last use', `seen_at = now() - interval '8 hours 1 second'`, null],
    ['not before', `seen_at = now() - interval '7 hours 59 minutes'`, 'holds'],
    ['24 hours after its opening, however busy', `opened_at = now() - interval '24 hours 1 second'`, null],
    ['not before', `opened_at = now() - interval '23 hours 59 minutes'`, 'holds'],
  ])('ends %s', async (_when, change, expected) => {
    const { hash, id } = await opened(await added());
    await superuser.query(`update proviso.session set ${change} where hash = $1`, [hash]);
    const found = await journal.sessions.find(hash);
    expect(found?.id ?? null).toBe(expected === null ? null : id);
  });

  it('lives on by being used', async () => {
    const { hash } = await opened(await added());
    await superuser.query(`update proviso.session set seen_at = now() - interval '7 hours' where hash = $1`, [hash]);
    await journal.sessions.find(hash);
    const seen = async () =>
      (
        await superuser.query(
          `select now() - seen_at < interval '1 minute' as fresh from proviso.session where hash = $1`,
          [hash],
        )
      ).rows;
    expect(await seen()).toEqual([{ fresh: false }]);
    await journal.sessions.use(hash);
    expect(await seen()).toEqual([{ fresh: true }]);
  });

  it('ends when its person signs out of it, out of all, or is disabled', async () => {
    const person = await added();
    const [one, other] = [await opened(person), await opened(person)];
    expect((await journal.sessions.of(here, person)).map(({ id }) => id)).toEqual([other.id, one.id]);
    await journal.sessions.end(here, one.hash);
    expect([await journal.sessions.find(one.hash), (await journal.sessions.find(other.hash))?.id]).toEqual([
      null,
      other.id,
    ]);
    expect(await ask(here, person, { kind: 'EndSessions', person })).toBe('accepted');
    expect(await journal.sessions.find(other.hash)).toBeNull();
    const third = await opened(person);
    await ask(here, await added(here, [{ role: 'administrator' }]), { kind: 'DisablePerson', person });
    expect(await journal.sessions.find(third.hash)).toBeNull();
  });

  it('is one of at most twenty, and takes those that are over with it', async () => {
    const person = await added();
    const first = await opened(person);
    const gone = await opened(await added());
    await superuser.query(`update proviso.session set seen_at = now() - interval '9 hours' where hash = $1`, [
      gone.hash,
    ]);
    for (let count = 1; count <= 20; count += 1) await opened(person);
    expect(await journal.sessions.of(here, person)).toHaveLength(20);
    expect(await journal.sessions.find(first.hash)).toBeNull();
    const { rows } = await superuser.query('select 1 from proviso.session where hash = $1', [gone.hash]);
    expect(rows).toEqual([]);
  });
});
