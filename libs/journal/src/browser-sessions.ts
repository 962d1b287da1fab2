import { type Digest, type PersonId, type SessionId, type WorkspaceId, uuidOf } from '@proviso/domain';
import type { Principal } from './port.ts';
import type { Row, Session } from './session.ts';
import { statement } from './statement.ts';

/** A browser in which somebody is signed in, as found by what its cookie holds. */
export interface BrowserSession extends Principal {
  readonly id: SessionId;
  /** When they last proved who they are; null when their provider does not say. */
  readonly authenticatedAt: number | null;
}

/** A session as its person may see it. */
export interface SessionView {
  readonly id: SessionId;
  readonly authenticatedAt: number | null;
  readonly openedAt: number;
  readonly seenAt: number;
}

/** Sessions of browsers. They end 8 hours after their last use, 24 after their opening, and with their person. */
export interface BrowserSessions {
  /** Null for one that is unknown or over. */
  readonly find: (hash: Digest) => Promise<BrowserSession | null>;
  /** The same for somebody who does something: the session lives on by it. */
  readonly use: (hash: Digest) => Promise<BrowserSession | null>;
  readonly open: (session: BrowserSession & { readonly hash: Digest }) => Promise<void>;
  readonly end: (workspace: WorkspaceId, hash: Digest) => Promise<void>;
  /** Those that hold, newest first. */
  readonly of: (workspace: WorkspaceId, person: PersonId) => Promise<readonly SessionView[]>;
}

/** More browsers than one person uses; with another one the oldest is signed out. */
const sessionsMax = 20;

/** A use within this time is not written down again: reading pages must not cost a write each. */
const seenWithinSeconds = 60;

const findSession = statement(
  'session.find',
  `select workspace, person, id, authenticated_at, extract(epoch from idle) as idle_seconds from proviso.principal_of_session($1)`,
);

const touchSession = statement(
  'session.seen',
  `update proviso.session set seen_at = clock_timestamp() where workspace = $1 and hash = $2`,
);

const openSession = statement(
  'session.open',
  `insert into proviso.session (workspace, hash, id, person, authenticated_at, opened_at, seen_at)
   values ($1, $2, $3, $4, least($5::timestamptz, clock_timestamp()), clock_timestamp(), clock_timestamp())`,
);

// With each sign-in the workspace's sessions that are over go, so that no sweep is needed.
const dropSessions = statement(
  'session.drop',
  `delete from proviso.session s where s.workspace = $1 and (not proviso.session_holds(s.opened_at, s.seen_at) or s.hash in (
     select hash from proviso.session where workspace = $1 and person = $2 order by opened_at desc offset ${sessionsMax - 1}))`,
);

const endSession = statement('session.end', `delete from proviso.session where workspace = $1 and hash = $2`);

const listSessions = statement(
  'session.list',
  `select id, authenticated_at, opened_at, seen_at from proviso.session
    where workspace = $1 and person = $2 and proviso.session_holds(opened_at, seen_at) order by opened_at desc`,
);

/** Sessions of browsers: rows of their own and no entries, since nothing is decided by one alone. */
export function browserSessions(session: Session): BrowserSessions {
  const rowOf = async (hash: Digest) =>
    (await session.transaction(null, (transaction) => transaction.run(findSession, [hash])))[0];
  return {
    find: async (hash) => {
      const row = await rowOf(hash);
      return row === undefined ? null : foundIn(row);
    },
    use: async (hash) => {
      const row = await rowOf(hash);
      if (row === undefined) return null;
      const found = foundIn(row);
      if (Number(row.idle_seconds) > seenWithinSeconds) await written(session, found.workspace, touchSession, hash);
      return found;
    },
    open: async ({ workspace, person, id, hash, authenticatedAt }) => {
      const at = authenticatedAt === null ? null : new Date(authenticatedAt);
      await session.transaction(workspace, (transaction) =>
        Promise.all([
          transaction.run(dropSessions, [uuidOf(workspace), person]),
          transaction.run(openSession, [uuidOf(workspace), hash, id, person, at]),
          transaction.commit(),
        ]),
      );
    },
    end: (workspace, hash) => written(session, workspace, endSession, hash),
    of: async (workspace, person) => {
      const values = [uuidOf(workspace), person];
      const rows = await session.transaction(workspace, (transaction) => transaction.run(listSessions, values));
      return rows.map(shownIn);
    },
  };
}

async function written(
  session: Session,
  workspace: WorkspaceId,
  what: typeof touchSession,
  hash: Digest,
): Promise<void> {
  await session.transaction(workspace, (transaction) =>
    Promise.all([transaction.run(what, [uuidOf(workspace), hash]), transaction.commit()]),
  );
}

function foundIn(row: Row): BrowserSession {
  const workspace: WorkspaceId = `wsp_${String(row.workspace).replaceAll('-', '')}`;
  const at = row.authenticated_at as Date | null;
  return {
    workspace,
    person: row.person as PersonId,
    id: row.id as SessionId,
    authenticatedAt: at === null ? null : at.getTime(),
  };
}

function shownIn(row: Row): SessionView {
  const at = row.authenticated_at as Date | null;
  return {
    id: row.id as SessionId,
    authenticatedAt: at === null ? null : at.getTime(),
    openedAt: (row.opened_at as Date).getTime(),
    seenAt: (row.seen_at as Date).getTime(),
  };
}
